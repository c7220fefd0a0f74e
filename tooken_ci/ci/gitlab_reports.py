"""What GitLab reads of a job's reports: the counts for the merge request's widget, and what is wrong with the spec.

Of a report of the kind ``terraform`` GitLab's ``Gitlab::Ci::Parsers::Terraform::Tfplan`` takes three numbers; where one
is missing, the widget says that the job failed to generate a report. The properties of a finding in one of the kind
``codequality`` are those of https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from tooken_ci.base.text import LONGEST_LINE, safe
from tooken_ci.ci.repository import path_in
from tooken_ci.plan.model import ActionKind, ProblemCode
from tooken_ci.plan.notices import Level

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tooken_ci.plan.model import Plan
    from tooken_ci.plan.notices import Notice

_COUNTED = {
    "create": (ActionKind.CREATE,),
    "update": (ActionKind.REPLACE, ActionKind.ROTATE, ActionKind.REDELIVER),
    "delete": (ActionKind.REVOKE,),
}

_SEVERITIES = {Level.ERROR: "critical", Level.WARNING: "minor", Level.NOTICE: "info"}

_OF_THE_MOMENT = frozenset(
    {"due_soon", "warning", "failed", "lease", ProblemCode.BUSY, ProblemCode.MISSING, ProblemCode.UNKNOWN}
)
"""What comes and goes while the spec stays the same: the widget would take it for the merge request's doing."""

_UNSTEADY = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z|:\d+:\d+\b|\bline \d+\b")
"""What of a message changes while what it tells of stays: times, and places in a file."""

_DIGITS = 32


def terraform(plan: Plan | None, *, failure: str = "") -> str:
    """How many tokens are made, changed and revoked by a plan.

    Args:
        plan: None where none could be made. Zeros would say that there is nothing to do; so there are no numbers then,
            nor where it has no action because entries were not planned, and the widget tells of a failure.
        failure: why there are none, one word, for who opens the file.
    """
    if plan is None or (plan.unplanned and not plan.actions):
        return json.dumps({"failure": failure or "no_plan"}) + "\n"
    return json.dumps({name: sum(map(plan.count, kinds)) for name, kinds in _COUNTED.items()}) + "\n"


def codequality(notices: Iterable[Notice], *, root: Path) -> str:
    """What is wrong with the spec, each on its line; an empty list where nothing is.

    Args:
        notices: what there is to tell of a run.
        root: the folder that the repository was checked out to; what is told of files elsewhere is left out.
    """
    found: list[dict[str, Any]] = []
    seen: Counter[str] = Counter()
    for notice in notices:
        path = _in_repository(notice, root)
        if path is None or notice.code in _OF_THE_MOMENT:
            continue
        steady = _UNSTEADY.sub("", notice.message)
        what = json.dumps([notice.code, path, notice.entry, steady])
        seen[what] += 1  # GitLab takes one fingerprint for one finding
        found.append(_finding(notice, path, f"{what}{seen[what]}"))
    return json.dumps(found, indent=2) + "\n"


def _finding(notice: Notice, path: str, what: str) -> dict[str, Any]:
    return {
        "description": safe(notice.message, limit=LONGEST_LINE),
        "check_name": f"tooken-ci/{notice.code}",
        "fingerprint": hashlib.sha256(what.encode()).hexdigest()[:_DIGITS],
        "severity": _SEVERITIES[notice.level],
        "location": {"path": path, "lines": {"begin": notice.position.line if notice.position else 1}},
    }


def _in_repository(notice: Notice, root: Path) -> str | None:
    """The file as the repository names it; None where there is no line, or it is in no file of the repository."""
    path = None if notice.position is None else path_in(root, notice.position.file)
    return None if path is None else safe(path, limit=LONGEST_LINE)

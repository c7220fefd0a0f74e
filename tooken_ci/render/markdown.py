"""What a run has to tell as a page in Markdown, for a step summary or a comment. Names are data there, never markup."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import TYPE_CHECKING

from tooken_ci.plan.leases import LeaseStatus
from tooken_ci.plan.model import ActionKind
from tooken_ci.plan.result import ResultStatus
from tooken_ci.plan.timeline import timeline
from tooken_ci.render import tables, told, when
from tooken_ci.render.blocks import diagram
from tooken_ci.render.escaping import markdown as _text
from tooken_ci.render.fit import Page, fit, in_bytes, whole
from tooken_ci.render.gantt import LEGEND, gantt
from tooken_ci.render.judging import left_alone, or_idle

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tooken_ci.plan.model import Plan
    from tooken_ci.render.fit import Section
    from tooken_ci.render.report import Report

SUMMARY = 1024 * 1024
"""Bytes that GitHub takes as the summary of a step; of more it takes nothing."""

_MARGIN = 16 * 1024
"""What is left of them to commands that come later in the same step."""

COMMENT = 65_536
"""Characters that GitHub takes as a comment; in any script they are no more than the 262,144 bytes that it keeps.
GitLab takes more."""

DRAWN, _OPEN = 50, 12
"""How many tokens are drawn at most, and how many without being asked to."""

_LABEL = 64
"""How much of the workspace's label stands in the heading, which has to fit whatever the room."""

_WHERE = "The JSON report has all: <code>--report-file</code>, or <code>--format json</code>."


def as_markdown(report: Report) -> str:
    """The report as a page, however long it becomes."""
    return whole(_page(report)).rstrip("\n") + "\n"


def as_summary(report: Report, *, room: int) -> str:
    """The report as a part of a step's summary; empty where there is no room for its totals.

    Args:
        report: what there is to tell.
        room: how many bytes the summary may still take.
    """
    return fit(_page(report), room - _MARGIN, in_bytes)


def as_comment(report: Report, *, limit: int = COMMENT) -> str:
    """The report as a comment. It tells the day alone, so that it need not be changed where nothing has that day.

    Args:
        report: what there is to tell.
        limit: how many characters it may have.
    """
    return fit(_page(report, by_day=True), limit, len)


def _page(report: Report, *, by_day: bool = False) -> Page:
    label = "" if report.workspace is None else f": {_text(report.workspace, limit=_LABEL)}"
    top = f"## tooken-ci{label}\n\n{_totals(report)}\n\n"
    return Page(
        top=top, sections=list(_sections(report, by_day=by_day)), bottom=_bottom(report, by_day=by_day), where=_WHERE
    )


def _totals(report: Report) -> str:
    return "<br>".join(_lines(report)) or ("Nothing to tell." if report.spec is None else "The spec is valid.")


def _lines(report: Report) -> Iterator[str]:
    """How it ended, with what became of the plan or of the leases; then what was planned."""
    plan, outcome = report.plan, report.outcome
    ended = [] if report.error is None else [f"❌ **Failed** ({report.error.code})."]
    if outcome is not None and outcome.results:
        statuses = Counter(str(result.status) for result in outcome.results)
        ended.append(f"{_counts((statuses[status], status) for status in ResultStatus)}.")
    elif report.applying and plan is not None and report.error is not None:
        ended.append("Apply did not begin.")
    if report.leases is not None:
        leases = Counter(str(result.status) for result in report.leases)
        ended.append(f"Leases: {_counts((leases[status], status) for status in LeaseStatus) or 'none'}.")
    if ended:
        yield " ".join(ended)
    if plan is not None:
        yield f"{'Planned: ' if ended else ''}{_planned(plan)}"


def _counts(numbers: Iterable[tuple[int, str]]) -> str:
    return ", ".join(f"**{number}** {what}" for number, what in numbers if number)


def _planned(plan: Plan) -> str:
    planned = _counts((plan.count(kind), f"to {kind}") for kind in ActionKind)
    return f"{or_idle(planned, plan).capitalize()}{left_alone(plan)}"


def _sections(report: Report, *, by_day: bool) -> Iterator[Section]:
    """In the order of the page: what went wrong, what is to be done, and then what one looks up."""
    yield from told.faults(report)
    if report.outcome is not None:
        yield from tables.results(report.outcome)
    if report.leases:
        yield tables.leases(report.leases)
    if report.plan is not None:
        of = report.plan if report.outcome is None else report.outcome
        yield told.problems(of.problems, applied=report.outcome is not None)
    yield told.warnings(report)
    if report.plan is not None:
        now = _seen_from(report.plan, by_day=by_day)
        yield tables.actions(report.plan, now, applied=report.outcome is not None)
        yield tables.details(report.plan, now)
        yield tables.waiting(report.plan, now)
        yield _timeline(report, report.plan, now)


def _seen_from(plan: Plan, *, by_day: bool) -> dt.date:
    """The plan's time, or its day alone."""
    now = plan.now.astimezone(dt.UTC)
    return now.date() if by_day else now


def _timeline(report: Report, plan: Plan, now: dt.date) -> Section:
    begins = None if isinstance(now, dt.datetime) else dt.datetime.combine(now, dt.time(), dt.UTC)
    lives = timeline(report.spec, report.tokens, plan, most=DRAWN) if report.spec is not None else ()
    return diagram(
        "timeline",
        gantt(lives, plan, begins),
        rank=6,
        title="When the tokens end",
        legend=LEGEND,
        fold=len(lives) > _OPEN,
    )


def _bottom(report: Report, *, by_day: bool) -> str:
    parts = [] if report.plan is None else [f"As of {when.itself(_seen_from(report.plan, by_day=by_day))}."]
    if (price := report.price) is not None:
        wait = f", and about {price.seconds} s of waiting" if price.seconds and not by_day else ""
        parts.append(f"Requests: {price.spent} for the plan, {price.apply} for apply (at most {price.at_most}){wait}.")
    return f"<sub>{' '.join(parts)}</sub>\n" if parts else ""

"""Parts of a job's log that can be folded away: groups at GitHub, sections at GitLab.

https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands#grouping-log-lines
https://docs.gitlab.com/ci/jobs/job_logs/#custom-collapsible-sections
"""

from __future__ import annotations

import contextlib
import re
import time
from typing import TYPE_CHECKING

from tooken_ci.base.commands import workflow_command
from tooken_ci.base.text import LONGEST_LINE, safe
from tooken_ci.ci.host import HostKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tooken_ci.ci.host import Host

FOLDING = frozenset({HostKind.GITHUB, HostKind.GITLAB})
"""Where a log has parts that fold; at GitHub they are closed at first, at GitLab open."""

_NOT_A_NAME = re.compile(r"[^a-z0-9]+")
_CLEAR = "\x1b[0K"


@contextlib.contextmanager
def group(host: Host, name: str, title: str, tell: Callable[[str], None]) -> Iterator[None]:
    """What is told inside can be folded away under a title; where a log has no such parts, the title is not told.

    Args:
        host: where the command runs.
        name: tells the part from others of the same log; letters and digits.
        title: stays to be seen.
        tell: writes one line of the log.
    """
    if host.kind not in FOLDING:
        yield
        return
    section = f"tooken_ci_{_NOT_A_NAME.sub('_', name.lower())}_{time.monotonic_ns()}"
    tell(_opening(host.kind, section, safe(title, limit=LONGEST_LINE)))
    try:
        yield
    finally:
        tell(_closing(host.kind, section))


def _opening(kind: HostKind, section: str, title: str) -> str:
    if kind is HostKind.GITHUB:
        return workflow_command("group", {}, title)
    return f"{_CLEAR}section_start:{time.time():.0f}:{section}\r{_CLEAR}{title}"


def _closing(kind: HostKind, section: str) -> str:
    if kind is HostKind.GITHUB:
        return workflow_command("endgroup", {}, "")
    return f"{_CLEAR}section_end:{time.time():.0f}:{section}\r{_CLEAR}"

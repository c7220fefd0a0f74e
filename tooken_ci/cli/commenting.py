"""The comment on the pull request or merge request: told last, and nothing that a run fails or waits for."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

from tooken_ci.base.errors import TookenCIError
from tooken_ci.base.text import LONGEST_LINE, safe
from tooken_ci.ci.host import HostKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from tooken_ci.cli.reporting import Reporting

_GLANCE = 0.1
"""Seconds between two looks at whether somebody has stopped the run."""


def comment(reporting: Reporting, say: Callable[[str], None]) -> None:
    """Bring the comment up to date, if one is asked for; a run that is stopped does not wait for it.

    Args:
        reporting: what there is to tell.
        say: writes one line of the log.
    """
    if not reporting.output.comment:
        return
    if reporting.is_stopped():
        say("The comment was left as it is, since the run was stopped.")
        return
    told: list[str | TookenCIError] = []
    thread = threading.Thread(target=lambda: told.append(_published(reporting)), name="comment", daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(_GLANCE)
        if reporting.is_stopped() and thread.is_alive():
            say("The comment was given up, since the run was stopped.")
            return
    for one in told:
        if isinstance(one, str):
            say(safe(one))
        else:
            _warn(reporting, one, say)


def _published(reporting: Reporting) -> str | TookenCIError:
    try:
        return _publish(reporting)
    except TookenCIError as error:
        return error
    except Exception as error:  # noqa: BLE001  # the run went as it went; the comment is not its result
        from tooken_ci.cli.reporting import internal_error

        return internal_error(error)


def _publish(reporting: Reporting) -> str:
    from tooken_ci.ci.comment import Comment, publish, room
    from tooken_ci.render.markdown import as_comment

    report = reporting.report
    workspace = report.workspace
    if workspace is None:
        return "There is no comment: no spec can be read, so nothing tells which workspace it would be about."
    empty = report.error is None and report.plan is not None and report.plan.empty
    body = as_comment(report, limit=room(os.environ))
    return publish(reporting.environ, Comment(workspace=workspace, specs=reporting.specs, body=body, empty=empty))


def _warn(reporting: Reporting, error: TookenCIError, say: Callable[[str], None]) -> None:
    reporting.word(error)
    say(safe(f"Warning: {error}", limit=LONGEST_LINE))
    if reporting.host.kind is HostKind.GITHUB:
        from tooken_ci.ci.github import annotated
        from tooken_ci.plan.notices import Level, of_error

        for line in annotated(of_error(error, Level.WARNING)):
            say(line)

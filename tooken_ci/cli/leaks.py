"""The search for secrets when a run ends, and what is told of a finding."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tooken_ci.base.errors import ExitCode, LeakError
from tooken_ci.base.redact import redactor

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tooken_ci.base.heard import Heard


def searched(code: int, streams: Iterable[Heard]) -> int:
    """The exit code of a run that would end with this one, once all that it wrote was searched for secrets."""
    if not redactor.knows_any:  # `--version` knows none, and imports nothing for it
        return code
    from tooken_ci.base.leaks import findings, written
    from tooken_ci.base.text import quoted

    try:
        found = findings(streams)
    except Exception as error:  # noqa: BLE001  # what was not searched is not known to be clean
        return _unsearched(error)
    if found:
        _tell(
            LeakError(
                f"The leak check found a secret in {', '.join(map(quoted, found))}, which this run wrote.",
                hint="Keep it from others, rotate what was delivered with 'tooken-ci rotate --overlap 0', and report "
                "this.",
            )
        )
    if written.unsearched:
        _tell(
            LeakError(
                f"The leak check could not search {', '.join(map(quoted, written.unsearched))}, which this run wrote.",
                hint="Find out what made it unreadable meanwhile, and search it for secrets before others read it.",
            )
        )
    return ExitCode.PARTIAL if found or written.unsearched else code


def _unsearched(error: Exception) -> int:
    from tooken_ci.cli.reporting import internal_error, say_error

    say_error(internal_error(error))
    return ExitCode.PARTIAL


def _tell(error: LeakError) -> None:
    from tooken_ci.ci.github import annotated
    from tooken_ci.ci.host import HostKind, detect
    from tooken_ci.cli.reporting import say, say_error
    from tooken_ci.plan.notices import of_error

    say_error(error)
    for line in annotated(of_error(error)) if detect(os.environ).kind is HostKind.GITHUB else ():
        say(line)

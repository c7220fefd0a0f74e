"""Runs the command line: everything that it prints passes the redactor, every end has an exit code."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING, NoReturn

import click

from tooken_ci.base.errors import ExitCode, TookenCIError
from tooken_ci.base.redact import RedactingStream
from tooken_ci.cli.commands import cli
from tooken_ci.cli.reporting import internal_error, say, say_error

if TYPE_CHECKING:
    from collections.abc import Sequence


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command and give its exit code; everything it prints passes the redactor.

    Args:
        arguments: the command line without the program's name; the process's own where left out.
    """
    out, err = RedactingStream(sys.stdout), RedactingStream(sys.stderr)
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            return _guarded(arguments)
        finally:
            for stream in (out, err):
                with contextlib.suppress(BrokenPipeError):
                    stream.finish()


def _guarded(arguments: Sequence[str] | None) -> int:
    try:
        code = cli.main(
            args=None if arguments is None else list(arguments), prog_name="tooken-ci", standalone_mode=False
        )
    except TookenCIError as error:
        say_error(error)
        return error.exit_code
    except click.ClickException as error:
        error.show(sys.stderr)
        return ExitCode.USAGE
    except (click.Abort, KeyboardInterrupt):
        say("Interrupted; nothing was changed.")
        return ExitCode.FAILED
    except Exception as error:  # noqa: BLE001  # the last net, for the commands that report nothing
        error_told = internal_error(error)
        say_error(error_told)
        return error_told.exit_code
    return code if isinstance(code, int) else ExitCode.OK


def main() -> NoReturn:
    """The program."""
    sys.exit(run())

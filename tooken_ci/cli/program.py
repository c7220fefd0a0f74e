"""Runs the command line: everything that it prints passes the redactor, every end has an exit code."""

from __future__ import annotations

import contextlib
import gc
import io
import itertools
import os
import sys
import threading
from typing import TYPE_CHECKING, NoReturn

import click

from tooken_ci.base.children import children
from tooken_ci.base.errors import ExitCode, TookenCIError
from tooken_ci.base.heard import Heard
from tooken_ci.base.redact import RedactingStream
from tooken_ci.cli import hooks
from tooken_ci.cli.commands import cli
from tooken_ci.cli.leaks import searched

if TYPE_CHECKING:
    from collections.abc import Sequence


_KEY_FILE = "--api-key-file"


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command and give its exit code; everything it prints passes the redactor.

    Args:
        arguments: the command line without the program's name; the process's own where left out.
    """
    with contextlib.ExitStack() as stack:
        # a stream that the caller closed is None: what goes there is lost, and nothing else
        nowhere = stack.enter_context(open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123  # --version needs no paths
        # that nobody can read any longer what people are told is no reason to leave the work undone, or to call it so
        below = sys.stdout or nowhere, sys.stderr or nowhere
        heard = Heard("standard output", below[0]), Heard("standard error", below[1])
        out, err = RedactingStream(heard[0]), RedactingStream(heard[1], lossy=True, runner=below[1])

        def finish() -> None:
            for stream, last in ((out, below[0]), (err, below[1])):
                try:
                    stream.finish()
                except OSError:
                    # what is still held for it must go somewhere, or the interpreter ends with an exit code of its own
                    os.dup2(nowhere.fileno(), last.fileno())

        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = _guarded(arguments)
            finish()  # what was held back is searched too
            code = searched(code, heard)
        finish()
        return code


def _guarded(arguments: Sequence[str] | None) -> int:
    try:
        code = cli.main(
            args=None if arguments is None else list(arguments), prog_name="tooken-ci", standalone_mode=False
        )
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  # the last net
        return _told(error, sys.argv[1:] if arguments is None else arguments)
    return code if isinstance(code, int) else ExitCode.OK


def _told(error: Exception | KeyboardInterrupt, arguments: Sequence[str]) -> int:
    """Tell what no command has caught, and give the exit code that it means."""
    from tooken_ci.cli.reporting import internal_error, say, say_error

    match error:
        case TookenCIError():
            say_error(error)
            return error.exit_code
        case click.ClickException():
            _mask_keys(arguments)
            _tell_misunderstood(error)
            return ExitCode.USAGE
        case OSError():
            say(f"Error: the output could not be written: {error.strerror}.")
            return ExitCode.FAILED
        case click.Abort() | KeyboardInterrupt():
            say("Interrupted.")
            return ExitCode.FAILED
        case _:
            error_told = internal_error(error)
            say_error(error_told)
            return error_told.exit_code


def _tell_misunderstood(error: click.ClickException) -> None:
    """A command line that was not understood comes to no command that could tell of it, to people or to the runner."""
    from tooken_ci.base.errors import UsageError
    from tooken_ci.base.text import safe_lines
    from tooken_ci.ci.host import HostKind, detect
    from tooken_ci.cli.channels import annotate, write_files
    from tooken_ci.cli.inputs import explained
    from tooken_ci.cli.output import Output
    from tooken_ci.cli.reporting import Reporting, say
    from tooken_ci.render.report import Report

    host = detect(os.environ)
    error, told = explained(error, in_action=host.masks), io.StringIO()
    error.show(told)
    say(safe_lines(told.getvalue()), end="")
    if host.kind is HostKind.GITHUB:
        reporting = Reporting(output=Output(), host=host, report=Report(error=UsageError(error.format_message())))
        write_files(reporting, say)
        annotate(reporting, say)


def _mask_keys(arguments: Sequence[str]) -> None:
    """Have every key masked that was named before the command line was understood: the key may be the misunderstood."""
    from tooken_ci.tooken.key import mask_file, mask_variables

    mask_variables(os.environ)
    named = [after for option, after in itertools.pairwise(arguments) if option == _KEY_FILE]
    named += [one.removeprefix(f"{_KEY_FILE}=") for one in arguments if one.startswith(f"{_KEY_FILE}=")]
    for file in filter(None, [*named, os.environ.get("TOOKEN_API_KEY_FILE")]):
        mask_file(file)


def main() -> NoReturn:
    """The program. It does not wait for what still hangs in a thread: by then all is told, and the run is to end."""
    hooks.install()
    code = run()
    children.end()
    if threading.active_count() > 1:
        from tooken_ci.base import half_written

        half_written.remove_all()
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, AttributeError, ValueError):
                stream.flush()
        os._exit(code)
    gc.freeze()  # or the interpreter goes through every object to free what the end of the process frees at once
    sys.exit(code)

"""Tells what a command has to tell, once, whether it ends well or not: to people, to programs, to the CI runner."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import logging
import os
import traceback
from typing import TYPE_CHECKING, Any

import click

from tooken_ci.base.errors import (
    ExitCode,
    InternalError,
    RunnerError,
    SavedPlanError,
    SpecError,
    StoppedError,
    TookenCIError,
)
from tooken_ci.base.text import LONGEST_LINE, intact, safe, safe_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tooken_ci.base.times import Stop
    from tooken_ci.ci.host import Host
    from tooken_ci.cli.output import Output
    from tooken_ci.render.report import Report


def say(text: str, *, end: str = "\n") -> None:
    """Tell people, on standard error; where that is lost, it is lost (see ``cli.program.run``)."""
    click.echo(text + end, err=True, nl=False)


def say_mark(text: str) -> None:
    """Tell the runner, on standard error, where a part of the log begins or ends.

    Of what goes to no terminal click takes the escape sequences out, and without them GitLab knows no mark.
    """
    click.echo(text, err=True, color=True)


class LogHandler(logging.Handler):
    """Tells people what is logged, on the standard error of that moment: the one that masks secrets."""

    def emit(self, record: logging.LogRecord) -> None:
        """Tell it; the traceback that a library adds only who asks for with ``--debug``."""
        if not _debugging():
            record = copy.copy(record)
            record.exc_info = record.exc_text = record.stack_info = None
        say(safe_lines(self.format(record)))


def _debugging() -> bool:
    return logging.getLogger("tooken_ci").level == logging.DEBUG


def say_error(error: TookenCIError) -> None:
    """Tell people what went wrong and what to do next."""
    if isinstance(error, SpecError):
        lines = [f"Error: {error.message}", *(f"  {fault}" for fault in error.faults)]
    else:
        differences = error.differences if isinstance(error, SavedPlanError) else ()
        lines = [f"Error: {error.message}", *(f"  {line}" for line in (*differences, error.hint) if line)]
    for line in lines:
        say(safe(line, limit=LONGEST_LINE))


def internal_error(error: Exception) -> InternalError:
    """A fault of this program as a short message; the traceback only for who asks with ``--debug``."""
    if _debugging():
        say(safe_lines("".join(traceback.format_exception(error))))
    return InternalError(
        f"This is a fault of tooken-ci itself ({type(error).__name__}).",
        hint="Run again with --debug and report what it prints; the next run mends what this one left half done.",
    )


@dataclasses.dataclass(kw_only=True)
class Reporting:
    """Gathers what a command has to tell, and tells it once, whether it ends well or not.

    Attributes:
        output: where to tell it, as the options say.
        host: where the command runs.
        report: what there is to tell so far.
        exit_code: how the command ends.
        shown: the plan has been shown as text.
        changing: changes may have been made.
        specs: the paths of the spec, as they were given.
        stop: whether somebody has asked the run to end; None where signals do what they do by default.
        files: what the run has saved for later steps, by the name of the output that tells of it.
        until_told: is left once all is told.
        environ: the environment, with the key and the comment's token, which the process's own has no longer.
    """

    output: Output
    host: Host
    report: Report
    exit_code: ExitCode = ExitCode.OK
    shown: bool = False
    changing: bool = False
    specs: tuple[str, ...] = ()
    stop: Stop | None = None
    files: dict[str, str] = dataclasses.field(default_factory=dict)
    until_told: contextlib.ExitStack = dataclasses.field(default_factory=contextlib.ExitStack)
    environ: Mapping[str, str] = dataclasses.field(default_factory=dict, repr=False)

    def heed_signals(self) -> Stop:
        """From now on signals ask the run to end, until all is told."""
        from tooken_ci.base.times import Stop
        from tooken_ci.cli.signals import heeding_signals

        self.stop = Stop()
        self.until_told.enter_context(heeding_signals(self.stop))
        return self.stop

    def is_stopped(self) -> bool:
        """Whether the run is to end at once."""
        return isinstance(self.report.error, StoppedError) or (self.stop is not None and bool(self.stop.by))

    def update(self, **news: Any) -> None:
        """Add to the report."""
        self.report = dataclasses.replace(self.report, **news)

    def check_files(self, reads: Iterable[str]) -> None:
        """Refuse to write a part of the report over what the run reads, or over another; then none is written.

        Raises:
            UsageError: an option asks for that.
        """
        from tooken_ci.cli.outfiles import refuse_over

        asked, self.output = self.output, self.output.without_files()
        own = [*reads]
        for option, path in asked.files:
            refuse_over(path, self.host, own, what="The report", option=option)
            own.append(path)
        self.output = asked

    @property
    def paths(self) -> tuple[str, ...]:
        """The files that will hold the report, over which nothing may be delivered."""
        return tuple(path for _, path in self.output.files)

    def show_plan(self, *, to_person: bool = False) -> None:
        """The plan as text on standard error; people want to see it before anything is done."""
        if (self.output.form == "text" or to_person) and not self.shown:
            self._show()
            self.shown = True

    def _show(self) -> None:
        from tooken_ci.ci.groups import FOLDING, group
        from tooken_ci.render import text

        if self.host.kind not in FOLDING or self.report.plan is None:
            say(text.as_text(self.report), end="")
            return
        say(text.warnings(self.report), end="")
        with group(self.host, "plan", text.headline(self.report.plan), say_mark):
            say(text.details(self.report), end="")

    def fail(self, error: TookenCIError) -> None:
        """End with an error; one that tells nothing of changes ends a run that may have made some as such."""
        from tooken_ci.spec.label import label_of

        self.word(error)
        # of twenty jobs of a fleet people are to see whose spec it is that cannot be read
        self.update(error=error, workspace=self.report.workspace or label_of(self.specs))
        outcome = self.report.outcome
        maybe = (self.changing and (outcome is None or outcome.changed)) or self._leased
        unclear = isinstance(error, (InternalError, RunnerError, StoppedError)) and maybe
        self.exit_code = ExitCode.PARTIAL if unclear else error.exit_code

    def word(self, error: TookenCIError) -> None:
        """Have an error speak of what its reader has written: in the action that is inputs."""
        if self.host.masks:
            from tooken_ci.cli.inputs import in_inputs

            in_inputs(error)

    @property
    def _leased(self) -> bool:
        """Whether a lease was made or released."""
        return any(result.status != "failed" for result in self.report.leases or ())

    def finish(self) -> None:
        """Tell it."""
        from tooken_ci.cli.channels import annotate, write_files
        from tooken_ci.cli.commenting import comment

        write_files(self, say)
        self.show_plan()
        if self.report.outcome is not None and self.output.form == "text":
            from tooken_ci.render.text import outcome_line

            say(outcome_line(self.report.outcome))
        if self.output.form == "json":
            from tooken_ci.render.report import as_json

            click.echo(intact(as_json(self.report)), nl=False)
        elif self.output.form == "markdown":
            from tooken_ci.render.markdown import as_markdown

            click.echo(as_markdown(self.report))
        annotate(self, say)
        if self.report.error is not None:
            say_error(self.report.error)
        comment(self, say)


@contextlib.contextmanager
def reporting_on(output: Output, *, reads: Iterable[str] = (), applying: bool = False) -> Iterator[Reporting]:
    """Report at the end of a command, also where it fails, and exit with its code.

    Args:
        output: where to tell it.
        reads: the files that the command reads, over which none of the report is written.
        applying: the command may make changes.
    """
    from tooken_ci.ci.host import detect
    from tooken_ci.render.report import Report
    from tooken_ci.tooken.key import withheld

    reporting = Reporting(output=output, host=detect(os.environ), report=Report(applying=applying))
    with reporting.until_told:
        reporting.environ = reporting.until_told.enter_context(withheld(os.environ))
        try:
            reporting.check_files(reads)
            yield reporting
        except TookenCIError as error:
            reporting.fail(error)
        except KeyboardInterrupt:
            reporting.fail(StoppedError("The run was interrupted.", hint="The next run finishes what this one left."))
        except (click.ClickException, click.Abort):
            raise
        except Exception as error:  # noqa: BLE001  # the last net: a short message; a traceback only for who asks
            reporting.fail(internal_error(error))
        _finish(reporting)
    raise click.exceptions.Exit(reporting.exit_code)


def _finish(reporting: Reporting) -> None:
    try:
        reporting.finish()
    except BrokenPipeError:
        pass  # whoever reads has read enough
    except OSError as error:
        reporting.fail(RunnerError(f"The output could not be written: {error.strerror}."))
        say(safe(f"Error: {reporting.report.error}", limit=LONGEST_LINE))
    except Exception as error:  # noqa: BLE001  # what was done is done, although it could not be told
        fault, own = internal_error(error), reporting.report.error
        if own is None:
            reporting.fail(fault)
        else:
            say_error(own)
        say_error(fault)

"""What each place is told when a run ends: the file of the report, the runner's outputs, its summary, annotations."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tooken_ci.base.errors import ChangesError, ExitCode, RunnerError
from tooken_ci.base.text import LONGEST_LINE, masked, quoted, safe
from tooken_ci.ci.host import HostKind
from tooken_ci.plan.model import ActionKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from tooken_ci.base.errors import TookenCIError
    from tooken_ci.cli.reporting import Reporting
    from tooken_ci.plan.notices import Notice

READABLE = 0o644
"""A report holds no secret, and whoever uploads it as an artifact may be somebody else."""


def write_files(reporting: Reporting, say: Callable[[str], None]) -> None:
    """Write the files, the outputs last: they tell whether one of the others could not be written.

    One that can't be written keeps nothing from the others. It fails the run, unless something else has before.

    Args:
        reporting: what there is to tell.
        say: writes one line of the log.
    """
    from tooken_ci.cli.reporting import internal_error

    for tell in (_write_report, _write_terraform, _write_codequality, _add_summary, _write_outputs):
        try:
            tell(reporting)
        except RunnerError as error:
            _untold(reporting, error, say)
        except Exception as error:  # noqa: BLE001  # how the run went is not for a renderer to say
            _untold(reporting, internal_error(error), say)


def _untold(reporting: Reporting, error: TookenCIError, say: Callable[[str], None]) -> None:
    if reporting.report.error is None:
        reporting.fail(error)
    else:
        reporting.word(error)
        say(safe(f"Warning: {error}", limit=LONGEST_LINE))


def _write_report(reporting: Reporting) -> None:
    """The JSON in a file of its own."""
    path = reporting.output.report_file
    if path is None:
        return
    from tooken_ci.render.report import as_json

    _save(path, as_json(reporting.report), option="--report-file")
    reporting.files["report-file"] = path


def _write_terraform(reporting: Reporting) -> None:
    """The counts, for GitLab's widget."""
    path = reporting.output.terraform_report
    if path is None:
        return
    from tooken_ci.ci import gitlab_reports

    plan, error = reporting.report.plan, reporting.report.error
    text = gitlab_reports.terraform(plan, failure=error.code if error is not None else "")
    _save(path, text, option="--terraform-report")


def _write_codequality(reporting: Reporting) -> None:
    """What is wrong with the spec, for GitLab's widget and its lines."""
    path = reporting.output.codequality_report
    if path is None:
        return
    from tooken_ci.ci import gitlab_reports

    text = gitlab_reports.codequality(notices(reporting), root=reporting.host.repository or Path.cwd())
    _save(path, text, option="--codequality-report")


def _save(path: str, text: str, *, option: str) -> None:
    from tooken_ci.base import files
    from tooken_ci.cli.outfiles import report_file

    target = report_file(path, option=option)
    try:
        files.replace(target, text, mode=READABLE)
    except OSError as error:
        told = f"The report could not be written to {quoted(path)}: {error.strerror}."
        raise RunnerError(told, hint=f"Everything else is done; name another file with {option}.") from None


def _write_outputs(reporting: Reporting) -> None:
    """The step's outputs: of a plan, if there is one, and why the run failed, if it did."""
    if reporting.host.output_file is None:
        return
    from tooken_ci.ci import github

    plan, error = reporting.report.plan, reporting.report.error
    outputs: dict[str, int | bool | str] = {}
    if plan is not None:
        outputs |= {"has-changes": bool(plan.actions)}
        outputs |= {str(kind): plan.count(kind) for kind in ActionKind}
        outputs |= {"blocked-by": ",".join(plan.blocked_by)}
    # outside of the action this exit code is a sign and no error, but the later steps are told what it means
    changes = ChangesError.code if reporting.exit_code is ExitCode.PENDING else ""
    outputs |= {"failure-reason": error.code if error is not None else changes}
    outputs |= {name: masked(path) for name, path in reporting.files.items()}
    try:
        github.write_outputs(reporting.host.output_file, outputs)
    except OSError as failed:
        told = f"The step's outputs could not be written to GITHUB_OUTPUT: {failed.strerror}."
        raise RunnerError(told, hint="Everything else is done; look at the runner.") from None


def _add_summary(reporting: Reporting) -> None:
    """What people see on the page of the run; another command of the same step may have written there before."""
    path = reporting.host.summary_file
    if path is None:
        return
    from tooken_ci.base import files
    from tooken_ci.render.markdown import SUMMARY, as_summary

    try:
        room = SUMMARY - (path.stat().st_size if path.exists() else 0)
        if summary := as_summary(reporting.report, room=room):
            files.append(path, f"\n{summary}")
    except OSError as error:
        told = f"The step's summary could not be written to GITHUB_STEP_SUMMARY: {error.strerror}."
        raise RunnerError(told, hint="Everything else is done; look at the runner.") from None


def annotate(reporting: Reporting, say: Callable[[str], None]) -> None:
    """Tell GitHub's runner what belongs to which line of the spec.

    Args:
        reporting: what there is to tell.
        say: writes one line of the log.
    """
    from tooken_ci.ci import github

    if reporting.host.kind is HostKind.GITHUB:
        for line in github.annotated(notices(reporting), root=reporting.host.repository or Path.cwd()):
            say(line)


def notices(reporting: Reporting) -> list[Notice]:
    """All that is to be told on the lines of the spec."""
    from tooken_ci.plan import notices as told
    from tooken_ci.plan.timeline import due_soon

    report = reporting.report
    spec, plan = report.spec, report.plan
    soon = due_soon(spec, report.tokens, plan) if spec is not None and plan is not None and report.tokens else ()
    found = told.of_run(spec=spec, plan=plan, outcome=report.outcome, error=report.error, soon=soon)
    return [*found, *told.of_leases(report.leases or ())]

"""What each place is told when a run ends: the file of the report, the runner's outputs, its summary, annotations."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from tooken_ci.base.errors import CommentError, ExitCode, RunnerError, StoppedError
from tooken_ci.base.text import LONGEST_LINE, quoted, safe
from tooken_ci.ci.host import HostKind
from tooken_ci.plan.model import ActionKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from tooken_ci.cli.reporting import Reporting
    from tooken_ci.plan.notices import Notice

CHANGES = "changes"
"""The reason of a failure that is none but what ``--detailed-exitcode`` asks for."""

READABLE = 0o644
"""A report holds no secret, and whoever uploads it as an artifact may be somebody else."""


def write_files(reporting: Reporting) -> None:
    """Write the files. One that can't be written keeps nothing from the others, but fails the run."""
    for tell in (_write_report, _write_terraform, _write_codequality, _write_outputs, _add_summary):
        try:
            tell(reporting)
        except RunnerError as error:
            if reporting.report.error is None:
                reporting.fail(error)


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

    try:
        files.replace(Path(path), text, mode=READABLE)
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
    changes = CHANGES if reporting.exit_code is ExitCode.PENDING else ""
    outputs |= {"failure-reason": error.code if error is not None else changes, **reporting.files}
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


def comment(reporting: Reporting, say: Callable[[str], None]) -> None:
    """Bring the comment on the pull request up to date, if one is asked for; a run does not fail for want of it.

    Args:
        reporting: what there is to tell; gets a warning where the comment could not be written.
        say: writes one line of the log.
    """
    report = reporting.report
    if not reporting.output.comment or isinstance(report.error, StoppedError):  # who stops a run does not wait for it
        return
    if report.spec is None:
        say("There is no comment: without a valid spec nothing tells which workspace it would be about.")
        return
    from tooken_ci.ci.comment import Comment, publish, room
    from tooken_ci.render.markdown import as_comment

    empty = report.error is None and report.plan is not None and report.plan.empty
    body = as_comment(report, limit=room(os.environ))
    told = Comment(workspace=report.spec.workspace, specs=reporting.specs, body=body, empty=empty)
    try:
        say(safe(publish(os.environ, told)))
    except CommentError as error:
        say(safe(f"Warning: {error}", limit=LONGEST_LINE))
        reporting.uncommented = error


def annotate(reporting: Reporting, say: Callable[[str], None]) -> None:
    """Tell GitHub's runner what belongs to which line of the spec.

    Args:
        reporting: what there is to tell.
        say: writes one line of the log.
    """
    from tooken_ci.ci import github

    if reporting.host.kind is HostKind.GITHUB:
        for line in github.annotated(notices(reporting), root=Path.cwd()):
            say(line)


def notices(reporting: Reporting) -> list[Notice]:
    """All that is to be told on the lines of the spec."""
    from tooken_ci.plan import notices as told
    from tooken_ci.plan.notices import Level
    from tooken_ci.plan.timeline import due_soon

    report = reporting.report
    spec, plan = report.spec, report.plan
    soon = due_soon(spec, report.tokens, plan) if spec is not None and plan is not None and report.tokens else ()
    found = told.of_run(spec=spec, plan=plan, outcome=report.outcome, error=report.error, soon=soon)
    uncommented = told.of_error(reporting.uncommented, Level.WARNING) if reporting.uncommented else ()
    return [*found, *uncommented, *told.of_leases(report.leases or ())]

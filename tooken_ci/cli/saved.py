"""Plans that one run saves and another applies, as far as options and files are concerned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tooken_ci import __version__
from tooken_ci.base.errors import RunnerError, SavedPlanError, UsageError
from tooken_ci.base.text import quoted
from tooken_ci.cli.reporting import say
from tooken_ci.plan.result import verdict_on
from tooken_ci.tooken.address import checked_url

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tooken_ci.apply.survey import Survey
    from tooken_ci.cli.reporting import Reporting
    from tooken_ci.cli.session import Run
    from tooken_ci.plan.saved import SavedPlan
    from tooken_ci.spec.model import Spec

DECIDING = ("allow_empty", "only", "revoke_used")
"""The options that decide what is planned, by the names of their parameters: a saved plan keeps and brings them."""


def keep_plan(out: str, reporting: Reporting, run: Run, survey: Survey, options: Mapping[str, Any]) -> None:
    """Save a plan, show it, and tell where it is. What is wrong with the plan itself stands before a file that fails.

    Raises:
        RunnerError: it cannot be written, and nothing else is wrong.
    """
    try:
        _save_plan(out, run, survey, options)
    except RunnerError as error:
        if verdict_on(survey.plan) is None:
            raise
        reporting.word(error)
        reporting.update(warnings=(*reporting.report.warnings, str(error)))
        return
    reporting.files["plan-file"] = out
    reporting.show_plan()
    how = "does what of it is not blocked" if survey.plan.blocked_by else "applies it"
    say(f"The plan was saved to {quoted(out)}; 'tooken-ci apply FILE' {how}, if nothing differs then.")


def _save_plan(out: str, run: Run, survey: Survey, options: Mapping[str, Any]) -> None:
    """Save a plan, blocked or not: apply does of it what it would do of the same plan unsaved.

    Raises:
        RunnerError: it cannot be written.
    """
    from tooken_ci.apply.planfile import write
    from tooken_ci.plan.saved import SavedPlan, blocks_of, seen, steps_of

    spec, plan = run.context.spec, survey.plan
    saved = SavedPlan(
        tool_version=__version__,
        workspace=spec.workspace,
        api_url=checked_url(options["api_url"]),
        spec=spec.digest,
        planned_at=plan.now,
        options={name: options[name] for name in DECIDING},
        blocked_by=blocks_of(plan),
        steps=steps_of(plan),
        seen=seen(spec, survey.tokens, survey.looks),
    )
    write(out, saved)


def saved_plan(file: str, options: Mapping[str, Any]) -> tuple[SavedPlan, dict[str, Any]]:
    """The plan in a file, and the options with those that the plan was made with.

    Raises:
        SavedPlanError: there is none, or it is not as it was written.
        UsageError: an option was given that the plan decides.
    """
    from tooken_ci.apply.planfile import AGAIN, read

    saved = read(file)
    if saved.options.keys() != set(DECIDING):
        raise SavedPlanError(f"The saved plan {quoted(file)} has other options than a plan has.", hint=AGAIN)
    made_with = {name: _as_given(saved.options[name]) for name in DECIDING}
    for name in DECIDING:
        if options[name] and options[name] != made_with[name]:
            option = f"--{name.replace('_', '-')}"
            raise UsageError(
                f"The saved plan was not made with this {option}, and is applied as it was made.",
                hint="Leave the option out, or plan again with it.",
            )
    return saved, {**options, **made_with}


def _as_given(value: object) -> object:
    """An option's value out of JSON as the command line gives it."""
    return tuple(value) if isinstance(value, list) else value


def keep_to(saved: SavedPlan, spec: Spec, *, api_url: str) -> None:
    """Refuse a saved plan of another spec, workspace, API or version of this program; nobody is asked for that.

    Raises:
        SavedPlanError: it is.
        UsageError: the API's address is none.
    """
    from tooken_ci.apply.planfile import AGAIN
    from tooken_ci.plan.since import before

    told = tuple(before(saved, spec, tool_version=__version__, api_url=checked_url(api_url)))
    if told:
        raise SavedPlanError("The saved plan is not for this run:", differences=told, hint=AGAIN)

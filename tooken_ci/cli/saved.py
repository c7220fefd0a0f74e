"""Plans that one run saves and another applies, as far as options and files are concerned."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tooken_ci import __version__
from tooken_ci.base.errors import SavedPlanError, UsageError
from tooken_ci.base.text import quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tooken_ci.apply.survey import Survey
    from tooken_ci.ci.host import Host
    from tooken_ci.cli.session import Run
    from tooken_ci.plan.saved import SavedPlan
    from tooken_ci.spec.model import Spec

DECIDING = ("allow_empty", "only", "revoke_used")
"""The options that decide what is planned, by the names of their parameters: a saved plan keeps and brings them."""


def own_files(options: Mapping[str, Any]) -> list[str]:
    """The files and folders that the options name, which the run reads."""
    return [*options["specs"], *filter(None, (options["api_key_file"], options["ca_bundle"]))]


def refuse_out(out: str, host: Host, own: Iterable[str]) -> None:
    """Refuse to save a plan over what the run reads, or where it would be lost.

    Args:
        out: where the plan is to be saved.
        host: where the command runs.
        own: what the run reads.

    Raises:
        UsageError: the place is none for a plan.
    """
    hint = "Name another file with --out."
    if not out or "\0" in out:
        raise UsageError(f"{quoted(out)} is not the path of a file.", hint=hint)
    path = Path(os.path.realpath(out))
    for taken in own:
        real = Path(os.path.realpath(taken))
        if path == real or (path.parent == real and path.suffix in {".yml", ".yaml"}):
            raise UsageError(f"The plan cannot be saved to {quoted(out)}: this run reads it.", hint=hint)
    if host.workspace is not None and not path.is_relative_to(os.path.realpath(host.workspace)):
        told = f"{quoted(out)} lies outside the workspace, so the plan would be gone with the action's container."
        raise UsageError(told, hint=hint)


def save_plan(out: str, run: Run, survey: Survey, options: Mapping[str, Any]) -> None:
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
        api_url=_address(options["api_url"]),
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
    """
    from tooken_ci.apply.planfile import AGAIN
    from tooken_ci.plan.since import before

    told = tuple(before(saved, spec, tool_version=__version__, api_url=_address(api_url)))
    if told:
        raise SavedPlanError("The saved plan is not for this run:", differences=told, hint=AGAIN)


def _address(api_url: str) -> str:
    return api_url.rstrip("/")

"""What stands between the options and the work: the spec loaded, the workspace surveyed, the person asked."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tooken_ci.base.errors import DeclinedError, PolicyError
from tooken_ci.cli.reporting import say, say_mark
from tooken_ci.cli.signals import asking

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tooken_ci.apply.context import Context
    from tooken_ci.apply.survey import Survey
    from tooken_ci.ci.host import Host
    from tooken_ci.cli.progress import Display
    from tooken_ci.cli.reporting import Reporting
    from tooken_ci.destinations.registry import Registry
    from tooken_ci.plan.focus import Focus
    from tooken_ci.plan.result import Outcome
    from tooken_ci.plan.saved import SavedPlan
    from tooken_ci.plan.terms import Terms
    from tooken_ci.spec.model import Spec
    from tooken_ci.tooken.window import Reserve


@dataclasses.dataclass(frozen=True, kw_only=True)
class Run:
    """One run against the workspace.

    Attributes:
        context: what its steps need.
        display: shows how far it has come.
    """

    context: Context
    display: Display

    @contextlib.contextmanager
    def at_work(self) -> Iterator[None]:
        """Inside, progress is shown."""
        try:
            yield
        finally:
            self.display.rest()


def registry_for(host: Host, *read: str) -> Registry:
    """The kinds of destination, as they work where the command runs; nothing is delivered over what it reads."""
    from tooken_ci.destinations.interface import Surroundings
    from tooken_ci.destinations.registry import Registry

    return Registry(
        Surroundings(
            in_ci=host.in_ci,
            confined_to=host.workspace,
            env_file=host.env_file if host.masks else None,
            output_file=host.output_file if host.masks else None,
            read=frozenset(map(Path, read)),
            environment=os.environ,
        )
    )


def load_spec(specs: Sequence[str], registry: Registry, reporting: Reporting) -> Spec:
    """The spec, and its warnings among what is reported.

    From here on the credentials of its destinations are known, and so are given to no program that it names.

    Raises:
        UsageError: a path leads nowhere.
        SpecError: the spec is not valid.
    """
    from tooken_ci.spec.load import load
    from tooken_ci.tooken.key import mask_variables

    reporting.specs = tuple(specs)
    spec = load(specs, kinds=registry.kinds, others=registry.others)
    targets = [target for entry in (*spec.entries, *spec.leases) for target in entry.deliver]
    mask_variables(os.environ, frozenset[str]().union(*(target.credentials for target in targets)))
    reporting.update(spec=spec, workspace=spec.workspace, warnings=tuple(map(str, spec.warnings)))
    return spec


def keep_policy(spec: Spec) -> None:
    """Refuse a spec that breaks its own policy.

    Raises:
        PolicyError: it does.
    """
    from tooken_ci.spec.policy import breaches

    found = breaches(spec)
    if found:
        raise PolicyError([breach.fault for breach in found])


def survey_of(
    reporting: Reporting,
    *,
    specs: tuple[str, ...],
    api_key_file: str | None,
    busy_grace: float,
    allow_empty: bool = False,
    revoke_used: bool = False,
    only: Sequence[str] = (),
    aim: Callable[[Spec], tuple[Spec, Focus]] | None = None,
    plan_file: str | None = None,
    saved: SavedPlan | None = None,
    **limits: Any,
) -> tuple[Run, Survey]:
    """Load the spec, read the workspace and the destinations, and plan; hold a saved plan against that.

    Args:
        reporting: hears what there is to tell.
        specs: the paths of the spec.
        api_key_file: of the key; None = the key is in the environment.
        allow_empty: a spec that declares nothing may prune.
        busy_grace: seconds that another run's traces count for.
        revoke_used: older generations go although they are still used.
        only: the entries that the run sees to; all of the spec where none is given.
        aim: gives the spec as it stands for this run, and what of it the run sees to, instead of ``only``.
        plan_file: where the plan is to be saved, or was.
        saved: the plan that is to be found again.
        limits: how fast the run goes and how long it may take.
    """
    from tooken_ci.apply.survey import survey
    from tooken_ci.plan.focus import only as narrowed
    from tooken_ci.plan.terms import Terms

    registry = registry_for(
        reporting.host, *specs, *reporting.paths, *filter(None, (api_key_file, plan_file, limits["ca_bundle"]))
    )
    spec = load_spec(specs, registry, reporting)
    if saved is not None:
        from tooken_ci.cli.saved import keep_to

        keep_to(saved, spec, api_url=limits["api_url"])
    spec, focus = (spec, narrowed(spec, only)) if aim is None else aim(spec)
    terms = Terms(busy_grace=dt.timedelta(seconds=busy_grace), revoke_used=revoke_used)
    if terms.hasty:
        warning = (
            f"--busy-grace is {busy_grace:.0f} s: a run that is still at work may be taken for one that died, since it "
            "may take 120 s from its first mark on an entry to its last write."
        )
        reporting.update(warnings=(*reporting.report.warnings, warning))
    run = begin(spec, registry, reporting, api_key_file=api_key_file, terms=terms, **limits)
    try:
        with run.at_work():
            found = survey(run.context, allow_empty=allow_empty, focus=focus, saved=saved)
    finally:
        reporting.update(spent=run.context.client.sent)
    reporting.update(plan=found.plan, price=found.price, tokens=found.tokens)
    return run, found


def begin(
    spec: Spec,
    registry: Registry,
    reporting: Reporting,
    *,
    api_url: str,
    api_key_file: str | None,
    ca_bundle: str | None,
    workers: int,
    reserve: Reserve,
    deadline: float,
    terms: Terms | None = None,
) -> Run:
    """A run against the workspace: its clock starts now.

    Raises:
        UsageError: there is no key, it or the certificates can't be used, or a destination of the spec needs a
            package that is not installed.
    """
    from tooken_ci.apply.context import Context, new_run
    from tooken_ci.base.times import RunClock
    from tooken_ci.cli.masking import mask_for
    from tooken_ci.cli.privacy import keep_memory_private
    from tooken_ci.cli.progress import display
    from tooken_ci.plan.terms import USUAL
    from tooken_ci.render.text import result_line
    from tooken_ci.tooken.client import Client
    from tooken_ci.tooken.key import read_key
    from tooken_ci.tooken.quota import Pace

    keep_memory_private()
    registry.demand(target for entry in spec.entries for target in entry.deliver)
    clock = RunClock(stop=reporting.heed_signals(), deadline=deadline)
    shown = display(in_ci=reporting.host.in_ci)
    client = Client(
        base_url=api_url,
        key=read_key(reporting.environ, api_key_file),
        clock=clock,
        pace=Pace(workers=workers, reserve=reserve),
        progress=shown,
        ca_bundle=ca_bundle,
    )
    context = Context(
        spec=spec,
        client=client,
        open=registry.open,
        look=registry.look,
        clock=clock,
        run=new_run(),
        tell=lambda result: say(result_line(result)),
        workers=workers,
        progress=shown,
        terms=terms or USUAL,
        mask=mask_for(reporting.host),
    )
    return Run(context=context, display=shown)


def carry_out(reporting: Reporting, *, yes: bool, **options: Any) -> None:
    """Plan, show it, ask the person who is there, and do it.

    Args:
        reporting: hears what there is to tell.
        yes: nobody is asked.
        options: those of ``survey_of``.

    Raises:
        TookenCIError: not all could be done.
    """
    from tooken_ci.apply.run import execute
    from tooken_ci.ci.groups import group

    run, survey = survey_of(reporting, **options)
    reporting.show_plan()
    if survey.plan.actions and not yes and options.get("saved") is None:  # a saved plan has been judged already
        confirm(reporting)
    reporting.changing = True
    folded = group(reporting.host, "apply", "Applying", say_mark) if survey.plan.actions else contextlib.nullcontext()
    with run.at_work(), folded:
        outcome = execute(run.context, survey)
    conclude(reporting, outcome)


def conclude(reporting: Reporting, outcome: Outcome) -> None:
    """Tell what became of a plan, and fail where not all of it could be done.

    Raises:
        TookenCIError: it could not.
    """
    reporting.update(outcome=outcome)
    verdict = outcome.verdict()
    if verdict is not None:
        raise verdict


def at_terminal() -> bool:
    """Whether there is a person to ask."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()


def confirm(reporting: Reporting, question: str = "Apply this plan?") -> None:
    """Ask the person at the terminal, who has seen the plan; where there is none, nobody is asked."""
    if not at_terminal():
        return
    reporting.show_plan(to_person=True)
    try:
        with asking():
            agreed = click.confirm(question, default=False, err=True)
    except click.Abort:  # Ctrl-C, or the end of the input: an answer too
        say("")
        agreed = False
    if not agreed:
        raise DeclinedError("Nothing was changed, as you wished.")

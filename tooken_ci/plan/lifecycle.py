"""The whole plan: ``make_plan(spec, tokens, looks, facts, now)``. Pure: no I/O, no clock of its own, no randomness."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from typing import TYPE_CHECKING

from tooken_ci.base import naming
from tooken_ci.plan import bounds, ownership, removal
from tooken_ci.plan.entry import plan_entry
from tooken_ci.plan.focus import EVERYTHING
from tooken_ci.plan.model import Block, EntryPlan, Plan, Problem, ProblemCode
from tooken_ci.plan.rest import at_rest
from tooken_ci.plan.terms import USUAL
from tooken_ci.plan.view import EntryView, family, grouped, with_rotation
from tooken_ci.spec import policy

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from tooken_ci.base.record import Look
    from tooken_ci.plan.focus import Focus
    from tooken_ci.plan.terms import Terms
    from tooken_ci.spec.model import Spec
    from tooken_ci.tooken.model import Token


def make_plan(
    spec: Spec,
    *,
    tokens: Sequence[Token],
    looks: Mapping[str, Look],
    facts: Mapping[str, Token | None],
    now: dt.datetime,
    rotations: Mapping[str, dt.datetime] | None = None,
    run: str = "",
    allow_empty: bool = False,
    focus: Focus = EVERYTHING,
    planned_at: dt.datetime | None = None,
    terms: Terms = USUAL,
) -> Plan:
    """The list of changes that bring the workspace to what the spec says.

    Args:
        spec: what the team wants.
        tokens: every active token of the workspace.
        looks: what a look at each destination found, by place.
        facts: for each id that a record names and that is not active: the token, or None where it is unknown.
        now: the server's time.
        rotations: when the audit log says that a token's secret was last made anew, by id; None = it was not read.
        run: the id of the run that asks.
        allow_empty: a spec that declares nothing may prune.
        focus: what of the spec the run sees to.
        planned_at: the time that rules 1 to 3 and the policy judge by, that of a saved plan; None = ``now``.
        terms: on which the rules are applied.
    """
    generations = grouped(tokens)
    declared = {name for entry in (*spec.entries, *spec.leases) for name in entry.names}
    covered = declared | {named.text for named in spec.absent}
    others = [token for token in tokens if naming.split(token.name)[0] not in covered]
    names = {token.id: token.name for token in tokens}
    due_at = planned_at or now
    breaches = _breaches(spec, due_at)
    restless = (
        entry
        for entry in sorted(spec.entries, key=lambda entry: (entry.name == spec.own, entry.name))
        if focus.sees(entry.name)
        and (
            entry.name in breaches
            or focus.forced
            or not at_rest(entry, generations.lone(entry), workspace=spec.workspace, looks=looks, now=due_at)
        )
    )
    views = (
        with_rotation(
            EntryView(
                entry=entry,
                workspace=spec.workspace,
                generations=family(entry, generations),
                looks=tuple(looks[target.place] for target in entry.deliver),
                facts=facts,
                now=now,
                run=run,
                terms=terms,
                planned_at=planned_at,
                forced=focus.forces(entry.name),
            ),
            rotations,
        )
        for entry in restless
    )
    every = ((_planned(view, names, breaches.get(view.entry.name, ())), view) for view in views)
    told = [(plan, view) for plan, view in every if plan.actions or plan.waiting or plan.problems or plan.warnings]
    if focus.due:
        told = [(focus.part(_in_time(plan, view, names)), view) for plan, view in told]
    pruned = removal.prune(spec, others)
    managed = len(tokens) - len(others) + len(pruned)
    removals = [*removal.absent(spec, generations), *pruned] if focus.whole else []
    actions = [action for plan, _ in told for action in plan.actions]
    blocks = [
        *_policy_block(breaches),
        *bounds.check(spec, actions=actions, removals=removals, managed=managed, allow_empty=allow_empty),
    ]
    plans = [_in_time(plan, view, names) if blocks else plan for plan, view in told]
    seen = sum(1 for entry in spec.entries if focus.sees(entry.name))
    return Plan(
        workspace=spec.workspace,
        now=now,
        entries=tuple(plans),
        removals=tuple(removals),
        blocks=tuple(blocks),
        unchanged=seen - sum(1 for plan in plans if plan.actions or plan.problems),
        managed=managed,
        unmanaged=len(tokens) - managed,
        last=spec.own,
    )


def _planned(view: EntryView, names: Mapping[str, str], breaches: Sequence[Problem]) -> EntryPlan:
    """An entry's plan; where a record or the policy stops the entry, only what stops it is told."""
    view, foreign = ownership.settle(view, names)
    if foreign or breaches:
        return EntryPlan(entry=view.entry.name, problems=(*foreign, *breaches))
    return _with_names(plan_entry(view), view)


def _in_time(plan: EntryPlan, view: EntryView, names: Mapping[str, str]) -> EntryPlan:
    """What is left of an entry's plan under a bound: nothing may expire because of it, and nothing else may change."""
    if not any(action.mints for action in plan.actions):
        return plan
    settled, _ = ownership.settle(view, names)
    return _with_names(plan_entry(settled, bounded=True), view)


def _with_names(plan: EntryPlan, view: EntryView) -> EntryPlan:
    return dataclasses.replace(plan, previously=view.entry.names[1:]) if view.entry.previously else plan


def _breaches(spec: Spec, now: dt.datetime) -> dict[str, list[Problem]]:
    found: defaultdict[str, list[Problem]] = defaultdict(list)
    for breach in policy.breaches(spec, now=now):
        message = f"{breach.fault.position}: {breach.fault.message}"
        found[breach.entry].append(
            Problem(
                code=ProblemCode.POLICY,
                entry=breach.entry,
                message=message,
                hint=breach.fault.hint,
                position=breach.fault.position,
            )
        )
    return dict(found)


def _policy_block(breaches: Mapping[str, Sequence[Problem]]) -> tuple[Block, ...]:
    if not breaches:
        return ()
    total = sum(map(len, breaches.values()))
    return (
        Block(
            code=str(ProblemCode.POLICY),
            message=f"The spec breaks its own policy in {total} {'place' if total == 1 else 'places'}.",
            hint="Mend the entries named, or change the policy.",
            found=total,
            allowed=0,
        ),
    )

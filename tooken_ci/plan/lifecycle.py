"""The whole plan: ``make_plan(spec, tokens, looks, facts, now)``. Pure: no I/O, no clock of its own, no randomness."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from typing import TYPE_CHECKING

from tooken_ci.plan import bounds, ownership, removal
from tooken_ci.plan.entry import plan_entry
from tooken_ci.plan.model import Block, EntryPlan, Origin, Plan, Problem, ProblemCode
from tooken_ci.plan.terms import USUAL
from tooken_ci.plan.view import EntryView, family, grouped
from tooken_ci.spec import policy

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from tooken_ci.base.record import Look
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
    run: str = "",
    allow_empty: bool = False,
    terms: Terms = USUAL,
) -> Plan:
    """The list of changes that bring the workspace to what the spec says.

    Args:
        spec: what the team wants.
        tokens: every active token of the workspace.
        looks: what a look at each destination found, by place.
        facts: for each id that a record names and that is not active: the token, or None where it is unknown.
        now: the server's time.
        run: the id of the run that asks.
        allow_empty: a spec that declares nothing may prune.
        terms: on which the rules are applied.
    """
    generations = grouped(tokens)
    covered = {name for entry in spec.entries for name in entry.names} | {named.text for named in spec.absent}
    others = [generation.token for name, found in generations.items() if name not in covered for generation in found]
    names = {token.id: token.name for token in tokens}
    breaches = _breaches(spec, now)
    views = (
        EntryView(
            entry=entry,
            workspace=spec.workspace,
            generations=family(entry, generations),
            looks=tuple(looks[target.place] for target in entry.deliver),
            facts=facts,
            now=now,
            run=run,
            terms=terms,
        )
        for entry in sorted(spec.entries, key=lambda entry: (entry.name == spec.own, entry.name))
    )
    every = ((_planned(view, names, breaches.get(view.entry.name, ())), view) for view in views)
    told = [(plan, view) for plan, view in every if plan.actions or plan.waiting or plan.problems or plan.warnings]
    removals = [*removal.absent(spec, generations), *removal.prune(spec, others)]
    pruned = sum(action.origin is Origin.PRUNE for action in removals)
    managed = len(tokens) - len(others) + pruned
    actions = [action for plan, _ in told for action in plan.actions]
    blocks = [
        *_policy_block(breaches),
        *bounds.check(spec, actions=actions, removals=removals, managed=managed, allow_empty=allow_empty),
    ]
    plans = [_in_time(plan, view, names) if blocks else plan for plan, view in told]
    return Plan(
        workspace=spec.workspace,
        now=now,
        entries=tuple(plans),
        removals=tuple(removals),
        blocks=tuple(blocks),
        unchanged=len(spec.entries) - sum(1 for plan in plans if plan.actions or plan.problems),
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
            Problem(code=ProblemCode.POLICY, entry=breach.entry, message=message, hint=breach.fault.hint)
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
        ),
    )

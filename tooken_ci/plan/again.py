"""An entry that was busy, planned again once what made it so has aged, beside what the plan said of it at first."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from tooken_ci.plan import bounds, ownership
from tooken_ci.plan.entry import plan_entry
from tooken_ci.plan.model import Action, ActionKind, Cause, EntryPlan, Problem, ProblemCode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tooken_ci.plan.model import Plan
    from tooken_ci.plan.view import EntryView
    from tooken_ci.spec.model import Spec


@dataclasses.dataclass(frozen=True, kw_only=True)
class Again:
    """What is to be done for the entry now.

    Attributes:
        actions: what apply may do, in the order in which it is done.
        stands_for: for each of them the action of the first plan whose place it takes; what stands there no more was
            done by somebody else, or is not asked for any longer.
        busy: it still is; then nothing is done.
        problem: what keeps it from being served and was not there at first; then nothing is done either.
    """

    actions: tuple[Action, ...] = ()
    stands_for: Mapping[Action, Action] = dataclasses.field(default_factory=dict)
    busy: Problem | None = None
    problem: Problem | None = None


def plan_again(plan: Plan, spec: Spec, view: EntryView, names: Mapping[str, str], *, due: bool = False) -> Again:
    """Plan one entry anew; what bound the first plan binds this one, and of a saved plan nothing else is done.

    Args:
        plan: the first one.
        spec: what the team wants.
        view: the entry as it stands now.
        names: the names of the workspace's tokens, by id.
        due: the run sees only to what is due or unfinished.
    """
    view, foreign = ownership.settle(view, names)
    if foreign:
        return Again(problem=foreign[0])
    found = plan_entry(view)
    blocked = due or bool(plan.blocks) or _over(plan, spec, found)
    if blocked:
        found = plan_entry(view, bounded=True)
    first = next((entry for entry in plan.entries if entry.entry == view.entry.name), EntryPlan(entry=view.entry.name))
    known = {problem.code for problem in first.problems} | {ProblemCode.BUSY}
    busy = next((problem for problem in found.problems if problem.code is ProblemCode.BUSY), None)
    new = next((problem for problem in found.problems if problem.code not in known), None)
    if busy is not None or new is not None:
        return Again(busy=busy, problem=new)
    actions = tuple(one for one in found.actions if not blocked or one.cause in {Cause.TIME, Cause.REPAIR})
    stands_for = _pairs(first.actions, actions)
    if view.planned_at is not None:
        actions = tuple(one for one in actions if one in stands_for and stands_for[one].kind is one.kind)
    return Again(actions=actions, stands_for=stands_for)


def _over(plan: Plan, spec: Spec, found: EntryPlan) -> bool:
    """Whether the plan would go over a bound if this were its part about the entry."""
    others = [action for entry in plan.entries if entry.entry != found.entry for action in entry.actions]
    actions = [*others, *found.actions]
    return bool(bounds.check(spec, actions=actions, removals=plan.removals, managed=plan.managed, allow_empty=True))


def _pairs(before: tuple[Action, ...], now: tuple[Action, ...]) -> dict[Action, Action]:
    """Which action takes the place of which: the delivery that of the delivery, a revocation that of the same token."""
    keys = {_key(action): action for action in before}
    return {action: keys[_key(action)] for action in now if _key(action) in keys}


def _key(action: Action) -> str | None:
    return action.id if action.kind is ActionKind.REVOKE else None

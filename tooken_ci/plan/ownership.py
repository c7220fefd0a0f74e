"""Whose delivery record stands at a destination. A record of somebody else's is never overwritten on a guess."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from tooken_ci.base import naming
from tooken_ci.base.record import DeliveryRecord, Look, State
from tooken_ci.base.text import quoted
from tooken_ci.plan.model import Problem, ProblemCode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tooken_ci.base.record import Held
    from tooken_ci.plan.view import EntryView
    from tooken_ci.spec.model import Target
    from tooken_ci.tooken.model import Token

_WRONG_KEY = "Probably the key is another workspace's; if not, remove the delivery record there."


def settle(view: EntryView, names: Mapping[str, str]) -> tuple[EntryView, tuple[Problem, ...]]:
    """Judge every record of an entry.

    Args:
        view: the entry.
        names: the names of the workspace's active tokens, by id.

    Returns:
        The view in which a destination that may be taken over counts as empty-handed, and what blocks the entry.
    """
    looks: list[Look] = []
    problems: list[Problem] = []
    for target, look in view.places:
        problem, strange = _judge(view, target, look, names)
        if problem is not None:
            problems.append(problem)
        looks.append(_disowned(look, view) if strange else look)
    settled = tuple(looks)
    return view if settled == view.looks else dataclasses.replace(view, looks=settled), tuple(problems)


def _judge(view: EntryView, target: Target, look: Look, names: Mapping[str, str]) -> tuple[Problem | None, bool]:
    """What blocks the entry about one record, and whether the record is another entry's that may be taken over."""
    record = look.record
    if record is not None and record.workspace != view.workspace:
        found, ours = quoted(record.workspace), quoted(view.workspace)
        message = f"{quoted(target.place)} holds a delivery record of the workspace {found}; this spec is for {ours}."
        return _problem(view, message, _WRONG_KEY), False
    if record is None or record.held is None:
        return None, False
    return _judge_held(view, target, record.held, names)


def _judge_held(view: EntryView, target: Target, held: Held, names: Mapping[str, str]) -> tuple[Problem | None, bool]:
    fact: Token | None = view.facts.get(held.id)
    name = names.get(held.id) or (fact.name if fact is not None else None)
    if name is None:
        token = f"{quoted(held.id)}, {quoted(held.name)}"
        message = f"{quoted(target.place)} holds the record of a token ({token}) that this workspace does not know."
        return _problem(view, message, _WRONG_KEY), False
    if naming.split(name)[0] in view.entry.names:
        return None, False
    if target.takeover:
        return None, True
    message = f"{quoted(target.place)} holds the record of {quoted(name)}, which is no generation of this entry."
    hint = (
        "Choose another place, or say 'takeover: true' at this destination to replace what stands there; "
        "an entry that was renamed tells its old name under 'previously'."
    )
    return _problem(view, message, hint), False


def _problem(view: EntryView, message: str, hint: str) -> Problem:
    return Problem(code=ProblemCode.RECORD, entry=view.entry.name, message=message, hint=hint)


def _disowned(look: Look, view: EntryView) -> Look:
    """What is left of a look once the record is to be taken over: nothing is held, but a run at work there counts."""
    # judged by the time of the plan, since marks decide the cause, which is to be the same when a saved one is applied
    young = tuple(mark for mark in look.marks if mark.young(view.due_at, view.terms.busy_grace))
    return Look(
        state=State.ABSENT,
        record=DeliveryRecord(workspace=view.workspace, marks=young),
        reason="it held another entry's secret, to be taken over",
        value_newer=True,
    )

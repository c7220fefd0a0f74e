"""Stores that keep no record of ours: what they hold is told by when they were written, and by that alone.

Two clocks are compared, the store's and Tooken's; that is what the tolerances are for. They hold because no next
generation is made within ``APART`` of the newest one, and because each is written within two minutes of its making.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from tooken_ci.base import times
from tooken_ci.base.record import DeliveryRecord, Held, Look, State
from tooken_ci.base.text import quoted
from tooken_ci.plan.model import Problem, ProblemCode

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tooken_ci.plan.model import Action, Generation
    from tooken_ci.plan.view import EntryView
    from tooken_ci.tooken.model import Token

EARLY = dt.timedelta(seconds=30)
"""So much earlier than a token's making its secret may seem to have been written."""

_LATE = dt.timedelta(seconds=150)
"""So long after a token's making its secret may still have been written, by the store's clock."""

APART = EARLY + _LATE + dt.timedelta(seconds=2)
"""How long after its newest generation such an entry makes no other, whatever the user says of busy entries.

Written as early as may be, the next one still comes after the last moment of the one before; both times may be rounded
to a second.
"""


def judged(look: Look, generations: Sequence[Generation], workspace: str) -> Look:
    """A look at a store without a record, as if its record told what the time of its last write tells.

    Args:
        look: as the store gave it, or judged before; any other look is given back as it is.
        generations: the entry's, oldest first.
        workspace: the label of the workspace.
    """
    if look.written_at is None:
        return look
    reason = _why_not(look.written_at, generations)
    if reason:
        return Look(state=State.ABSENT, reason=reason, value_newer=True, written_at=look.written_at)
    token = generations[-1].token
    held = Held(id=token.id, name=token.name, at=token.created_at, fingerprint="")
    record = DeliveryRecord(workspace=workspace, held=held)
    return Look(state=State.HOLDS, record=record, written_at=look.written_at)


def all_judged(looks: Iterable[Look], generations: Sequence[Generation], workspace: str) -> tuple[Look, ...]:
    """Each of some looks at the destinations of one entry."""
    return tuple(judged(look, generations, workspace) for look in looks)


def may_stand(look: Look, token: Token) -> bool:
    """Whether a token's secret may be what stands at a store of which it is not known whose that is."""
    return look.written_at is None or token.created_at - EARLY <= look.written_at


def too_soon(view: EntryView, action: Action | None) -> Problem | None:
    """Why the next generation is not made yet: what would be written could not be told from the one before."""
    bare = next((target.place for target in view.entry.deliver if not target.keeps_record), None)
    if action is None or not action.mints or bare is None or not view.generations:
        return None
    newest = max((generation.token for generation in view.generations), key=lambda token: token.created_at)
    until = newest.created_at + APART
    if view.now >= until:
        return None
    return Problem(
        code=ProblemCode.BUSY,
        entry=view.entry.name,
        message=f"{quoted(newest.name)} was made at {times.show(newest.created_at)}, and {quoted(bare)} keeps no "
        "record: two generations made within about 3 min could not be told apart there.",
        hint=f"Apply waits until {times.show(until)} and then looks again.",
        until=until,
    )


def _why_not(written: dt.datetime, generations: Sequence[Generation]) -> str:
    """Why what stands there is not surely the current generation's secret; empty where it is."""
    when = f"what stands there was written at {times.show(written)}"
    if not generations:
        return f"{when}, and no record tells by whom"
    current = generations[-1].token
    if written < current.created_at - EARLY:
        return f"{when}, before {quoted(current.name)} was made"
    for generation in generations[:-1]:
        if written <= generation.token.created_at + _LATE:
            return f"{when}, so soon after {quoted(generation.token.name)} was made that it may be that one's"
    return ""

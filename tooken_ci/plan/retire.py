"""Rule 4: when an older generation of an entry may be revoked, and what holds it until then."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import TYPE_CHECKING

from tooken_ci.base import times
from tooken_ci.base.record import Look, State
from tooken_ci.base.text import quoted
from tooken_ci.plan.model import Action, ActionKind, Cause, Waiting
from tooken_ci.plan.unrecorded import may_stand

if TYPE_CHECKING:
    from tooken_ci.plan.model import Generation
    from tooken_ci.plan.view import EntryView

_LONGEST_USE_WINDOW = dt.timedelta(hours=24)
_NO_TIME = dt.timedelta(0)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Retiring:
    """What becomes of the older generations."""

    actions: tuple[Action, ...] = ()
    waiting: tuple[Waiting, ...] = ()
    warnings: tuple[str, ...] = ()


_NOTHING = Retiring()


def retire(view: EntryView, upcoming: Action | None) -> Retiring:
    """What becomes of an entry's older generations once the upcoming action, if there is one, has succeeded.

    Args:
        view: the entry as it stands.
        upcoming: the create, replace or redeliver that this run is about to do.
    """
    minting = upcoming is not None and upcoming.mints
    older = view.generations if minting else view.generations[:-1]
    if not older:
        return _NOTHING
    succeeded = view.now if minting or view.current is None else view.current.token.created_at
    actions: list[Action] = []
    waiting: list[Waiting] = []
    warnings: list[str] = []
    for generation in reversed(older):
        due = succeeded + view.entry.overlap
        holder = _undelivered(view, generation, upcoming)
        if not holder and view.now < due and view.entry.overlap > _NO_TIME:
            holder = "its overlap has not passed"
        if not holder and (until := _in_use_until(view, generation)) is not None:
            warnings.append(_still_used(view, generation))
            if not view.terms.revoke_used:
                holder = f"it was used at {_last_use(generation)}"
                due = max(due, until)
        if holder:
            waiting.append(_waiting(view, generation, due, holder))
            succeeded = generation.token.created_at  # the next newer one is that of those that stay
        else:
            # one that only the coming delivery lets go shares its cause: where a bound forbids that, it stays too
            owed = generation == view.current or _undelivered(view, generation, None)
            actions.append(_revocation(view, generation, upcoming if owed else None))
    return Retiring(actions=tuple(actions[::-1]), waiting=tuple(waiting[::-1]), warnings=tuple(warnings[::-1]))


def _undelivered(view: EntryView, generation: Generation, upcoming: Action | None) -> str:
    """Why the successor's delivery does not allow the revocation yet; empty where it does."""
    unknown = next((target.place for target, look in view.places if look.state is State.UNKNOWN), None)
    if unknown is not None:
        return f"{quoted(unknown)} could not be asked what it holds"
    if upcoming is not None or view.delivered or not any(_may_hold(look, generation) for look in view.looks):
        return ""
    return "the current generation is not delivered everywhere"


def _may_hold(look: Look, generation: Generation) -> bool:
    """Whether a destination may hold a generation: its record names it, a mark does, or the value is newer than it."""
    if look.empty:
        return False
    if look.written_at is not None and look.held is None:
        return may_stand(look, generation.token)
    named = look.recorded is None or look.recorded.id == generation.token.id
    return named or look.value_newer or any(mark.name == generation.token.name for mark in look.marks)


def _in_use_until(view: EntryView, generation: Generation) -> dt.datetime | None:
    """Until when a generation counts as still used; None where it does not."""
    window = min(view.entry.overlap, _LONGEST_USE_WINDOW)
    last = generation.token.last_used_at
    return last + window if last is not None and last + window > view.now and window > _NO_TIME else None


def _last_use(generation: Generation) -> str:
    return times.show(generation.token.last_used_at) if generation.token.last_used_at is not None else "no time"


def _still_used(view: EntryView, generation: Generation) -> str:
    token, used = quoted(generation.token.name), _last_use(generation)
    if view.terms.revoke_used:
        return (
            f"{token} is revoked although it was last used at {used}, because --revoke-used says so; "
            "a consumer that still has the old secret fails from then on."
        )
    return (
        f"{token} is kept: it was last used at {used}, although {quoted(view.entry.name)} has a newer generation; "
        "a consumer still has the old secret."
    )


def _waiting(view: EntryView, generation: Generation, due: dt.datetime, holder: str) -> Waiting:
    return Waiting(
        entry=view.entry.name,
        token=generation.token.name,
        id=generation.token.id,
        revoke_after=due,
        held_by=holder,
        last_used_at=generation.token.last_used_at,
    )


def _revocation(view: EntryView, generation: Generation, successor: Action | None) -> Action:
    replaced = "a newer generation is delivered" if successor is None else f"{quoted(successor.token)} replaces it"
    used = _in_use_until(view, generation) is not None
    despite = f"; it was used at {_last_use(generation)}, which --revoke-used overrides" if used else ""
    return Action(
        kind=ActionKind.REVOKE,
        entry=view.entry.name,
        token=generation.token.name,
        number=generation.number,
        id=generation.token.id,
        cause=Cause.TIME if successor is None else successor.cause,
        reasons=(f"{replaced} and its overlap has passed{despite}",),
        scopes=tuple(sorted(generation.token.scopes)),
        expires_at=generation.token.expires_at,
        last_used_at=generation.token.last_used_at,
    )

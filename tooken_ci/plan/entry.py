"""The lifecycle of one entry: rules 1 to 4 of the design."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import TYPE_CHECKING

from tooken_ci.base import naming, times
from tooken_ci.base.record import MarkKind, State
from tooken_ci.base.text import quoted
from tooken_ci.plan import due, retire
from tooken_ci.plan.busy import busy
from tooken_ci.plan.cap import MAX_LIVING, full
from tooken_ci.plan.difference import Reason, differences, strongest
from tooken_ci.plan.model import Action, ActionKind, Cause, EntryPlan, Problem, ProblemCode
from tooken_ci.plan.unrecorded import may_stand, too_soon
from tooken_ci.tooken.model import Status

if TYPE_CHECKING:
    from tooken_ci.base.record import Look
    from tooken_ci.plan.model import Generation
    from tooken_ci.plan.view import EntryView

_SOON = dt.timedelta(days=7)
"""When the coming end of an absolute expiry is worth a warning; the vendor's own first notice comes then, too."""


def plan_entry(view: EntryView, *, bounded: bool = False) -> EntryPlan:
    """What is to be done for one entry whose records were found to be its own.

    Pure: it depends on nothing but what it is given.

    Args:
        view: the entry as it stands.
        bounded: the plan as a whole is blocked, so a token that is due is replaced by one with the scopes that it has,
            and what the spec changes about it waits.
    """
    if (over := _past_its_expiry(view)) is not None:
        return EntryPlan(entry=view.entry.name, problems=(over,))
    if view.entry.watched:
        return _watched(view)
    protection = _protection(view)
    waits = _what_waits(view) if bounded and protection is None else ()
    if (protection is not None or waits) and view.current is not None:
        # what it is refused is a change of scopes: everything else goes on with the scopes that it has
        kept = dataclasses.replace(view.entry, scopes=view.current.token.scopes)
        view = dataclasses.replace(view, entry=kept)
    action = _next_generation(view, bounded=bounded)
    problems = [*([] if protection is None else [protection]), *_not_asked(view)]
    if action is not None and action.kind is ActionKind.ROTATE and (ageless := _ageless(view)) is not None:
        problems.append(ageless)
        action = None
    capped = action is not None and action.mints and len(view.generations) >= MAX_LIVING
    if capped:
        action = None
    retiring = retire.retire(view, action)
    if capped:
        problems.append(full(view, retiring.actions))
    actions = (*(() if action is None else (action,)), *retiring.actions)
    if actions and (wait := busy(view) or too_soon(view, action)) is not None:
        problems.append(wait)
    return EntryPlan(
        entry=view.entry.name,
        actions=actions,
        waiting=retiring.waiting,
        problems=tuple(problems),
        warnings=(*_soon_over(view), *_overwritten(view, action), *waits, *retiring.warnings),
    )


def due_revocations(view: EntryView) -> tuple[Action, ...]:
    """Rule 4 alone, for a second look right before anything is revoked; empty where another run may be at work."""
    return () if busy(view) is not None else retire.retire(view, None).actions


def _next_generation(view: EntryView, *, bounded: bool) -> Action | None:
    """The create, replace, rotate or redeliver that rules 1 to 3 ask for; None where they ask for nothing."""
    current = view.current
    if current is None:
        return _mint(view, ActionKind.CREATE, [_why_none_lives(view)])
    ends = due.renewal_reasons(view.entry, current.token, view.due_at)
    aged = due.rotation_reasons(view.entry, view.secret_made() or current.token.created_at, view.due_at)
    if view.forced:
        aged.append(Reason(Cause.TIME, "its rotation was asked for by name"))
    differs = [] if bounded and (ends or aged) else differences(view.entry, current.token)
    lacking = view.lacking()
    if not (ends or aged or differs or lacking):
        return None
    delivery = [_why_lacking(view, place, look_index) for place, look_index in _indexed(view)]
    if ends or differs or (aged and not view.entry.in_place):
        told = [] if bounded and (ends or aged) else delivery
        return _mint(view, ActionKind.REPLACE, [*differs, *ends, *aged, *told])
    if aged:
        return _rotation(view, current, [*aged, *([] if bounded else delivery)])
    return _repair(view, current, delivery)


def _repair(view: EntryView, current: Generation, delivery: list[Reason]) -> Action:
    """What brings the secret to the destinations that lack it: copied from another one, or else made anew."""
    lacking = view.lacking()
    marked = any(mark.kind is MarkKind.ROTATE for look in view.looks for mark in look.marks)
    if not marked and any(view.holds_current(look) and look.readable for look in view.looks):
        return Action(
            kind=ActionKind.REDELIVER,
            entry=view.entry.name,
            token=current.token.name,
            number=current.number,
            id=current.token.id,
            cause=strongest(delivery),
            reasons=tuple(reason.text for reason in delivery),
            scopes=tuple(sorted(current.token.scopes)),
            expires_at=current.token.expires_at,
            last_used_at=current.token.last_used_at,
            destinations=tuple(target.place for target, _ in lacking),
        )
    if view.entry.in_place:
        return _rotation(view, current, delivery)
    return _mint(view, ActionKind.REPLACE, delivery, delivery_only=True)


def _rotation(view: EntryView, current: Generation, reasons: list[Reason]) -> Action:
    """A new secret for the current generation: written everywhere, since the old one is dead then."""
    return Action(
        kind=ActionKind.ROTATE,
        entry=view.entry.name,
        token=current.token.name,
        number=current.number,
        id=current.token.id,
        cause=strongest(reasons),
        reasons=tuple(reason.text for reason in reasons),
        scopes=tuple(sorted(current.token.scopes)),
        expires_at=current.token.expires_at,
        last_used_at=current.token.last_used_at,
        destinations=tuple(target.place for target in view.entry.deliver),
        held=any(view.holds_current(look) for look in view.looks),
    )


def _indexed(view: EntryView) -> list[tuple[str, int]]:
    lacking = {target.place for target, _ in view.lacking()}
    return [(target.place, index) for index, (target, _) in enumerate(view.places) if target.place in lacking]


def _mint(view: EntryView, kind: ActionKind, reasons: list[Reason], *, delivery_only: bool = False) -> Action:
    entry, current = view.entry, view.current
    number = view.next_number
    return Action(
        kind=kind,
        entry=entry.name,
        token=naming.generation_name(entry.name, number),
        number=number,
        id=None if current is None else current.token.id,
        cause=strongest(reasons),
        reasons=tuple(reason.text for reason in reasons),
        scopes=tuple(sorted(entry.scopes)),
        expires_at=entry.expires_at if entry.expires_in is None else view.now + entry.expires_in,
        expires_in=entry.expires_in,
        replaces="" if current is None else current.token.name,
        last_used_at=None if current is None else current.token.last_used_at,
        revoke_after=None if current is None else view.now + entry.overlap,
        destinations=tuple(target.place for target in entry.deliver),
        delivery_only=delivery_only,
        held=any(view.holds_current(look) for look in view.looks),
    )


def _why_none_lives(view: EntryView) -> Reason:
    """Why an entry has no active token: nobody made one yet, the last one ended, or a run stopped half way."""
    for look in view.looks:
        fact = None if look.recorded is None else view.facts.get(look.recorded.id)
        if fact is not None and fact.status is Status.EXPIRED:
            return Reason(Cause.TIME, f"its token {quoted(fact.name)} has expired")
        if fact is not None:
            return Reason(Cause.DRIFT, f"its token {quoted(fact.name)} was revoked")
    if any(look.marks for look in view.looks):
        return Reason(Cause.REPAIR, "an earlier run stopped before it made the token")
    return Reason(Cause.SPEC, "no active token bears its name")


def _why_lacking(view: EntryView, place: str, index: int) -> Reason:
    """Why a destination does not hold the current generation."""
    look = view.looks[index]
    if view.rotated_away(look):
        if look.marks:
            return Reason(Cause.REPAIR, f"{quoted(place)} was to get a new secret by a run that did not finish")
        return Reason(Cause.DRIFT, f"{quoted(place)} holds a secret from before {times.show(_rotated(view))}")
    if look.state is State.HOLDS and look.held is not None:
        return Reason(Cause.REPAIR, f"{quoted(place)} still holds {quoted(look.held.name)}")
    text = f"{quoted(place)}: {look.reason}"
    if look.marks or _of_an_older_one(view, look):
        return Reason(Cause.REPAIR, text)
    return Reason(Cause.SPEC if look.empty else Cause.DRIFT, text)


def _of_an_older_one(view: EntryView, look: Look) -> bool:
    """Whether a store without a record may hold an older generation: then a run did not finish."""
    older = (generation.token for generation in view.generations[:-1])
    return look.written_at is not None and any(may_stand(look, token) for token in older)


def _watched(view: EntryView) -> EntryPlan:
    """An entry without a destination is reported on, never changed."""
    entry = view.entry
    if view.current is None:
        missing = Problem(
            code=ProblemCode.MISSING,
            entry=entry.name,
            message="It has no active token, and without a destination none is made.",
            hint="Add 'deliver' to it, or make the token in the dashboard.",
        )
        return EntryPlan(entry=entry.name, problems=(missing,))
    current = view.current.token
    reasons = [*differences(entry, current), *due.reasons(entry, current, view.due_at)]
    warnings = tuple(
        f"{quoted(entry.name)} is only watched, so it is left as it is, although {reason.text}; "
        "give it a destination under 'deliver' to have it replaced."
        for reason in reasons
    )
    return EntryPlan(entry=entry.name, warnings=(*_soon_over(view), *warnings))


def _protection(view: EntryView) -> Problem | None:
    current: Generation | None = view.current
    if not view.entry.protected or current is None or current.token.scopes == view.entry.scopes:
        return None
    asked, has = ", ".join(sorted(view.entry.scopes)), ", ".join(sorted(current.token.scopes))
    return Problem(
        code=ProblemCode.PROTECTED,
        entry=view.entry.name,
        message=f"It is protected, so its scopes stay [{quoted(has)[1:-1]}]; the spec asks for [{asked}].",
        hint="Remove 'protected: true' to let them change.",
        stops=False,
    )


def _past_its_expiry(view: EntryView) -> Problem | None:
    end = view.entry.expires_at
    if end is None or end > view.now:
        return None
    return Problem(
        code=ProblemCode.EXPIRED,
        entry=view.entry.name,
        message=f"Its expires_at, {times.show(end)}, has passed (the server's time is {times.show(view.now)}).",
        hint="Give a later 'expires_at', or 'expires_in' to have it renewed, or remove the entry.",
    )


def _what_waits(view: EntryView) -> tuple[str, ...]:
    """The change of a token that is due, and that a bound forbids: the token is replaced all the same, unchanged."""
    current = view.current
    if current is None or current.token.scopes == view.entry.scopes:
        return ()
    if not due.reasons(view.entry, current.token, view.due_at):
        return ()
    name = quoted(view.entry.name)
    return (f"{name} is due and is replaced although the plan is blocked, but keeps its scopes; their change waits.",)


def _soon_over(view: EntryView) -> tuple[str, ...]:
    end = view.entry.expires_at
    if end is None or end - view.now > _SOON:
        return ()
    return (f"{quoted(view.entry.name)} ends at {times.show(end)} and is not renewed: its 'expires_at' is absolute.",)


def _overwritten(view: EntryView, action: Action | None) -> tuple[str, ...]:
    """What nobody is known to have delivered is overwritten, but not in silence."""
    if action is None:
        return ()
    return tuple(
        f"{quoted(view.entry.name)}: what stands at {quoted(target.place)} was not delivered by tooken-ci, as far as "
        f"{'the time of its last write' if look.written_at else 'its delivery record'} tells; it will be overwritten."
        for target, look in view.places
        if target.place in action.destinations and look.record is None and not look.empty and look.state is State.ABSENT
        if not _of_an_older_one(view, look)
    )


def _not_asked(view: EntryView) -> list[Problem]:
    """What is not known is neither replaced nor revoked, but the entry cannot be called served either."""
    return [
        Problem(
            code=ProblemCode.UNKNOWN,
            entry=view.entry.name,
            message=f"{quoted(target.place)} could not be asked what it holds: {look.reason}.",
            hint="Mend that, or remove the destination; until then none of the entry's tokens is revoked.",
            stops=False,
        )
        for target, look in view.places
        if look.state is State.UNKNOWN
    ]


def _rotated(view: EntryView) -> dt.datetime:
    """When the newest secret was made; somebody else made it, for it is not the one that stands at a destination."""
    return view.secret_made() or view.now


def _ageless(view: EntryView) -> Problem | None:
    """Why a rotation is refused: who knows how long its secret has been with somebody may kill it, nobody else."""
    recorded = {look.recorded.id for look in view.looks if look.recorded is not None}
    current = view.current
    known = view.audited or any(look.marks for look in view.looks) or view.forced
    if current is None or known or current.token.id in recorded:
        return None
    return Problem(
        code=ProblemCode.AGE,
        entry=view.entry.name,
        message=f"Neither a record nor the audit log tells how old the secret of {quoted(current.token.name)} is.",
        hint="Let the key read the audit log (audit:read), use the strategy replace, or name it to 'tooken-ci rotate'.",
        stops=False,
    )

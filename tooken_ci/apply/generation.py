"""Create, replace and redeliver: the steps in the order that keeps every consumer's secret alive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tooken_ci.apply.failure import BusyError, EntryError
from tooken_ci.apply.mint import mint
from tooken_ci.base.errors import (
    ApiError,
    NotTheApiError,
    StoppedError,
    TookenCIError,
    UnreachableError,
    WorkspaceError,
)
from tooken_ci.base.record import Held, MarkKind
from tooken_ci.base.text import quoted
from tooken_ci.plan.model import ActionKind
from tooken_ci.plan.price import REQUESTS_OF_A_MINT
from tooken_ci.plan.view import generations_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tooken_ci.apply.context import Context
    from tooken_ci.apply.mint import Made
    from tooken_ci.apply.places import Places
    from tooken_ci.base.record import Mark
    from tooken_ci.base.secret import Secret
    from tooken_ci.plan.model import Action
    from tooken_ci.plan.view import EntryView
    from tooken_ci.tooken.model import Minted


_FRESH = 60.0
"""Seconds after which marks are made anew before anything is made; at 180 s another run takes them for abandoned."""


def renew(context: Context, view: EntryView, action: Action, places: Places) -> Made:
    """Make the next generation and deliver it: mark, create, prove, then secret and record at each place.

    Args:
        context: of the apply.
        view: the entry as the plan saw it.
        action: a create or a replace.
        places: its destinations, already checked.

    Returns:
        The new token, delivered everywhere; and what was made on the way, and lost.

    Raises:
        BusyError: another run may be at work on the entry.
        EntryError: a destination was not served; tells which and why.
        ApiError: the API refused, or could not be reached.
        StoppedError: the run is to end; nothing was made.
    """
    may_go_on(places, action)
    with context.client.hold(REQUESTS_OF_A_MINT):
        _mark(context, action, places, action.token)
        made = _mint(context, view, action, places)
        _deliver_or_undo(context, view, made.minted, places)
    all_served(places, f"{quoted(made.minted.token.name)} is alive, and so is what it replaces")
    return made


def copy(context: Context, view: EntryView, action: Action, places: Places) -> None:
    """Copy the current generation's secret from a destination that holds it to those that do not.

    Args:
        context: of the apply.
        view: the entry as the plan saw it.
        action: a redeliver.
        places: the destinations that lack the secret, already checked.

    Raises:
        BusyError: a newer generation lives.
        EntryError: a destination was not served; tells which and why.
        ApiError: the entry could not be looked up.
        StoppedError: the run is to end; nothing was written.
    """
    may_go_on(places, action)
    with context.client.hold(len(view.entry.names)):
        _copy(context, view, action, places)
    all_served(places, "the token itself is unchanged", changed=places.touched)


def _copy(context: Context, view: EntryView, action: Action, places: Places) -> None:
    announce(context, view, action, places, MarkKind.COPY)
    source = _source(context, view)
    if source is None:
        places.withdraw()
        raise EntryError("The secret can no longer be read where it was.", hint="Run again; it will be replaced.")
    secret, held = source
    places.deliver(secret, held, order=lambda _: 0)
    if places.touched:
        places.withdraw_refused()
    else:
        places.withdraw()


def announce(context: Context, view: EntryView, action: Action, places: Places, kind: MarkKind) -> None:
    """Mark the places of a redeliver or a rotate, and see that nobody else is at work and its token is the newest.

    Raises as ``copy``; then no mark of this run stands any longer.
    """
    no_other_run(places, places.mark(kind, action.token, context.client.now()))
    try:
        may_go_on(places, action)
        living = generations_of(view.entry, context.active_of(view.entry))
        intruder = places.intruder(context.client.now())
    except TookenCIError:
        places.withdraw()
        raise
    if not living or living[-1].token.id != action.id:
        intruder = f"{quoted(action.token)} is no longer its newest generation"
    if intruder:
        places.withdraw()
        raise BusyError(f"{intruder[0].upper()}{intruder[1:]}.")


def may_go_on(places: Places, action: Action) -> None:
    """A dead store must not let the healthy ones expire; but where delivery alone is the cause, nothing is made.

    Nor is anything rotated: the secret at a place that cannot be written would be dead.
    """
    whole = action.delivery_only or action.kind is ActionKind.ROTATE
    if places.failures and (whole or len(places.failures) == len(action.destinations)):
        raise EntryError(_told(places, "Nothing was made"), hint=_hints(places))


def no_other_run(places: Places, foreign: Mark | None) -> None:
    """Stop where another run's young mark was met."""
    if foreign is not None:
        places.withdraw()
        told = f"Run {quoted(foreign.run)} announced that it would write {quoted(foreign.name)}."
        raise BusyError(told, since=foreign.at)


def _mint(context: Context, view: EntryView, action: Action, places: Places) -> Made:
    living = {generation.token.id: generation.token for generation in view.generations}
    announced = action.token

    def announce(name: str) -> None:
        """Marks that grew old while the request had to wait would tell another run that this one is dead."""
        nonlocal announced
        if name != announced or places.age > _FRESH:
            announced = name
            _mark(context, action, places, name)

    try:
        return mint(context, view.entry, action, living, announce)
    except (UnreachableError, NotTheApiError, WorkspaceError) as error:
        # it may have been made: the marks stay and tell the next run
        raise EntryError(error.message, hint=error.hint, changed=True) from None
    except (ApiError, EntryError, StoppedError) as error:
        if not (isinstance(error, BusyError) and error.changed):  # whose token it is, is not known
            places.withdraw()
        raise


def _mark(context: Context, action: Action, places: Places, name: str) -> None:
    """Announce a name at every place, and stop where another run has, or where too few can be written."""
    no_other_run(places, places.mark(MarkKind.CREATE, name, context.client.now()))
    try:
        may_go_on(places, action)
    except EntryError:
        places.withdraw()
        raise


def held_of(minted: Minted) -> Held:
    """What a record says of a secret that was made with its token."""
    token = minted.token
    return Held(id=token.id, name=token.name, at=token.created_at, fingerprint=minted.secret.fingerprint(token.id))


def _deliver_or_undo(context: Context, view: EntryView, minted: Minted, places: Places) -> None:
    """Prove, then deliver. Where surely nothing was written the new token is revoked; otherwise both stay alive."""
    copying = places.copying(context.client.now())
    if copying is not None:
        _undo(context, minted, places)
        told = f"Run {quoted(copying.run)} is copying {quoted(copying.name)}."
        raise BusyError(told, since=copying.at, changed=True)
    why = unproven(context, minted)
    if why:
        _undo(context, minted, places)
        raise EntryError(
            f"The new secret of {quoted(minted.token.name)} was revoked and not delivered: {why}",
            hint="Run again.",
            changed=True,
        )
    places.deliver(minted.secret, held_of(minted), order=oldest_first(view))
    if not places.touched:
        _undo(context, minted, places)
        told = _told(places, f"{quoted(minted.token.name)} was revoked again, nothing was delivered")
        raise EntryError(told, hint=_hints(places), changed=True)
    places.withdraw_refused()


def unproven(context: Context, minted: Minted) -> str:
    """Why the new secret is not proven to authenticate; empty where it is."""
    try:
        return "" if context.client.proves(minted.secret) else "the API does not accept it."
    except (ApiError, StoppedError) as error:
        return error.message


def _undo(context: Context, minted: Minted, places: Places) -> None:
    """Revoke a token whose secret surely stands nowhere, and take the marks back."""
    try:
        context.client.revoke(minted.token.id)
    except (ApiError, StoppedError) as error:
        raise EntryError(
            f"{quoted(minted.token.name)} was made, was not delivered, and could not be revoked: {error.message}",
            hint="The next run goes on from there.",
            changed=True,
        ) from None
    places.withdraw()


def oldest_first(view: EntryView) -> Callable[[str], int]:
    """The order of service: first the places that hold nothing alive, then those with the oldest generation."""
    ages = {generation.token.id: age for age, generation in enumerate(view.generations, start=1)}
    ranks = {target.place: ages.get(look.held.id, 0) if look.held is not None else 0 for target, look in view.places}
    return lambda place: ranks[place]


def _source(context: Context, view: EntryView) -> tuple[Secret, Held] | None:
    """The current generation's secret, from the first destination that holds and gives it."""
    for target, look in view.places:
        if look.readable and look.held is not None and view.holds_current(look):
            secret = context.open(target).fetch(look.held)
            if secret is not None:
                return secret, look.held
    return None


def all_served(places: Places, state: str, *, changed: bool = True) -> None:
    """Fail where a destination was not served, and tell in what state things are now."""
    if places.failures:
        raise EntryError(_told(places, state[0].upper() + state[1:]), hint=_hints(places), changed=changed)


def _told(places: Places, state: str) -> str:
    failed = "; ".join(f"{quoted(place)}: {error.message.rstrip('.')}" for place, error in places.failures.items())
    return f"{failed}. {state}."


def _hints(places: Places) -> str:
    return " ".join(dict.fromkeys(error.hint for error in places.failures.values() if error.hint))

"""Makes the token of one job, and hands it over."""

from __future__ import annotations

import dataclasses
import datetime as dt
import logging
import secrets
from functools import partial
from typing import TYPE_CHECKING

from tooken_ci.apply.failure import EntryError
from tooken_ci.apply.generation import unproven
from tooken_ci.apply.mint import spread
from tooken_ci.base.errors import (
    ApiError,
    ConflictError,
    DestinationError,
    NotTheApiError,
    StoppedError,
    TookenCIError,
    UnreachableError,
)
from tooken_ci.base.text import quoted
from tooken_ci.destinations.interface import ToldOfLeases
from tooken_ci.plan.leases import LeaseResult, LeaseStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tooken_ci.apply.context import Context
    from tooken_ci.base.secret import Secret
    from tooken_ci.destinations.interface import Destination
    from tooken_ci.plan.leases import Job
    from tooken_ci.spec.model import Entry
    from tooken_ci.tooken.model import Minted, Token

log = logging.getLogger(__name__)

_TRIES = 3
_LATER = "The job's release revokes it; if that never comes, it ends by its expiry."


@dataclasses.dataclass(frozen=True, kw_only=True)
class Runner:
    """What the CI runner is told of a lease.

    Attributes:
        announce: hears a lease's name before anything is made under it, instead of an earlier one that was taken.
        mask: hears the secret before anybody else does; raises ``EntryError`` where it cannot be masked.
    """

    announce: Callable[[str], None]
    mask: Callable[[Secret], None]


def lease(context: Context, entry: Entry, job: Job, runner: Runner) -> LeaseResult:
    """Make a token for a job, prove it, and hand it over. Where that fails it is revoked: nobody else has it.

    Args:
        context: of the run.
        entry: an ephemeral one.
        job: whose lease it is.
        runner: what is told.

    Raises:
        EntryError: it could not be made or handed over; tells why, and whether a token may live.
        ApiError: the API refused, or could not be reached, before anything was made.
        StoppedError: the run is to end; nothing was made.
    """
    places = [(target.place, context.open(target)) for target in entry.deliver]
    for place, destination in places:
        _attempt(place, destination.check)
    minted: Minted | None = None
    with context.client.hold(2):
        try:
            minted = _mint(context, entry, job, runner)
            runner.mask(minted.secret)
            _hand_over(context, entry, minted, places)
        except EntryError as error:
            error.message += _taken_back(context, minted.token) if minted is not None else ""
            raise
        except TookenCIError:
            raise
        except Exception as fault:  # noqa: BLE001  # nobody else would revoke it
            state = _taken_back(context, minted.token) if minted is not None else f" It may have been made. {_LATER}"
            raise by_fault(fault, entry.name, state) from None
    token = minted.token
    return LeaseResult(token=token.name, id=token.id, status=LeaseStatus.LEASED, expires_at=token.expires_at)


def _mint(context: Context, entry: Entry, job: Job, runner: Runner) -> Minted:
    wanted = job.lease_of(entry.name)
    name = wanted
    for _ in range(_TRIES):
        context.clock.check()
        runner.announce(name)
        expires_at = spread(context.client.now() + (entry.expires_in or dt.timedelta(0)))
        try:
            minted = context.client.create(name=name, scopes_wanted=entry.scopes, expires_at=expires_at)
        except ConflictError as conflict:
            if conflict.doubtful:
                _drop(context, name, expires_at)
            name = f"{wanted}-{secrets.token_hex(3)}"
        except (UnreachableError, NotTheApiError) as error:
            message = f"{error.message} {quoted(name)} may have been made."
            raise EntryError(message, hint=_LATER, changed=True) from None
        else:
            return _as_asked(context, minted, name, entry)
    raise EntryError(f"{_TRIES} names in a row were taken, the last one {quoted(name)}.", hint="Run again.")


def _drop(context: Context, name: str, expires_at: dt.datetime | None) -> None:
    """Revoke this run's own token whose secret was lost with the answer."""
    try:
        for token in context.client.find_active(name):
            if token.name == name and token.expires_at == expires_at:
                context.client.revoke(token.id)
    except (ApiError, StoppedError) as error:
        log.warning("%s was made, its secret was lost, and it could not be revoked: %s", quoted(name), error)


def _as_asked(context: Context, minted: Minted, name: str, entry: Entry) -> Minted:
    token = minted.token
    if token.name == name and token.scopes == entry.scopes and token.expires_at is not None:
        return minted
    told = f"The API made {quoted(token.name)} with another name, scopes or expiry than asked"
    told += f"; nothing was handed over.{_taken_back(context, token)}"
    raise EntryError(told, hint="Look whether the API address is right.", changed=True)


def _hand_over(context: Context, entry: Entry, minted: Minted, places: Sequence[tuple[str, Destination]]) -> None:
    token = minted.token
    why = unproven(context, minted)
    if why:
        raise EntryError(f"The secret of {quoted(token.name)} is not proven: {why}", changed=True)
    for place, destination in places:
        if isinstance(destination, ToldOfLeases):
            destination.tell(workspace=context.spec.workspace, entry=entry.name, token=token.name, token_id=token.id)
        _attempt(place, partial(_write, destination, minted.secret), changed=True)


def _write(destination: Destination, secret: Secret) -> None:
    destination.write(secret)
    if destination.holds(secret) is False:
        raise DestinationError("what was read back is not what was written.", surely_refused=False)


def _taken_back(context: Context, token: Token) -> str:
    """What became of a token that nobody is to have."""
    try:
        context.client.revoke(token.id)
    except (ApiError, StoppedError) as error:
        return f" {quoted(token.name)} could not be revoked: {error.message} {_LATER}"
    return f" {quoted(token.name)} was revoked."


def by_fault(fault: Exception, what: str, state: str) -> EntryError:
    """A fault of this program, after which a token may live or be gone that nobody has been told of."""
    log.debug("A fault while %s was served.", quoted(what), exc_info=fault)
    told = f"This is a fault of tooken-ci itself ({type(fault).__name__}).{state}"
    return EntryError(told, hint="Run again with --debug and report what it prints.", changed=True)


def _attempt(place: str, step: Callable[[], None], *, changed: bool = False) -> None:
    try:
        step()
    except DestinationError as error:
        raise EntryError(f"{quoted(place)}: {error.message}", hint=error.hint, changed=changed) from None

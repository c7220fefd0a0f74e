"""Makes the next generation of an entry. The unique name is what makes a repeated request harmless."""

from __future__ import annotations

import dataclasses
import datetime as dt
import logging
import random
from functools import partial
from typing import TYPE_CHECKING

from tooken_ci.apply.failure import BusyError, EntryError
from tooken_ci.base import naming
from tooken_ci.base.errors import ApiError, ConflictError, StoppedError, UnreachableError, WorkspaceError
from tooken_ci.base.text import quoted
from tooken_ci.plan.cap import MAX_LIVING
from tooken_ci.plan.difference import SPREAD
from tooken_ci.plan.price import MINT_TRIES
from tooken_ci.tooken.model import Status

if TYPE_CHECKING:
    from collections.abc import Callable

    from tooken_ci.apply.context import Context
    from tooken_ci.plan.model import Action
    from tooken_ci.spec.model import Entry
    from tooken_ci.tooken.model import Minted, Token

log = logging.getLogger(__name__)

_ROUNDING = dt.timedelta(seconds=1)
_CHANCE = random.SystemRandom()


@dataclasses.dataclass(kw_only=True)
class _Attempts:
    """What is known while names are tried: the living generations, and how to know a token of ours."""

    living: dict[str, Token]
    first_send: dt.datetime
    expiries: list[dt.datetime]
    lost: list[Token] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Made:
    """What came of it.

    Attributes:
        minted: the token, with its secret.
        lost: tokens of earlier names that were made too, whose secrets were lost with the answers; nobody knows them.
    """

    minted: Minted
    lost: tuple[Token, ...]


def mint(
    context: Context,
    entry: Entry,
    action: Action,
    living: dict[str, Token],
    announce: Callable[[str], None],
) -> Made:
    """Make the token that an action asks for, under the next free name.

    Args:
        context: of the apply.
        entry: whose generation it is.
        action: a create or a replace.
        living: the active generations of the entry that the plan knew, by id.
        announce: is told the name whenever a request for it is about to be sent; what it raises ends the mint.

    Raises:
        BusyError: somebody else is making generations of this entry.
        EntryError: too many generations are alive, or every name that was tried is taken.
        ApiError: the API refused, or could not be reached.
    """
    attempts = _Attempts(living=dict(living), first_send=context.client.now(), expiries=[])
    number = action.number
    for _ in range(MINT_TRIES):
        if len(attempts.living) >= MAX_LIVING:
            raise EntryError(
                f"{len(attempts.living)} generations of it are alive, and no more than {MAX_LIVING} may be.",
                hint="Revoke one that no destination's record names and run again.",
                changed=bool(attempts.lost),
            )
        name = naming.generation_name(action.entry, number)
        expires_at = spread(action.ends(context.client.now()))
        attempts.expiries += [] if expires_at is None else [expires_at]
        try:
            minted = context.client.create(
                name=name, scopes_wanted=action.scopes, expires_at=expires_at, before=partial(announce, name)
            )
        except ConflictError as conflict:
            try:
                number = _after_conflict(context, entry, attempts, number, doubtful=conflict.doubtful)
            except (ApiError, StoppedError, WorkspaceError) as error:
                # whose token has the name is not known: it may be one of ours
                raise UnreachableError(error.message, hint=error.hint) from None
            continue
        except EntryError as error:
            error.changed = error.changed or bool(attempts.lost)
            raise
        except (ApiError, StoppedError) as error:
            if attempts.lost:
                raise UnreachableError(error.message, hint=error.hint) from None
            raise
        _check(context, minted, name, action, expires_at)
        return Made(minted=minted, lost=tuple(attempts.lost))
    raise EntryError(
        f"No free name was found: {MINT_TRIES} in a row were taken, the last one {quoted(name)}.",
        hint="Look for somebody else who makes tokens of these names.",
        changed=bool(attempts.lost),
    )


def spread(expires_at: dt.datetime | None) -> dt.datetime | None:
    """The expiry with the random seconds by which this run knows its own tokens; whole seconds."""
    if expires_at is None:
        return None
    return expires_at.replace(microsecond=0) + dt.timedelta(seconds=_CHANCE.randrange(int(SPREAD.total_seconds())))


def _after_conflict(context: Context, entry: Entry, attempts: _Attempts, number: int, *, doubtful: bool) -> int:
    """Look the entry up by each of its names, over all statuses, and find the number to go on with.

    Args:
        context: of the apply.
        entry: whose generation is to be made.
        attempts: what is known so far.
        number: whose name is taken.
        doubtful: an earlier try of this run may have taken it.
    """
    numbers = [number]
    for token in context.all_of(entry):
        name, found = naming.split(token.name)
        if name not in entry.names:
            continue
        numbers.append(found)
        if token.status is Status.ACTIVE and token.id not in attempts.living:
            if not _ours(token, attempts):
                whose = "it may be this run's own, whose answer was lost, or " if doubtful else ""
                raise BusyError(
                    f"{quoted(token.name)} appeared meanwhile; {whose}another run may be at work on this entry.",
                    since=token.created_at,
                    changed=doubtful or bool(attempts.lost),
                )
            made = quoted(token.name)
            bare = next((target.place for target in entry.deliver if not target.keeps_record), None)
            if bare is not None:  # what is written now could not be told from a secret of the lost one
                raise BusyError(
                    f"{made} was made, but its secret was lost with the answer; {quoted(bare)} keeps no record, so "
                    "the next one is made 3 min after it.",
                    since=token.created_at,
                    changed=True,
                )
            log.warning("%s was made, but its secret was lost with the answer; going on with the next.", made)
            attempts.living[token.id] = token
            attempts.lost.append(token)
    return max(numbers) + 1


def _ours(token: Token, attempts: _Attempts) -> bool:
    """Whether this run made a token whose answer it never saw: made since its first request, with its own expiry."""
    if token.expires_at is None or token.created_at < attempts.first_send - _ROUNDING:
        return False
    return any(abs(token.expires_at - expiry) <= _ROUNDING for expiry in attempts.expiries)


def _check(context: Context, minted: Minted, name: str, action: Action, expires_at: dt.datetime | None) -> None:
    """Hold the answer against what was asked; a token that is not as asked is revoked, nobody has its secret."""
    token = minted.token
    same_expiry = (
        token.expires_at is None
        if expires_at is None
        else token.expires_at is not None and abs(token.expires_at - expires_at) <= _ROUNDING
    )
    if token.name == name and token.scopes == frozenset(action.scopes) and same_expiry:
        return
    try:
        context.client.revoke(token.id)
    except (ApiError, StoppedError) as error:
        after = f"and it could not be revoked: {error.message}"
    else:
        after = "it was revoked."
    raise EntryError(
        f"The API made {quoted(token.name)} with another name, scopes or expiry than asked; {after}",
        hint="Nothing was delivered. Look whether the API address is right.",
        changed=True,
    )

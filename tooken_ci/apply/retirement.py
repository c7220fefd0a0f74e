"""Revokes: always after a fresh look at the entry, and never more than the plan said."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import TYPE_CHECKING

from tooken_ci.apply.looks import look_at_entry
from tooken_ci.base.errors import ApiError, NotTheApiError, StoppedError, TookenCIError, UnreachableError
from tooken_ci.plan import ownership
from tooken_ci.plan.entry import due_revocations
from tooken_ci.plan.result import Result, ResultStatus
from tooken_ci.plan.view import generations_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from tooken_ci.apply.context import Context
    from tooken_ci.plan.model import Action
    from tooken_ci.plan.view import EntryView
    from tooken_ci.tooken.model import Token

_NEVER = dt.datetime.min.replace(tzinfo=dt.UTC)


def retire(
    context: Context, view: EntryView, planned: Sequence[Action], *, own: bool = False
) -> Iterator[tuple[Action, Result]]:
    """Revoke the older generations of an entry that rule 4 lets go, as a fresh look at it and its destinations says.

    Args:
        context: of the apply.
        view: the entry as the plan saw it.
        planned: the revocations of the plan; no other generation is revoked.
        own: it is the entry whose token runs this; that very one is revoked last of all.
    """
    recorded = [look.recorded for look in view.looks if look.recorded is not None]
    running = {held.id for held in recorded if context.client.is_token(held.id, held.fingerprint)}

    def still_due() -> dict[str, Token]:
        tokens = context.active_of(view.entry)
        fresh = dataclasses.replace(
            view,
            generations=generations_of(view.entry, tokens),
            looks=look_at_entry(context, view.entry),
            now=context.client.now(),
        )
        names = {token.id: token.name for token in tokens}
        foreign = ownership.settle(fresh, names | _known_names(view))[1]
        due = () if foreign else due_revocations(fresh)
        ids = {action.id for action in due} - (frozenset() if own else running)
        return {token.id: token for token in tokens if token.id in ids}

    why_not = "a fresh look at it and its destinations no longer allows it"
    if own:
        return _revoke(context, planned, still_due, why_not, own=True, running=running)
    if any(action.id in running for action in planned):
        why_not += ", or it is the token that runs tooken-ci, whose entry 'self' must name"
    return _revoke(context, planned, still_due, why_not)


def remove(context: Context, name: str, planned: Sequence[Action]) -> Iterator[tuple[Action, Result]]:
    """Revoke what ``absent`` or ``prune`` asks for under one name, as far as a fresh look still finds it active."""

    def still_active() -> dict[str, Token]:
        return {token.id: token for token in context.client.find_active(name)}

    return _revoke(context, planned, still_active, "it is no longer active")


def _known_names(view: EntryView) -> dict[str, str]:
    return {token_id: token.name for token_id, token in view.facts.items() if token is not None}


def _revoke(
    context: Context,
    planned: Sequence[Action],
    fresh: Callable[[], Mapping[str, Token]],
    why_not: str,
    *,
    own: bool = False,
    running: AbstractSet[str] = frozenset(),
) -> Iterator[tuple[Action, Result]]:
    """Each planned revocation with its result, as it is done.

    Args:
        context: of the apply.
        planned: what may be revoked.
        fresh: gives what of it may be still, by id.
        why_not: what is told of the rest.
        own: one of them may be the token that runs this: the one that most probably is goes last.
        running: ids of which that is known.

    Raises:
        StoppedError: the run is to end; what has no result was not done.
    """
    try:
        found = fresh()
    except StoppedError:
        raise
    except TookenCIError as error:
        yield from ((action, Result.of(action, ResultStatus.FAILED, str(error))) for action in planned)
        return
    going = [(action, found[action.id]) for action in planned if action.id is not None and action.id in found]
    left = {action.id for action, _ in going}
    yield from ((one, Result.of(one, ResultStatus.SKIPPED, why_not)) for one in planned if one.id not in left)
    if own:
        going.sort(key=lambda pair: (pair[1].id in running, pair[1].last_used_at or _NEVER))
    for action, token in going:
        context.clock.check()
        last = own and token is going[-1][1] and (not running or token.id in running)
        yield action, _revoked(context, action, token, own=last)


def _revoked(context: Context, action: Action, token: Token, *, own: bool) -> Result:
    try:
        context.client.revoke(token.id, own=own)
    except ApiError as error:
        unclear = isinstance(error, (UnreachableError, NotTheApiError))
        failed = Result.of(action, ResultStatus.FAILED, str(error))
        return dataclasses.replace(failed, unclear=unclear)
    return Result.of(action, ResultStatus.DONE)

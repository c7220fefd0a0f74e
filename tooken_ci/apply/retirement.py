"""Revokes: always after a fresh look at the entry, and never more than the plan said."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from tooken_ci.base.errors import ApiError, NotTheApiError, StoppedError, TookenCIError, UnreachableError
from tooken_ci.plan import ownership
from tooken_ci.plan.entry import due_revocations
from tooken_ci.plan.result import Result, ResultStatus
from tooken_ci.plan.view import generations_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tooken_ci.apply.context import Context
    from tooken_ci.plan.model import Action
    from tooken_ci.plan.view import EntryView


def retire(context: Context, view: EntryView, planned: Sequence[Action]) -> Iterator[tuple[Action, Result]]:
    """Revoke the older generations of an entry that rule 4 lets go, as a fresh look at it and its destinations says.

    Args:
        context: of the apply.
        view: the entry as the plan saw it.
        planned: the revocations of the plan; no other generation is revoked.
    """

    def still_due() -> frozenset[str]:
        tokens = context.active_of(view.entry)
        fresh = dataclasses.replace(
            view,
            generations=generations_of(view.entry, tokens),
            looks=tuple(context.open(target).look() for target in view.entry.deliver),
            now=context.client.now(),
        )
        names = {token.id: token.name for token in tokens}
        foreign = ownership.settle(fresh, names | _known_names(view))[1]
        due = () if foreign else due_revocations(fresh)
        return frozenset(action.id for action in due if action.id is not None)

    return _revoke(context, planned, still_due, "a fresh look at it and its destinations no longer allows it")


def remove(context: Context, name: str, planned: Sequence[Action]) -> Iterator[tuple[Action, Result]]:
    """Revoke what ``absent`` or ``prune`` asks for under one name, as far as a fresh look still finds it active."""

    def still_active() -> frozenset[str]:
        return frozenset(token.id for token in context.client.find_active(name))

    return _revoke(context, planned, still_active, "it is no longer active")


def _known_names(view: EntryView) -> dict[str, str]:
    return {token_id: token.name for token_id, token in view.facts.items() if token is not None}


def _revoke(
    context: Context, planned: Sequence[Action], fresh: Callable[[], frozenset[str]], why_not: str
) -> Iterator[tuple[Action, Result]]:
    """Each planned revocation with its result, as it is done.

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
    for action in planned:
        if action.id is None or action.id not in found:
            yield action, Result.of(action, ResultStatus.SKIPPED, why_not)
            continue
        context.clock.check()
        try:
            context.client.revoke(action.id)
        except ApiError as error:
            unclear = isinstance(error, (UnreachableError, NotTheApiError))
            failed = Result.of(action, ResultStatus.FAILED, str(error))
            yield action, dataclasses.replace(failed, unclear=unclear)
        else:
            yield action, Result.of(action, ResultStatus.DONE)

"""Rotates in place: the old secret is dead at once, so every place says so before, until it holds the new one."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from tooken_ci.apply.failure import EntryError
from tooken_ci.apply.generation import all_served, announce, held_of, may_go_on, oldest_first, unproven
from tooken_ci.base.errors import ApiError, NotTheApiError, StoppedError, UnreachableError
from tooken_ci.base.record import MarkKind
from tooken_ci.base.text import quoted
from tooken_ci.plan.price import REQUESTS_OF_A_ROTATION, ROTATE_TRIES

if TYPE_CHECKING:
    from tooken_ci.apply.context import Context
    from tooken_ci.apply.places import Places
    from tooken_ci.plan.model import Action
    from tooken_ci.plan.view import EntryView
    from tooken_ci.tooken.model import Minted

_GONE = frozenset({404, 409, 422})
_AGAIN = "The marks at its destinations say so, and the next run rotates again."


def rotate(context: Context, view: EntryView, action: Action, places: Places) -> None:
    """Give a token a new secret and deliver it: mark every place, rotate, prove, then secret and record at each.

    A mark is cleared by the record alone, so whatever happens after the request, the next run rotates again.

    Args:
        context: of the apply.
        view: the entry as the plan saw it.
        action: a rotate.
        places: all its destinations, already checked.

    Raises:
        BusyError: another run may be at work on the entry.
        EntryError: a destination cannot be marked, or was not served; tells which and why.
        ApiError: the API refused, or could not be reached, before anything was rotated.
        StoppedError: the run is to end; nothing was rotated.
    """
    may_go_on(places, action)
    with context.client.hold(len(view.entry.names) + REQUESTS_OF_A_ROTATION):
        announce(context, view, action, places, MarkKind.ROTATE)
        if places.late():
            places.withdraw()
            raise EntryError(
                f"Marking the destinations took too long to rotate {quoted(action.token)}.", hint="Run again."
            )
        minted = _rotated(context, action, places)
        if places.late():
            # a run that took this one for dead may have delivered what is dead now, and cleared the marks
            places.mark(MarkKind.ROTATE, action.token, context.client.now())
            told = f"{quoted(action.token)} was rotated too late: another run may have delivered its secret meanwhile."
            raise EntryError(told, hint=_AGAIN, changed=True)
        held = dataclasses.replace(held_of(minted), at=context.client.now())
        why = unproven(context, minted)
        if why:
            told = f"{quoted(action.token)} was rotated, and its new secret is not proven: {why}"
            raise EntryError(told, hint=_AGAIN, changed=True)
        places.deliver(minted.secret, held, order=oldest_first(view))
    all_served(places, f"the secret of {quoted(action.token)} is new, and the one that stands there is dead")


def _rotated(context: Context, action: Action, places: Places) -> Minted:
    """The token with its new secret; where the answer is lost, one more rotation gives another."""
    lost: ApiError | None = None
    for _ in range(ROTATE_TRIES):
        try:
            minted = context.client.rotate(action.id or "")
        except (UnreachableError, NotTheApiError) as error:
            lost = error
        except (ApiError, StoppedError) as error:
            if lost is not None:
                break
            places.withdraw()
            if isinstance(error, ApiError) and error.status in _GONE:
                raise EntryError(
                    f"{quoted(action.token)} can no longer be rotated: {error.message}", hint="Run again."
                ) from None
            raise
        else:
            return _as_asked(minted, action)
    why = "" if lost is None else lost.message
    raise EntryError(f"{quoted(action.token)} may have been rotated, its secret lost: {why}", hint=_AGAIN, changed=True)


def _as_asked(minted: Minted, action: Action) -> Minted:
    """The answer, held against what was asked; where it is of another token, nothing is delivered."""
    token = minted.token
    if token.id == action.id and token.name == action.token and token.scopes == frozenset(action.scopes):
        return minted
    raise EntryError(
        f"The API answered the rotation of {quoted(action.token)} with another id, name or scopes.",
        hint=f"Nothing was delivered; look whether the API address is right. {_AGAIN}",
        changed=True,
    )

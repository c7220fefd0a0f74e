"""Lists of tokens that are proven complete, or refused: a short listing must never read as "delete the rest"."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any

from tooken_ci.base import scopes
from tooken_ci.base.errors import NotTheApiError, WorkspaceError
from tooken_ci.tooken.model import Token, read_token
from tooken_ci.tooken.transport import Call

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tooken_ci.tooken.transport import Transport

PER_PAGE = 100
"""The API's largest page."""

_ATTEMPTS = 3


def pages(tokens: int) -> int:
    """How many requests a listing of so many tokens takes."""
    return max(1, math.ceil(tokens / PER_PAGE))


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Page:
    tokens: list[Token]
    per_page: int
    total: int


def list_tokens(transport: Transport, filters: Mapping[str, str]) -> tuple[Token, ...]:
    """Every token that matches, in the API's order.

    The pages count as complete only if every ``total`` agrees, the ids are all different and their number is the total;
    otherwise they are read again, a few times.

    Raises:
        WorkspaceError: the list changed while it was read, each time.
        ApiError: a page could not be read.
    """
    total = 0
    for _ in range(_ATTEMPTS):
        first = _page(transport, filters, 1)
        total = first.total
        if len(first.tokens) != min(first.per_page, total):
            continue  # it does not hold what it says: the rest is not worth asking for
        rest = [_page(transport, filters, number) for number in range(2, math.ceil(total / first.per_page) + 1)]
        tokens = [token for page in (first, *rest) for token in page.tokens]
        if all(page.total == total for page in rest) and len({token.id for token in tokens}) == len(tokens) == total:
            return tuple(tokens)
    raise WorkspaceError(
        f"The list of tokens ({total} at the last count) changed while it was read, {_ATTEMPTS} times in a row.",
        hint="The workspace is changing too fast to plan from; run again when it is calmer.",
    )


def _page(transport: Transport, filters: Mapping[str, str], number: int) -> _Page:
    call = Call(
        method="GET",
        path="/tokens",
        scope=scopes.READ,
        params={"page": number, "per_page": PER_PAGE, **filters},
    )
    return _read(transport.send(call))


def _read(data: Any) -> _Page:
    try:
        meta = data["meta"]
        per_page, total = int(meta["per_page"]), int(meta["total"])
        items = list(data["data"])
    except (KeyError, TypeError, ValueError, OverflowError):
        raise NotTheApiError(
            "The answer to the list of tokens has no data and meta as the Tooken API v1 gives them.",
            hint="Check --api-url.",
        ) from None
    if per_page < 1 or total < 0:
        raise NotTheApiError(f"The list of tokens claims {per_page} a page and {total} in all, which cannot be.")
    return _Page(tokens=[read_token(item) for item in items], per_page=per_page, total=total)

"""Lists of tokens that are proven complete, or refused: a short listing must never read as "delete the rest"."""

from __future__ import annotations

import concurrent.futures
import contextlib
import dataclasses
import math
from collections import deque
from typing import TYPE_CHECKING, Any

from tooken_ci.base import scopes
from tooken_ci.base.errors import NotTheApiError, WorkspaceError
from tooken_ci.base.progress import Silence
from tooken_ci.tooken.model import Token, read_token
from tooken_ci.tooken.retry import CallKind
from tooken_ci.tooken.transport import Call

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping
    from concurrent.futures import Future

    from tooken_ci.base.progress import Progress
    from tooken_ci.tooken.transport import Transport

PER_PAGE = 100
"""The API's largest page."""

_ATTEMPTS = 3
_AHEAD = 2
"""Pages asked for ahead of the one that is wanted next, for each worker."""


def pages(tokens: int, per_page: int = PER_PAGE) -> int:
    """How many requests a listing of so many tokens takes."""
    return max(1, math.ceil(tokens / per_page))


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class _Page:
    tokens: list[Token]
    per_page: int
    total: int


class Lister:
    """Reads lists of tokens: the first page alone, then the rest.

    Attributes:
        per_page: how many tokens a page holds, as the last listing told.
    """

    def __init__(self, transport: Transport, progress: Progress | None = None) -> None:
        self._transport = transport
        self._progress = progress or Silence()
        self.per_page = PER_PAGE

    def tokens(self, filters: Mapping[str, str], *, whole: bool = False) -> tuple[Token, ...]:
        """Every token that matches, in the API's order.

        The pages count as complete only if every ``total`` agrees, the ids are all different and their number is the
        total; otherwise they are read again, a few times.

        Args:
            filters: of the query.
            whole: it is the list of the whole workspace: its pages are read side by side, and the progress is told. Of
                shorter ones many are read at once, each page by page.

        Raises:
            WorkspaceError: the list changed while it was read, each time.
            ApiError: a page could not be read.
            StoppedError: the run is to end.
        """
        workers = self._transport.pace.workers if whole else 1
        total = 0
        for attempt in range(_ATTEMPTS):
            if attempt:
                self._transport.clock.sleep(self._transport.policy.pause(attempt))
            first = _read(self._page(filters, 1))
            total, self.per_page = first.total, first.per_page
            found = list(first.tokens)
            if len(found) != min(first.per_page, total):
                continue  # it does not hold what it says: the rest is not worth asking for
            last = pages(total, first.per_page)
            with contextlib.closing(self._rest(filters, last, workers)) as rest:
                for page in rest:
                    if page.total != total:
                        break
                    found += page.tokens
                    if whole:
                        self._progress.step("tokens read", len(found), total)
            if len({token.id for token in found}) == len(found) == total:
                return tuple(found)
        raise WorkspaceError(
            f"The list of tokens ({total} at the last count) changed while it was read, {_ATTEMPTS} times in a row.",
            hint="The workspace is changing too fast to plan from; run again when it is calmer.",
        )

    def _rest(self, filters: Mapping[str, str], last: int, workers: int) -> Generator[_Page]:
        """The pages from the second to the last, in order; what is under way is waited for when it is closed early."""
        workers = min(workers, last - 1)
        if workers <= 1:
            yield from (_read(self._page(filters, number)) for number in range(2, last + 1))
            return
        with concurrent.futures.ThreadPoolExecutor(workers) as pool:
            ahead: deque[Future[Any]] = deque()
            try:
                for number in range(2, last + 1):
                    ahead.append(pool.submit(self._page, filters, number))
                    if len(ahead) == _AHEAD * workers:  # however many pages a server claims to have
                        yield _read(ahead.popleft().result())
                while ahead:
                    yield _read(ahead.popleft().result())
            finally:
                for future in ahead:
                    future.cancel()

    def _page(self, filters: Mapping[str, str], number: int) -> Any:
        """One answer as it came: the thread that waits reads what it holds, so that the others go on asking."""
        self._transport.clock.check()
        call = Call(
            kind=CallKind.READ,
            path="/tokens",
            scope=scopes.READ,
            params={"page": number, "per_page": PER_PAGE, **filters},
        )
        return self._transport.send(call)


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

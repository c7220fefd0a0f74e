"""Work on many things at once, in threads: what waits is the network."""

from __future__ import annotations

import concurrent.futures
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

T = TypeVar("T")
R = TypeVar("R")


def side_by_side(work: Callable[[T], R], items: Iterable[T], workers: int) -> list[R]:
    """What the work makes of each item, in the order of the items.

    With one worker, or for one item, no thread is started. The first error is raised once all that had begun has
    ended; nothing is begun after it.
    """
    todo = list(items)
    if workers <= 1 or len(todo) <= 1:
        return [work(item) for item in todo]
    with concurrent.futures.ThreadPoolExecutor(min(workers, len(todo))) as pool:
        futures = [pool.submit(work, item) for item in todo]
        try:
            return [future.result() for future in futures]
        finally:
            for future in futures:
                future.cancel()

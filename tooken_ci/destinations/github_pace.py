"""How fast GitHub may be asked: its own rate limits, and the pauses between writes that it asks for."""

from __future__ import annotations

import dataclasses
import threading
import time
from typing import TYPE_CHECKING

from tooken_ci.destinations import timing

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

BURST = 20
"""So many writes go at once; what comes after them goes a second apart, as GitHub asks of those that write much."""

_BETWEEN_WRITES = 1.0
_MINUTE = 60.0
_REFUSALS = frozenset({403, 429})


@dataclasses.dataclass(frozen=True, kw_only=True)
class Limited:
    """GitHub did nothing with a request, because there were too many.

    Attributes:
        wait: seconds until it may be sent again.
        what: which limit it was, in words.
    """

    wait: float
    what: str


class Pace:
    """When the next request may be sent. Every thread asks the same one."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._not_before = 0.0  # on the clock of time.monotonic
        self._writes_paid = 0.0  # when all writes so far would be over, one a second

    def wait(self, *, writes: bool) -> float:
        """Seconds until a request may be sent; that of a write is taken for sent then."""
        with self._guard:
            now = time.monotonic()
            wait = max(self._not_before - now, 0.0)
            if writes:
                self._writes_paid = max(self._writes_paid, now) + _BETWEEN_WRITES
                wait = max(wait, self._writes_paid - now - BURST * _BETWEEN_WRITES)
            return wait

    def hold_off(self, seconds: float) -> None:
        """Send nothing for some time."""
        with self._guard:
            self._not_before = max(self._not_before, time.monotonic() + seconds)


def limited(status: int, headers: Mapping[str, str], message: str, date: dt.datetime | None) -> Limited | None:
    """Whether an answer says that there were too many requests; None where it says anything else.

    Args:
        status: of the answer.
        headers: by their names in lower case.
        message: what GitHub says in the body.
        date: GitHub's time of the answer.
    """
    if status not in _REFUSALS:
        return None
    asked = timing.asked(headers.get("retry-after"))
    if asked is not None:
        return Limited(wait=asked, what="the secondary rate limit")
    reset = until_reset(headers, date)
    if reset is not None:
        return Limited(wait=reset, what="the rate limit")
    if status == 429 or "rate limit" in message.lower():  # noqa: PLR2004  # 429: Too Many Requests
        return Limited(wait=_MINUTE, what="the secondary rate limit")
    return None


def until_reset(headers: Mapping[str, str], date: dt.datetime | None) -> float | None:
    """Seconds until the allowance is renewed, where an answer says that it is used up; else None."""
    reset = headers.get("x-ratelimit-reset", "")
    if headers.get("x-ratelimit-remaining") != "0" or not (reset.isascii() and reset.isdigit()):
        return None
    return _MINUTE if date is None else max(float(reset) - date.timestamp(), 0.0) + 1.0  # nobody knows when within it

"""The present window of the rate limit, as far as the headers of the answers tell of it."""

from __future__ import annotations

import dataclasses
import math
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tooken_ci.base.times import Clock
    from tooken_ci.tooken.servertime import ServerTime

WINDOW = 60.0
"""Seconds a window lasts: the limit is documented as so many requests a minute."""

_WHOLE = re.compile(r"[0-9]{1,15}")
_MOST_LAG = 5.0
_MOST_AHEAD = 3600.0
"""A reset further ahead is no reset in Unix seconds: milliseconds, or nonsense."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Reserve:
    """The part of every window's allowance that is left to others.

    Attributes:
        share: as a share of the limit, from 0 up to less than 1.
        number: as a number of requests; goes before the share where it is given.
    """

    share: float = 0.1
    number: int | None = None

    def of(self, limit: int) -> int:
        """How many requests of so large an allowance are left to others; one is always ours."""
        wanted = math.floor(self.share * limit) if self.number is None else self.number
        return max(0, min(wanted, limit - 1))


class Window:
    """Limit, remaining and reset; headers that are missing, partial or nonsense teach less, and break nothing.

    It guards nothing against threads: the quota does. A window that has ended is not known, until an answer tells of
    the next one.

    Attributes:
        limit: requests a window; None = the answers do not tell.
    """

    def __init__(self, server_time: ServerTime, clock: Clock) -> None:
        self._server_time = server_time
        self._clock = clock
        self.limit: int | None = None
        self._most = 0  # stands for the limit where that is not told
        self._remaining: int | None = None
        self._reset: int | None = None
        self._lag = 0.0
        self._told_by = 0
        self._told_at = 0.0

    def remaining(self) -> int | None:
        """What is left of the present window; None = not known."""
        return None if self.ends_in() <= 0 else self._remaining

    def reserved(self, reserve: Reserve) -> int:
        """How many requests of each window are left to others."""
        return reserve.of(self.limit or self._most)

    def ends_in(self) -> float:
        """Seconds until the window has surely ended; 0 or less = it has, or none was ever told.

        The server's clock is known on its early side, so a window never counts as ended too soon.
        """
        now = self._server_time.epoch()
        if self._remaining is None:
            return 0.0
        if self._reset is None or now is None:
            return self._told_at + WINDOW - self._clock.monotonic()
        return self._reset + self._lag - now

    def note(self, headers: Mapping[str, str], *, number: int, sent_at: float | None) -> None:
        """Take what an answer tells.

        Args:
            headers: the answer's.
            number: of the request, in the order of sending: of two windows, the one that the later request saw counts.
            sent_at: when it was sent, on the server's clock; None = not known.
        """
        limit, remaining, reset = (
            whole(headers.get(f"X-RateLimit-{name}")) for name in ("Limit", "Remaining", "Reset")
        )
        self.limit = limit or self.limit
        if remaining is None and reset is None:
            self.spend()
            return
        if remaining is None and whole((headers.get("X-RateLimit-Remaining") or "").removeprefix("-")) is not None:
            remaining = 0  # the server lets some through and counts them all the same
        now = self._server_time.epoch()
        if reset is None or (now is not None and reset > now + _MOST_AHEAD):
            reset = self._reset
        if reset != self._reset and number < self._told_by:
            return
        if remaining is None:
            self.spend()
            remaining = self._remaining if reset == self._reset else None
        elif reset == self._reset and self.ends_in() > 0 and self._remaining is not None:
            remaining = min(remaining, self._remaining)  # answers overtake each other
        self._learn_lag(reset, sent_at)
        self._remaining, self._reset = remaining, reset
        self._most = max(self._most, remaining or 0)
        self._told_by, self._told_at = max(number, self._told_by), self._clock.monotonic()

    def spend(self) -> None:
        """Count a request of which no answer tells: the server may have counted it."""
        if self._remaining:
            self._remaining -= 1

    def _learn_lag(self, reset: int | None, sent_at: float | None) -> None:
        """A request that was sent after the reset and still saw that window: the server rounds its resets down."""
        now = self._server_time.epoch()
        if reset is None or now is None or sent_at is None or sent_at < reset + self._lag:
            return
        if now - reset < _MOST_LAG:  # further off it is no matter of rounding
            self._lag = now - reset + 1


def whole(text: str | None) -> int | None:
    """The number that a header holds; None where it holds none."""
    return int(text) if text is not None and _WHOLE.fullmatch(text) else None

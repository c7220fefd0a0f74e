"""The workspace's request allowance in fixed windows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tooken_ci.sandbox.clock import Clock


@dataclass(frozen=True, kw_only=True, slots=True)
class Allowance:
    """What one request was told about the quota.

    Attributes:
        limit: requests in a window.
        remaining: how many are left after this one.
        reset: when the window ends, in Unix seconds.
        refused: whether nothing was left for this one.
    """

    limit: int
    remaining: int
    reset: int
    refused: bool

    def headers(self) -> dict[str, str]:
        """Returns the headers that every API response carries."""
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": str(self.reset),
        }


class Quota:
    """Counts requests; a window starts with the first request after the one before it ended.

    All requests run on one event loop and ``take`` never yields to it, so counting needs no lock.
    """

    def __init__(self, *, limit: int, window: int, clock: Clock) -> None:
        self._limit = limit
        self._window = window
        self._clock = clock
        self._reset = 0
        self._used = 0

    def take(self) -> Allowance:
        """Counts one request and says whether it may pass."""
        now = self._clock.now()
        reset = math.ceil(now) + self._window
        # An end further away than a whole window means that the clock was moved back.
        if not now < self._reset <= reset:
            self._reset, self._used = reset, 0
        refused = self._used >= self._limit
        if not refused:
            self._used += 1
        return Allowance(limit=self._limit, remaining=self._limit - self._used, reset=self._reset, refused=refused)

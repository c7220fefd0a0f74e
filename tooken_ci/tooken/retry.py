"""When a request is sent again: an immutable value, apart from the transport that obeys it."""

from __future__ import annotations

import dataclasses
import random

_CHANCE = random.SystemRandom()


@dataclasses.dataclass(frozen=True, kw_only=True)
class RetryPolicy:
    """Exponential backoff with full jitter, under a total deadline.

    Every call may be repeated after a passing fault (no connection, a cut or unreadable answer, 429, 5xx) but rotate:
    GET and DELETE change nothing by being repeated, and a repeated ``POST /tokens`` is stopped by the unique name,
    which answers 409. A repeated rotate would kill the secret that the first one made.

    Attributes:
        tries: how often one request is sent at the most.
        first_pause: the longest first pause, seconds; it doubles from try to try.
        longest_pause: the longest of all pauses, seconds.
        deadline: how long one call may take with all its tries, seconds.
        longest_wait: how long one call may wait for the rate limit, seconds, on top of the deadline.
    """

    tries: int = 5
    first_pause: float = 0.5
    longest_pause: float = 15.0
    deadline: float = 90.0
    longest_wait: float = 300.0

    def pause(self, tried: int) -> float:
        """How long to wait after the ``tried``-th try, from 1; seconds, random."""
        return _CHANCE.uniform(0, min(self.longest_pause, self.first_pause * 2 ** (tried - 1)))

"""How long a store is waited for, the same in every kind: what a write and a look may take, and the pauses between."""

from __future__ import annotations

import random
import re

LONGEST_WRITE = 45.0
"""Seconds that one write takes at most, every repetition included: longer, and another run might come in between."""

LONGEST_READ = 30.0
"""Seconds that a look takes at most."""

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 8.0

_CHANCE = random.SystemRandom()
_SECONDS = re.compile(r"\s*([0-9]{1,6})\s*", re.ASCII)


def pause(tried: int, first: float | None = None) -> float:
    """How long to wait after the ``tried``-th try, from 1; seconds, random, up to a bound that doubles."""
    bound = (FIRST_PAUSE if first is None else first) * 2 ** (tried - 1)
    return _CHANCE.uniform(0, min(LONGEST_PAUSE, bound))


def asked(header: str | None) -> float | None:
    """The seconds that a ``Retry-After`` asks to wait; None where there is none, or it gives a date."""
    match = _SECONDS.fullmatch(header or "")
    return float(match[1]) if match is not None else None

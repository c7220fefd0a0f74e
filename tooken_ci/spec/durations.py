"""Durations and shares as the spec writes them: ``90d``, ``72h``, ``30m``, ``2w``; ``33%``."""

from __future__ import annotations

import functools
import re
from datetime import timedelta
from fractions import Fraction

LONGEST = timedelta(days=36_500)
"""A century: far beyond any token's life, and it keeps every sum of durations within what a date can hold."""

_UNITS = {
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
_DURATION = re.compile(r"(?P<count>[1-9][0-9]{0,7})(?P<unit>[mhdw])")
_SHARE = re.compile(r"(?P<percent>[0-9]{1,3}(\.[0-9]{1,2})?)%")
_READABLE = 999
"""A count with more digits than this says less than the same time in several units."""


@functools.lru_cache(maxsize=1024)
def parse(text: str) -> timedelta:
    """Read a duration: a positive whole number and its unit, m, h, d or w.

    Raises:
        ValueError: it is none, or longer than a century.
    """
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError("a duration is a whole number and its unit, such as 30m, 72h, 90d or 2w")
    duration = int(match["count"]) * _UNITS[match["unit"]]
    if duration > LONGEST:
        raise ValueError(f"the longest duration is {show(LONGEST)}")
    return duration


def show(duration: timedelta) -> str:
    """Write a duration exactly, and as short as can be read: ``36h``, ``90d``, ``29d 16h 48m``, ``0``."""
    if duration < timedelta(0):
        return f"-{show(-duration)}"
    if not duration:
        return "0"
    whole = [
        f"{duration // size}{unit}"
        for unit, size in (("d", _UNITS["d"]), ("w", _UNITS["w"]), ("h", _UNITS["h"]), ("m", _UNITS["m"]))
        if not duration % size and (unit in "dw" or duration // size <= _READABLE)
    ]
    return min(whole, key=len) if whole else _composed(duration)


def _composed(duration: timedelta) -> str:
    parts = []
    for unit in "dhm":
        count, duration = divmod(duration, _UNITS[unit])
        if count:
            parts.append(f"{count}{unit}")
    if duration:
        parts.append(f"{duration.seconds + duration.microseconds / 1_000_000:g}s")
    return " ".join(parts)


def parse_share(text: str) -> Fraction:
    """Read a share such as ``33%`` or ``12.5%``, exactly, as a number from 0 to 1.

    Raises:
        ValueError: it is none, or more than the whole.
    """
    match = _SHARE.fullmatch(text)
    share = Fraction(match["percent"]) / 100 if match is not None else Fraction(2)
    if share > 1:
        raise ValueError("a share goes from 0% to 100%, such as 20%")
    return share


def show_share(share: Fraction) -> str:
    """Write a share as the spec does: ``33%``."""
    return f"{float(share * 100):g}%"

"""Instants as people read them: to the minute, in UTC, and how far from the time of the plan."""

from __future__ import annotations

import datetime as dt

_UNITS = (
    (dt.timedelta(days=365), "year"),
    (dt.timedelta(days=1), "day"),
    (dt.timedelta(hours=1), "hour"),
    (dt.timedelta(minutes=1), "minute"),
)
_TWICE = 2
"""From two of a unit on it is told in that unit, so that what is left out is never much."""


def day(at: dt.datetime) -> str:
    """``2026-11-23 UTC``."""
    return at.astimezone(dt.UTC).strftime("%Y-%m-%d UTC")


def minute(at: dt.datetime) -> str:
    """``2026-11-23 19:20 UTC``."""
    return at.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M UTC")


def told(at: dt.datetime, now: dt.datetime) -> str:
    """``2026-11-23 19:20 UTC (in 3 days)``."""
    return f"{minute(at)} ({relative(at, now)})"


def relative(at: dt.datetime, now: dt.datetime) -> str:
    """``in 3 days``, ``5 hours ago``, ``just now``; rounded down."""
    distance = abs(at - now)
    for size, unit in _UNITS:
        if (number := distance // size) >= _TWICE:
            return f"in {number} {unit}s" if at > now else f"{number} {unit}s ago"
    return "just now"


def used(at: dt.datetime | None, now: dt.datetime) -> str:
    """``last used 3 days ago``, or ``never used``."""
    return "never used" if at is None else f"last used {relative(at, now)}"

"""Instants as people read them: to the minute, in UTC, and how far from the time of the plan.

Where that time is given as a day alone, nothing finer is told: such a page need not be changed before the day is over.
"""

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


def itself(now: dt.date) -> str:
    """``2026-11-23 19:20 UTC``; of a day ``2026-11-23 UTC``."""
    return minute(now) if isinstance(now, dt.datetime) else now.strftime("%Y-%m-%d UTC")


def minute(at: dt.datetime) -> str:
    """``2026-11-23 19:20 UTC``."""
    return at.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M UTC")


def told(at: dt.datetime, now: dt.date) -> str:
    """``2026-11-23 19:20 UTC (in 3 days)``."""
    return f"{minute(at)} ({relative(at, now)})"


def relative(at: dt.datetime, now: dt.date) -> str:
    """``in 3 days``, ``5 hours ago``, ``just now``, rounded down; from a day, by the calendar, ``tomorrow``."""
    if not isinstance(now, dt.datetime):
        return _by_day((at.astimezone(dt.UTC).date() - now).days)
    distance = abs(at - now)
    for size, unit in _UNITS:
        if (number := distance // size) >= _TWICE:
            return f"in {number} {unit}s" if at > now else f"{number} {unit}s ago"
    return "just now"


def _by_day(days: int) -> str:
    near = {-1: "yesterday", 0: "today", 1: "tomorrow"}.get(days)
    return near or (f"in {days} days" if days > 0 else f"{-days} days ago")


def used(at: dt.datetime | None, now: dt.date) -> str:
    """``last used 3 days ago``, or ``never used``."""
    return "never used" if at is None else f"last used {relative(at, now)}"

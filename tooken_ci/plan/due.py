"""When a generation is due: to be renewed before it ends, and to be rotated for its age.

Both dates come earlier by a jitter, so that a thousand tokens of one age are not due in one run. It is derived from the
entry's name alone: the same entry always has the same, whoever asks.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
from typing import TYPE_CHECKING

from tooken_ci.base import times
from tooken_ci.plan.difference import Reason
from tooken_ci.plan.model import Cause
from tooken_ci.spec.durations import show

if TYPE_CHECKING:
    from tooken_ci.spec.model import Entry
    from tooken_ci.tooken.model import Token

_PART = 10
"""The jitter is at most the tenth part of what it is taken from."""

_NO_TIME = dt.timedelta(0)
_MINUTE = dt.timedelta(minutes=1)
_UNITS = (dt.timedelta(days=1), dt.timedelta(hours=1), _MINUTE)
_BYTES = 4


@dataclasses.dataclass(frozen=True, kw_only=True)
class Due:
    """The earliest instants at which a run replaces a generation, UTC; None = it never does for that reason.

    Attributes:
        renewal: because its end comes near; an absolute ``expires_at`` is never renewed.
        rotation: because of its age.
    """

    renewal: dt.datetime | None
    rotation: dt.datetime | None


def due(entry: Entry, token: Token, made: dt.datetime | None = None) -> Due:
    """When a generation of an entry is due. A fresh one is due after ``runs_every`` at the earliest, or ``every``.

    Args:
        entry: the entry.
        token: its generation.
        made: when the generation's secret was made, UTC; with the token where left out.
    """
    renewal, rotation = _renewal(entry, token), _rotation(entry, made or token.created_at)
    return Due(
        renewal=None if renewal is None else renewal - renewal_jitter(entry),
        rotation=None if rotation is None else rotation - rotation_jitter(entry),
    )


def reasons(entry: Entry, token: Token, now: dt.datetime, made: dt.datetime | None = None) -> list[Reason]:
    """Why the time has come to replace a generation, or to rotate it; empty where it has not. Arguments as ``due``."""
    return [*renewal_reasons(entry, token, now), *rotation_reasons(entry, made or token.created_at, now)]


def renewal_reasons(entry: Entry, token: Token, now: dt.datetime) -> list[Reason]:
    """Why the time has come to replace a generation that is to end; empty where it has not."""
    renewal = _renewal(entry, token)
    # a jitter is drawn only where it can make a difference: plans are made of a hundred thousand entries
    if renewal is None or renewal - _wait(entry) / _PART > now or renewal - renewal_jitter(entry) > now:
        return []
    return [Reason(Cause.TIME, _renewed(entry, token, now))]


def rotation_reasons(entry: Entry, made: dt.datetime, now: dt.datetime) -> list[Reason]:
    """Why the time has come for a new secret, for the age of the one that was made then; empty where it has not."""
    rotation = _rotation(entry, made)
    if rotation is None or rotation - rotation_jitter(entry) > now:
        return []
    return [Reason(Cause.TIME, _rotated(entry, made, now))]


def renewal_jitter(entry: Entry) -> dt.timedelta:
    """How much earlier than ``renew_before`` an entry is renewed."""
    return _jitter(entry, _wait(entry))


def rotation_jitter(entry: Entry) -> dt.timedelta:
    """How much earlier than ``every`` an entry is rotated."""
    return _jitter(entry, entry.rotate_every or _NO_TIME)


def _renewal(entry: Entry, token: Token) -> dt.datetime | None:
    if entry.renew_before is None or token.expires_at is None:
        return None
    return token.expires_at - entry.renew_before


def _rotation(entry: Entry, made: dt.datetime) -> dt.datetime | None:
    return None if entry.rotate_every is None else made + entry.rotate_every


def _wait(entry: Entry) -> dt.timedelta:
    """How long a fresh token lives before its renewal, the jitter apart; no time where the life is too short for it."""
    if entry.expires_in is None or entry.renew_before is None:
        return _NO_TIME
    return max(entry.expires_in - entry.renew_before, _NO_TIME)


def _jitter(entry: Entry, wait: dt.timedelta) -> dt.timedelta:
    """Whole minutes, at most a tenth of the wait, and never so many that less than ``runs_every`` is left of it."""
    most = max(min(wait / _PART, wait - entry.runs_every), _NO_TIME)
    drawn = int.from_bytes(hashlib.sha256(entry.name.encode()).digest()[:_BYTES], "big")
    return ((most // _MINUTE + 1) * drawn >> 8 * _BYTES) * _MINUTE


def _renewed(entry: Entry, token: Token, now: dt.datetime) -> str:
    if entry.renew_before is None or token.expires_at is None:
        return ""
    early = f" and its jitter ({_rough(renewal_jitter(entry))})" if token.expires_at - entry.renew_before > now else ""
    return f"it expires at {times.show(token.expires_at)}, within renew_before ({show(entry.renew_before)}){early}"


def _rotated(entry: Entry, made: dt.datetime, now: dt.datetime) -> str:
    if entry.rotate_every is None:
        return ""
    age = now - made
    early = f", less its jitter ({_rough(rotation_jitter(entry))})" if age < entry.rotate_every else ""
    return f"it is {_rough(age)} old, and is rotated every {show(entry.rotate_every)}{early}"


def _rough(time: dt.timedelta) -> str:
    """A time as people tell it: in the largest unit of which there are two or more, rounded down."""
    unit = next((unit for unit in _UNITS if time >= 2 * unit), _MINUTE)
    return f"{time // unit}{'dhm'[_UNITS.index(unit)]}"

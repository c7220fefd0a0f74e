"""The server's clock, read off the ``Date`` of its answers; the runner's own wall clock is never asked."""

from __future__ import annotations

import datetime as dt
import email.utils
import threading
from typing import TYPE_CHECKING

from tooken_ci.base.errors import NotTheApiError

if TYPE_CHECKING:
    from tooken_ci.base.times import Clock

_AGREE = 2.0
"""Seconds by which two answers about the same clock may differ: each is rounded down, and takes a moment to arrive."""

_APART = 60.0
"""An answer so many seconds behind the others was given by another clock: no answer is under way for so long."""


class ServerTime:
    """Knows the server's time to within a second, always on the early side.

    ``Date`` has whole seconds, so the true time lies up to a second after it; of several answers the one that
    puts the clock furthest ahead is the closest. A single answer that puts it much further ahead is not believed
    until another says the same: whoever is ahead of the time revokes too soon. Where answers keep telling of two
    clocks, nobody knows the time.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._offset: float | None = None
        self._ahead: float | None = None  # what a single answer said
        self._behind: list[float] = []

    def note(self, date: str | None) -> None:
        """Take the ``Date`` of an answer of the API that has just arrived; one that is unreadable teaches nothing."""
        told = _read(date)
        if told is None:
            return
        offset = told - self._clock.monotonic()
        with self._lock:
            if self._offset is None:
                self._offset = offset
            elif offset > self._offset + _AGREE:
                self._leap(offset)
            else:
                self._offset = max(offset, self._offset)
                if offset < self._offset - _APART:
                    self._behind.append(self._offset - offset)

    def _leap(self, offset: float) -> None:
        if self._ahead is None or abs(offset - self._ahead) > _AGREE:
            self._ahead = offset
            return
        self._offset, self._ahead = max(offset, self._ahead), None
        self._behind.clear()

    def epoch(self) -> float | None:
        """Unix seconds on the server's clock; None before the first answer."""
        return None if self._offset is None else self._clock.monotonic() + self._offset

    def now(self) -> dt.datetime:
        """The server's time, UTC.

        Raises:
            NotTheApiError: no answer carried a ``Date``, or the answers disagree about the time.
        """
        epoch = self.epoch()
        if epoch is None:
            raise NotTheApiError(
                "The API's answers carry no readable Date header; without the server's time nothing can be planned.",
                hint="Look for a proxy in between that strips it.",
            )
        if len(self._behind) > 1:
            raise NotTheApiError(
                f"The API's answers disagree about the time by {max(self._behind):.0f} s; without it nothing is done.",
                hint="Look for a proxy in between that answers from a cache, or a server whose clock is wrong.",
            )
        return dt.datetime.fromtimestamp(epoch, dt.UTC)


def _read(date: str | None) -> float | None:
    """Unix seconds; None where it is no date."""
    if date is None:
        return None
    try:
        told = email.utils.parsedate_to_datetime(date)
    except ValueError:
        return None
    if told.tzinfo is None:  # '-0000': UTC all the same, not this machine's zone
        told = told.replace(tzinfo=dt.UTC)
    return told.timestamp()

"""The server's clock, read off the ``Date`` of its answers; the runner's own wall clock is never asked."""

from __future__ import annotations

import datetime as dt
import email.utils
import threading
from typing import TYPE_CHECKING

from tooken_ci.base.errors import NotTheApiError

if TYPE_CHECKING:
    from tooken_ci.base.times import Clock


class ServerTime:
    """Knows the server's time to within a second, always on the early side.

    ``Date`` has whole seconds, so the true time lies up to a second after it; of several answers the one that
    puts the clock furthest ahead is the closest.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._offset: float | None = None

    def note(self, date: str | None) -> None:
        """Take the ``Date`` of an answer that has just arrived; one that is missing or unreadable teaches nothing."""
        if date is None:
            return
        try:
            told = email.utils.parsedate_to_datetime(date)
        except ValueError:
            return
        if told.tzinfo is None:  # '-0000': UTC all the same, not this machine's zone
            told = told.replace(tzinfo=dt.UTC)
        offset = told.timestamp() - self._clock.monotonic()
        with self._lock:
            if self._offset is None or offset > self._offset:
                self._offset = offset

    def epoch(self) -> float | None:
        """Unix seconds on the server's clock; None before the first answer."""
        return None if self._offset is None else self._clock.monotonic() + self._offset

    def now(self) -> dt.datetime:
        """The server's time, UTC.

        Raises:
            NotTheApiError: no answer carried a ``Date``.
        """
        epoch = self.epoch()
        if epoch is None:
            raise NotTheApiError(
                "The API's answers carry no readable Date header; without the server's time nothing can be planned.",
                hint="Look for a proxy in between that strips it.",
            )
        return dt.datetime.fromtimestamp(epoch, dt.UTC)

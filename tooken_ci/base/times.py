"""Instants, always UTC and aware, as the API writes them; and the process's own clock, as something to hand in."""

from __future__ import annotations

import datetime as dt
import time
from typing import Protocol


def parse(text: str) -> dt.datetime:
    """An ISO 8601 instant in UTC; one without an offset is taken for UTC, as the API documents its times.

    Raises:
        ValueError: it is no ISO 8601 instant.
    """
    instant = dt.datetime.fromisoformat(text)
    return instant.replace(tzinfo=dt.UTC) if instant.tzinfo is None else instant.astimezone(dt.UTC)


def show(instant: dt.datetime) -> str:
    """``2026-11-23T19:20:15Z``, to the second."""
    return instant.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Clock(Protocol):
    """What code that waits needs of time; tests hand in one that they move."""

    def monotonic(self) -> float:
        """Seconds that never run backwards."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class SystemClock:
    """The machine's clock. Its wall time is not asked for: only the server's counts."""

    def monotonic(self) -> float:
        """Seconds that never run backwards."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)

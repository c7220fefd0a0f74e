"""Instants, always UTC and aware, as the API writes them; and the process's own clock, as something to hand in."""

from __future__ import annotations

import datetime as dt
import math
import time
from typing import Protocol

from tooken_ci.base.errors import DeadlineError, StoppedError

_SLICE = 0.1

_PATIENCE = 4.5
"""Seconds that what is under way has to end in; a CI runner kills 7.5 s after its first signal."""


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
        """Wait.

        Raises:
            StoppedError: the run is to end, or its deadline would pass meanwhile.
        """
        ...

    def check(self) -> None:
        """Whether something new may be begun.

        Raises:
            StoppedError: the run is to end, or its deadline has passed.
        """
        ...

    def overdue(self) -> bool:
        """Whether the run was to end a while ago, so that what still hangs is not waited for any longer."""
        ...


class Stop:
    """Whether somebody has asked the run to end, and how.

    A plain attribute, because a signal handler sets it: a lock could be held by the very thread that it interrupts.

    Attributes:
        by: what asked, such as ``SIGTERM``; empty = nobody has.
    """

    def __init__(self) -> None:
        self.by = ""


class RunClock:
    """The machine's clock, for one run that can be stopped and has a deadline. Every wait of the run goes through it.

    Its wall time is not asked for: only the server's counts.
    """

    def __init__(self, *, stop: Stop | None = None, deadline: float = math.inf) -> None:
        """Start the run.

        Args:
            stop: is looked at while waiting; nobody can stop the run where left out.
            deadline: seconds that the run may take.
        """
        self._stop = stop or Stop()
        self._deadline = deadline
        self._ends = time.monotonic() + deadline
        self._overdue = self._ends + _PATIENCE

    def monotonic(self) -> float:
        """Seconds that never run backwards."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait, in slices so short that a stop is noticed at once. Raises as ``Clock.sleep``."""
        until = time.monotonic() + seconds
        if until > self._ends:
            raise self._too_late(f"a wait of {seconds:.0f} s would go past it")
        while (rest := until - time.monotonic()) > 0:
            self.check()
            time.sleep(min(rest, _SLICE))

    def check(self) -> None:
        """Raise as ``Clock.check``."""
        if self._stop.by:
            raise StoppedError(
                f"The run was stopped by {self._stop.by}.", hint="The next run finishes what this one left."
            )
        if time.monotonic() > self._ends:
            raise self._too_late("it has passed")

    def overdue(self) -> bool:
        """Tell as ``Clock.overdue``; it must be asked again and again, for nothing else notes when the run stopped."""
        if self._stop.by:
            self._overdue = min(self._overdue, time.monotonic() + _PATIENCE)
        return time.monotonic() > self._overdue

    def _too_late(self, why: str) -> DeadlineError:
        return DeadlineError(
            f"The run's deadline is {self._deadline:.0f} s, and {why}.",
            hint="Run again, it goes on from here; or give it more time with --deadline.",
        )

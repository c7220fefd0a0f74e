"""How far the work has come: a bar where a person watches, now and then a line where a log is kept."""

from __future__ import annotations

import sys
import threading
import time
from typing import Protocol

from tooken_ci.base.progress import Progress
from tooken_ci.cli.reporting import say

_EVERY = 10.0
"""Seconds between two lines of a log."""


class Display(Progress, Protocol):
    """A progress that is shown."""

    def rest(self) -> None:
        """Leave the screen to others until the next step."""
        ...


class Lines:
    """A line of the log, every 10 s at the most. Waits are logged by who waits."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = time.monotonic()

    def step(self, what: str, done: int, total: int) -> None:
        """Tell it, if the last line is old enough."""
        with self._lock:
            if time.monotonic() - self._last >= _EVERY:
                self._last = time.monotonic()
                say(f"{done} of {total} {what}.")

    def wait(self, seconds: float, why: str) -> None:
        """Nothing."""

    def rest(self) -> None:
        """Nothing."""


def display(*, in_ci: bool) -> Display:
    """What suits the place: in CI a standard error that claims to be a terminal is a log all the same."""
    if in_ci or not sys.stderr.isatty():
        return Lines()
    from tooken_ci.cli.bar import Bar

    return Bar()

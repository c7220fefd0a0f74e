"""The user's programs that are under way: none may go on, and write, once the run that started it is over."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

_PATIENCE = 0.5
"""Seconds that the end of the run waits for a program that is just being started; such a start may hang."""


class RunOverError(Exception):
    """The run is over, so no program is started any more."""


class Children:
    """The programs of a run, each the leader of a process group of its own. Thread-safe."""

    def __init__(self) -> None:
        # Held while one is started, or a run that ends just then would not know of it; re-entrant, since the handler of
        # a signal may come while the very thread that it interrupts ends them.
        self._lock = threading.RLock()
        self._groups: set[int] = set()
        self._over = False

    def start(self, begin: Callable[[], subprocess.Popen[bytes]]) -> subprocess.Popen[bytes]:
        """Start a program, unless the run is over.

        Raises:
            RunOverError: it is.
        """
        with self._lock:
            if self._over:
                raise RunOverError("the run is over")
            process = begin()
            self._groups.add(process.pid)
            return process

    def ended(self, process: subprocess.Popen[bytes]) -> None:
        """Forget a program of which nothing is left."""
        self._groups.discard(process.pid)  # without the lock: a start that hangs must not hold up the others

    def end(self) -> None:
        """Kill all that are under way, with what they started, and let none begin from now on."""
        held = self._lock.acquire(timeout=_PATIENCE)
        try:
            self._over = True
            for group in self._groups.copy():
                with contextlib.suppress(ProcessLookupError, PermissionError):  # it has ended by itself
                    os.killpg(group, signal.SIGKILL)
        finally:
            if held:
                self._lock.release()


children = Children()
"""The process's programs: the run that ends, and with it the process, leaves none of them behind."""

"""SIGINT, SIGTERM, SIGHUP and SIGQUIT ask the run to end; a second one ends it at once, and so does time."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from typing import TYPE_CHECKING

from tooken_ci.base import half_written
from tooken_ci.base.children import children
from tooken_ci.base.errors import StoppedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from tooken_ci.base.times import Stop

_HEEDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
_OF_THE_TERMINAL = {signal.SIGHUP, signal.SIGQUIT}
"""Whoever has them ignored, as nohup does, wants the run to go on without its terminal."""

_STDERR = 2
_SHOW_CURSOR = b"\x1b[?25h"

_SAME = 1.0
"""Seconds within which a signal is the same one: a supervisor may send it to the process, and to its group as well."""

_LONGEST = 6
"""Seconds after which the kernel ends a process that was asked to end; a CI runner would 1.5 s later."""

_PROCESS_1 = 1
"""In a container the command is this one, to which the kernel does nothing for a signal that it does not handle."""

_SHELLS_CODE = 128
"""Added to a signal's number it is what a shell, or who runs a container, tells as the exit code."""


@contextlib.contextmanager
def heeding_signals(stop: Stop) -> Iterator[None]:
    """Inside, the first signal asks the run to end, and the next kills the process, which is safe at any moment.

    What the kernel kills at last has no programs under way: ``bounded`` has ended them by then.
    """
    first = 0.0

    def heed(number: int, _: FrameType | None) -> None:
        nonlocal first
        now = time.monotonic()
        if not stop.by:
            first, stop.by = now, signal.Signals(number).name
            signal.alarm(_LONGEST)
        elif now - first >= _SAME:
            _end_by(number)

    if os.getpid() == _PROCESS_1:
        signal.signal(signal.SIGALRM, lambda number, _: _end_by(number))
    with _handling(heed):
        try:
            yield
        finally:
            signal.alarm(0)


@contextlib.contextmanager
def asking() -> Iterator[None]:
    """Inside, a person is asked, and a signal ends the question.

    Raises:
        StoppedError: by any but SIGINT.
        KeyboardInterrupt: by SIGINT.
    """

    def interrupt(number: int, _: FrameType | None) -> None:
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        raise StoppedError(f"The run was stopped by {signal.Signals(number).name}.", hint="Nothing was changed.")

    with _handling(interrupt):
        yield


@contextlib.contextmanager
def _handling(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    heeded = [one for one in _HEEDED if one not in _OF_THE_TERMINAL or signal.getsignal(one) is not signal.SIG_IGN]
    before = {number: signal.signal(number, handler) for number in heeded}
    try:
        yield
    finally:
        for number, former in before.items():
            signal.signal(number, former)


def _end_by(number: int) -> None:
    """End as the signal does by default, but with the user's programs; a progress bar may have hidden the cursor."""
    children.end()
    half_written.remove_all()
    with contextlib.suppress(OSError):
        if os.isatty(_STDERR):
            os.write(_STDERR, _SHOW_CURSOR)
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    os._exit(_SHELLS_CODE + number)  # process 1 is still there

"""SIGINT and SIGTERM ask the run to end; a second one ends it at once."""

from __future__ import annotations

import contextlib
import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from tooken_ci.base.times import Stop

_HEEDED = (signal.SIGINT, signal.SIGTERM)


@contextlib.contextmanager
def heeding_signals(stop: Stop) -> Iterator[None]:
    """Inside, the first signal asks the run to end, and the next kills the process, which is safe at any moment."""

    def heed(number: int, _: FrameType | None) -> None:
        stop.by = signal.Signals(number).name
        for heeded in _HEEDED:
            signal.signal(heeded, signal.SIG_DFL)

    before = {number: signal.signal(number, heed) for number in _HEEDED}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

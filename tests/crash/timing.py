"""One time for the server and for every run: a wait moves it instead of being waited."""

from __future__ import annotations

import mmap
import struct
import time
from typing import TYPE_CHECKING, Self

from tooken_ci.sandbox.clock import Clock

if TYPE_CHECKING:
    from pathlib import Path

_SKIPPED = struct.Struct("=d")
_FROZEN = _SKIPPED.size
_WAITING = _FROZEN + 1
_CLIENTS = 2
_REAL_SLEEP = time.sleep
_PAUSE = 0.002


class SharedTime:
    """Seconds that were skipped so far, in a file that several processes map into their memory.

    Attributes:
        path: of the file.
    """

    def __init__(self, path: Path, client: int = 0) -> None:
        """Maps a file, which is made where there is none; one of two clients that run at once may wait by it."""
        self.path = path
        self._client = client
        if not path.exists():
            path.write_bytes(bytes(_WAITING + _CLIENTS))
        with path.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), _WAITING + _CLIENTS)

    @property
    def skipped(self) -> float:
        """Seconds by which this time is ahead of the machine's."""
        return float(_SKIPPED.unpack_from(self._memory)[0])

    def set(self, skipped: float) -> None:
        """Moves the time to so many seconds ahead of the machine's."""
        _SKIPPED.pack_into(self._memory, 0, skipped)

    def freeze(self) -> None:
        """Keeps whoever waits waiting."""
        self._memory[_FROZEN] = True

    def go_on(self) -> None:
        """Ends that."""
        self._memory[_FROZEN] = False

    def waits(self, client: int) -> bool:
        """Whether a client is kept waiting."""
        return bool(self._memory[_WAITING + client])

    def now(self) -> float:
        """Unix seconds."""
        return time.time() + self.skipped

    def monotonic(self) -> float:
        """Seconds that never run backwards."""
        return time.monotonic() + self.skipped

    def sleep(self, seconds: float) -> None:
        """Skips what would have been waited, once nothing is frozen."""
        while self._memory[_FROZEN]:
            self._memory[_WAITING + self._client] = True
            _REAL_SLEEP(_PAUSE)
        self._memory[_WAITING + self._client] = False
        self.set(self.skipped + seconds)

    def close(self) -> None:
        """Unmaps the file."""
        self._memory.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class ServerClock(Clock):
    """The sandbox's clock, moved by whoever waits."""

    def __init__(self, shared: SharedTime) -> None:
        super().__init__()
        self._shared = shared

    def now(self) -> float:
        """Unix seconds."""
        return self._shared.now()

    def advance(self, seconds: float) -> None:
        """Moves the time."""
        self._shared.set(self._shared.skipped + seconds)

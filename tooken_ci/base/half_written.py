"""Files that are half written, and may hold a secret: none is left behind by a run that ends, however it is ended.

What the kernel kills leaves its own, be it an empty folder; the next write to the same place removes that.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_FOLDER_MODE = 0o700
_MODE = 0o600

_NAME = "half-written"
"""Of the file in its folder. Nothing else is removed there, whatever stands in the folder's place by then."""

_A_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NO_LOCK = {errno.EWOULDBLOCK, errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS}

_folders: set[Path] = set()


@contextlib.contextmanager
def half_written(path: Path) -> Iterator[tuple[int, Path]]:
    """A new file, 0600 in a folder that is 0700, open for writing; what stands there in the end is removed.

    The folder stands beside what the file is to become, since only within a file system can it take that one's place in
    one step. What a run that was killed left there goes first; what another run is at work on stays: it holds a lock on
    its folder, which the kernel gives up when the run ends, however it ends.

    Args:
        path: what it is to become.

    Raises:
        OSError: it cannot be made, or what was left cannot be removed; tells where not even the folder can be made.
    """
    _clear(path)
    folder = path.with_name(f"{_prefix(path)}{os.urandom(4).hex()}")
    _folders.add(folder)  # before it is there: a signal may come in between
    try:
        held = _made(folder)
        try:
            half = folder / _NAME
            yield os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, _MODE), half
        finally:
            _remove(folder)
            os.close(held)
    finally:
        _folders.discard(folder)


def remove_all() -> None:
    """Remove what other threads are writing: the process is about to end without them."""
    for folder in _folders.copy():
        with contextlib.suppress(OSError):
            _remove(folder)


def _clear(path: Path) -> None:
    """Remove what a run that was killed left half written: it may be a secret."""
    pattern = re.compile(re.escape(_prefix(path)) + r"[0-9a-f]{8}")
    for left in path.parent.iterdir():
        if pattern.fullmatch(left.name):
            _remove_dead(left)


def _remove_dead(folder: Path) -> None:
    """Remove a folder that nobody is at work in; where that cannot be told, it stays."""
    try:
        left = os.open(folder, _A_FOLDER)
    except FileNotFoundError:  # its run has ended meanwhile
        return
    try:
        fcntl.flock(left, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _remove(folder)
    except OSError as error:
        if error.errno not in _NO_LOCK:
            raise
    finally:
        os.close(left)


def _prefix(path: Path) -> str:
    """How the folder's name begins: like no other file's, and short enough whatever the file is called."""
    return f".{path.name[:40]}.{zlib.crc32(os.fsencode(path.name)):08x}.tooken-"


def _made(folder: Path) -> int:
    """Makes the folder, and gives an open descriptor of it that holds the lock."""
    while True:
        _make(folder)
        try:
            held = os.open(folder, _A_FOLDER)
        except FileNotFoundError:  # who clears up came before the lock
            continue
        with contextlib.suppress(OSError):  # a file system without locks: then nobody clears up there either
            fcntl.flock(held, fcntl.LOCK_EX)
        if folder.exists():
            return held
        os.close(held)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(mode=_FOLDER_MODE)
    except OSError as error:
        if not os.access(folder.parent, os.W_OK | os.X_OK):
            raise
        told = "its folder permits files but no folder, and a private one is needed to write it in"
        raise OSError(error.errno, f"{told}: {error.strerror}") from None


def _remove(folder: Path) -> None:
    with contextlib.suppress(FileNotFoundError):  # it has taken its place
        (folder / _NAME).unlink()
    with contextlib.suppress(FileNotFoundError):
        folder.rmdir()

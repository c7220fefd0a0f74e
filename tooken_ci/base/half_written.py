"""Files that are half written, and may hold a secret: none is left behind by a run that ends, however it is ended.

What the kernel kills leaves its own; the next write to the same place removes that.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_paths: set[str] = set()


@contextlib.contextmanager
def half_written(folder: Path, prefix: str) -> Iterator[tuple[int, str]]:
    """A new file, 0600 from its first moment, open for writing; what stands there in the end is removed.

    It stands beside what it is to become, since only within a file system can it take that one's place in one step.

    Args:
        folder: where it is made.
        prefix: how its name begins.
    """
    handle, path = tempfile.mkstemp(prefix=prefix, dir=folder)
    _paths.add(path)
    try:
        yield handle, path
    finally:
        with contextlib.suppress(FileNotFoundError):  # it has taken its place
            os.unlink(path)  # noqa: PTH108  # pathlib would only wrap it
        _paths.discard(path)


def remove_all() -> None:
    """Remove what other threads are writing: the process is about to end without them."""
    for path in _paths.copy():
        with contextlib.suppress(OSError):
            os.unlink(path)  # noqa: PTH108  # as above

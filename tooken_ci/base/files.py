"""Every file that the run writes, but what a destination is to hold: masked, and searched when the run ends.

What came from outside was masked before it was put there; what is finished is masked once more, as on the streams.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tooken_ci.base.half_written import half_written
from tooken_ci.base.leaks import written
from tooken_ci.base.redact import redactor
from tooken_ci.base.text import intact

if TYPE_CHECKING:
    from pathlib import Path


def replace(path: Path, text: str, *, mode: int) -> None:
    """Write a document for programs in one step: whoever reads it sees the old content or the new, never a part.

    Raises:
        OSError: it could not be written, or not without a mask that would break it.
    """
    document = intact(text)
    with half_written(path) as (handle, half):
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(document)
        half.chmod(mode)
        half.replace(path)
    written.note(path)


def append(path: Path, text: str) -> None:
    """Add a text for people to a file, masked.

    Raises:
        OSError: it could not be written.
    """
    _append(path, redactor.finished(text))


def append_values(path: Path, text: str) -> None:
    """Add a text for programs to a file.

    Raises:
        OSError: it could not be written, or not without a mask that would break it.
    """
    _append(path, intact(text))


def hand_over(path: Path, text: str) -> None:
    """Add a text to a file as it is: for a destination alone, since the text holds the secret that is to stand there.

    Raises:
        OSError: it could not be written.
    """
    written.exempt(path, text)
    _append(path, text)


def _append(path: Path, text: str) -> None:
    with path.open("a", encoding="utf-8", errors="surrogateescape") as file:
        written.note(path, file.tell())
        file.write(text)

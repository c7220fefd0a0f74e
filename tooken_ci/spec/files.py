"""Finding and reading the files of a spec."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from tooken_ci.base.errors import Fault, SpecError, UsageError
from tooken_ci.base.position import Position

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_BYTES = 4 * 1024 * 1024
"""The largest file that is read: room for well over ten thousand entries, and a bound on what a stray path costs."""

SUFFIXES = (".yml", ".yaml")


def find(paths: Sequence[str]) -> list[str]:
    """The files that the user's paths name: a file itself; of a folder its ``.yml`` and ``.yaml``, sorted by name.

    Folders inside a folder are not searched, hidden files are passed over, and a file that two paths lead to is
    read once.

    Raises:
        UsageError: a path leads nowhere, or a folder holds no such file.
    """
    if not paths:
        raise UsageError("No spec was named.", hint="Name a file or a folder with --spec.")
    found: dict[str, str] = {}
    for path in paths:
        for file in _expand(path):
            found.setdefault(os.path.realpath(file), file)
    return list(found.values())


def _expand(path: str) -> list[str]:
    if not _exists(path):
        raise UsageError(
            f"There is no spec at {path!r} (looked for in {Path.cwd()}).",
            hint="Create it, or name another file or folder with --spec.",
        )
    if not Path(path).is_dir():
        return [path]
    try:
        names = sorted(item.name for item in Path(path).iterdir() if is_spec(item))
    except OSError as error:
        raise UsageError(f"The folder {path!r} cannot be read: {error.strerror}.") from error
    if not names:
        raise UsageError(
            f"The folder {path!r} holds no file named *.yml or *.yaml (folders inside it are not searched).",
            hint="Name another file or folder with --spec.",
        )
    return [str(Path(path) / name) for name in names]


def _exists(path: str) -> bool:
    try:
        return bool(path) and Path(path).exists()
    except (OSError, ValueError):  # too long a name, a folder that may not be entered, a NUL
        return False


def is_spec(item: Path) -> bool:
    """Whether a file that stands in a folder belongs to the spec there."""
    return is_spec_name(item.name) and item.is_file()


def is_spec_name(name: str) -> bool:
    """Whether a file would belong to the spec, by its name."""
    return Path(name).suffix in SUFFIXES and not name.startswith(".")


def read(file: str) -> str:
    """The text of one file.

    Raises:
        UsageError: the file cannot be read.
        SpecError: it is too large, or not UTF-8.
    """
    try:
        with Path(file).open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(
            f"The spec {file!r} cannot be read: {error.strerror}.", hint="Check the path and its permissions."
        ) from error
    if len(content) > MAX_BYTES:
        raise SpecError([_too_large(file)])
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SpecError([_not_utf8(file, content, error.start)]) from error


def _too_large(file: str) -> Fault:
    size = Path(file).stat().st_size
    found = f"has {size:,} bytes" if size > MAX_BYTES else "is longer"
    return Fault(
        Position(file, 1, 1),
        f"The file {found}; a spec may have {MAX_BYTES:,} (4 MiB) at most.",
        hint="Is it the right file? A spec can be split: --spec can be given several times.",
    )


def _not_utf8(file: str, content: bytes, start: int) -> Fault:
    line = content.count(b"\n", 0, start) + 1
    begin = content.rfind(b"\n", 0, start) + 1
    column = len(content[begin:start].decode("utf-8", errors="replace")) + 1
    return Fault(
        Position(file, line, column),
        f"The byte 0x{content[start]:02X} is not UTF-8.",
        hint="Save the file as UTF-8.",
    )

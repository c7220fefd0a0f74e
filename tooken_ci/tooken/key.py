"""Where the key comes from: a variable or a file, never an option's value, which every process list would show."""

from __future__ import annotations

import contextlib
import logging
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from tooken_ci.base.errors import NoKeyError, UsageError
from tooken_ci.base.redact import MINIMUM
from tooken_ci.base.secret import Secret
from tooken_ci.base.text import quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, MutableMapping

log = logging.getLogger(__name__)

VARIABLE = "TOOKEN_API_KEY"
_OURS = (VARIABLE, "TOOKEN_COMMENT_TOKEN")
_OTHERS = 0o077

_LARGEST = 8_192
"""Bytes; a file that is larger holds something else."""


def read_key(environ: Mapping[str, str], file: str | None) -> Secret:
    """The key; a file that is named goes before the variable.

    Raises:
        UsageError: there is none, the file cannot be read, or others may, or what was found cannot be a key.
    """
    source = f"the file {quoted(file)}" if file is not None else VARIABLE
    found = environ.get(VARIABLE, "") if file is None else _content(file)
    value = found.strip()
    if not value:
        raise (NoKeyError if file is None else UsageError)(
            f"There is no API key: {source} is {'empty' if file or VARIABLE in environ else 'not set'}.",
            hint=f"Set {VARIABLE}, or name a file that holds the key with --api-key-file.",
        )
    if len(value) < MINIMUM or not (value.isascii() and value.isprintable()) or " " in value:
        raise UsageError(
            f"What {source} holds cannot be an API key: {len(value)} characters, or some that no key has.",
            hint="Copy the key again from Settings, API Keys, as one line.",
        )
    return Secret(value)


def mask_variables(environ: Mapping[str, str], names: Iterable[str] = _OURS) -> None:
    """Have what variables hold masked before it is needed: people give the key where a name or a path belongs, too."""
    for name in names:
        value = environ.get(name, "").strip()
        if len(value) >= MINIMUM:
            Secret(value)


@contextlib.contextmanager
def withheld(environ: MutableMapping[str, str]) -> Iterator[Mapping[str, str]]:
    """Inside, the variables that are ours alone are gone: libraries start programs, which would inherit them.

    Yields:
        The environment with them.
    """
    held = {name: environ.pop(name) for name in _OURS if name in environ}
    try:
        yield {**environ, **held}
    finally:
        environ.update(held)


def mask_file(file: str) -> None:
    """Have a file's key masked before it is needed, as the variable's; ``read_key`` tells what is wrong with the file.

    What others may read is masked all the same. A file that would give nothing the second time is left alone.
    """
    try:
        path = Path(file)
        if not path.is_file():  # a pipe gives it once
            return
        with path.open("rb") as stream:
            content = stream.read(_LARGEST + 1)
        value = content.decode().strip()
    except (OSError, ValueError):
        return
    if len(value) >= MINIMUM and len(content) <= _LARGEST:
        Secret(value)


def _content(file: str) -> str:
    try:
        with Path(file).open("rb") as stream:
            _demand_privacy(file, stream.fileno())
            content = stream.read(_LARGEST + 1)
        if len(content) > _LARGEST:
            raise ValueError  # noqa: TRY301  # as what is no text: it is no key
        return content.decode()
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else "it is not text, or too much of it"
        raise UsageError(
            f"The key's file {quoted(file)} cannot be read: {why.lower()}.",
            hint="Check the path given with --api-key-file.",
        ) from None


def _demand_privacy(file: str, opened: int) -> None:
    """See that only its owner has a part in the key's file, as far as this user could have made it so.

    Raises:
        UsageError: others may read or replace it.
    """
    mode = os.fstat(opened).st_mode
    if not stat.S_ISREG(mode) or not mode & _OTHERS:
        return
    told = f"The key's file {quoted(file)} is open to others on this machine (its mode is {stat.S_IMODE(mode):04o})"
    if os.fstatvfs(opened).f_flag & os.ST_RDONLY or _of_kubernetes(file):
        log.warning("%s; it was mounted like that, so it is taken all the same.", told)
        return
    raise UsageError(f"{told}.", hint="Run 'chmod 600' on it; if others have been here, rotate the key too.")


def _of_kubernetes(file: str) -> bool:
    """Whether it is a file of a mounted secret: a link into ``..data``, which is a link to the version of the day."""
    path = Path(file)
    return path.is_symlink() and path.readlink().parts[0] == "..data" and path.with_name("..data").is_symlink()

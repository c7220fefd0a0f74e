"""Where the key comes from: a variable or a file, never an option's value, which every process list would show."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tooken_ci.base.errors import UsageError
from tooken_ci.base.redact import MINIMUM
from tooken_ci.base.secret import Secret
from tooken_ci.base.text import quoted

if TYPE_CHECKING:
    from collections.abc import Mapping

VARIABLE = "TOOKEN_API_KEY"


def read_key(environ: Mapping[str, str], file: str | None) -> Secret:
    """The key; a file that is named goes before the variable.

    Raises:
        UsageError: there is none, the file cannot be read, or what was found cannot be a key.
    """
    source = f"the file {quoted(file)}" if file is not None else VARIABLE
    found = environ.get(VARIABLE, "") if file is None else _content(file)
    value = found.strip()
    if not value:
        raise UsageError(
            f"There is no API key: {source} is {'empty' if file or VARIABLE in environ else 'not set'}.",
            hint=f"Set {VARIABLE}, or name a file that holds the key with --api-key-file.",
        )
    if len(value) < MINIMUM or not (value.isascii() and value.isprintable()) or " " in value:
        raise UsageError(
            f"What {source} holds cannot be an API key: {len(value)} characters, or some that no key has.",
            hint="Copy the key again from Settings, API Keys, as one line.",
        )
    return Secret(value)


def _content(file: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else "it is not text"
        raise UsageError(
            f"The key's file {quoted(file)} cannot be read: {why.lower()}.",
            hint="Check the path given with --api-key-file.",
        ) from None

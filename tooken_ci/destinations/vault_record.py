"""The delivery record in a secret's custom metadata: one name for each key, and more where it is long.

Vault takes 64 names of 128 bytes, each with a value of 512 bytes at the most. A longer record goes on under a second
name, and so on; what goes on ends with ``+``, which no record contains, so a part that is lost is noticed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_NAMES = 64
_LONGEST_VALUE = 512
_MOST_PARTS = 16
_MORE = "+"


class TooLongError(Exception):
    """The record would take more room than a secret's custom metadata has."""


def text_of(metadata: Mapping[str, str], key: str) -> str:
    """The record of a key; empty where there is none. One that lacks a part is no record, and reads as damaged."""
    text = metadata.get(_name(key, 1), "")
    for number in range(2, _MOST_PARTS + 1):
        more = metadata.get(_name(key, number))
        if not text.endswith(_MORE) or more is None:
            break
        text = text.removesuffix(_MORE) + more
    return text


def changes(metadata: Mapping[str, str], key: str, text: str) -> dict[str, str | None]:
    """What to change in the metadata so that the record reads as given; None = the name goes.

    Args:
        metadata: what stands there now.
        key: of the secret's data.
        text: the record, one line.

    Raises:
        TooLongError: it would not fit beside what else stands there.
    """
    room = _LONGEST_VALUE - len(_MORE)
    parts = [text[start : start + room] for start in range(0, len(text), room)]
    wanted: dict[str, str | None] = {
        _name(key, number): part + (_MORE if number < len(parts) else "") for number, part in enumerate(parts, start=1)
    }
    others = metadata.keys() - {_name(key, number) for number in range(1, _MOST_PARTS + 1)}
    if len(parts) > _MOST_PARTS or len(others) + len(parts) > MOST_NAMES:
        raise TooLongError
    outdated = (_name(key, number) for number in range(len(parts) + 1, _MOST_PARTS + 1))
    return wanted | {name: None for name in outdated if name in metadata}


def _name(key: str, number: int) -> str:
    """The number stands before the dot, so that no key's second name is another key's first."""
    return f"tooken-ci.{key}" if number == 1 else f"tooken-ci-{number}.{key}"

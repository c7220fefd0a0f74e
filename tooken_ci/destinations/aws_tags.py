"""The delivery record in the tags of a secret in AWS Secrets Manager.

A tag's value has 255 characters, and other services take only letters, digits, the space and ``+ - = . _ : / @``. A
record that fits is the value of ``tooken-ci``, or ``tooken-ci:KEY`` for one key of a JSON secret. A longer one goes on
in ``tooken-ci.2`` and so on. Each part then says which it is, of how many, and of what text:
``2/3:0123abcd:…``. What an earlier and longer record left behind is so never read as a part of a later one.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_TAGS = 50
"""How many a secret may have."""

ROOM = 4
"""How many tags a record is given room for: a name of 100 letters and four marks."""

LONGEST_VALUE = 255
LONGEST_KEY = 127

_PREFIX = "tooken-ci"
_FIRST = re.compile(r"1/([2-9]|[1-4][0-9]):([0-9a-f]{8}):")
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]")
_SPACE = "+"
"""Stands for a space in a part, lest one begin or end with it; no record has it."""


def tag_key(key: str) -> str:
    """The key of the first tag, for a whole secret or for one key of it.

    Raises:
        ValueError: no tag has a key as long as that.
    """
    if not key:
        return _PREFIX
    escaped = _UNSAFE.sub(lambda match: "".join(f"@{byte:02x}" for byte in match[0].encode()), key)
    first = f"{_PREFIX}:{escaped}"
    if len(f"{first}.{MOST_TAGS}") > LONGEST_KEY:
        raise ValueError("too long")
    return first


def to_tags(first: str, text: str) -> dict[str, str]:
    """A record as tags, of which the first has this key."""
    if len(text) <= LONGEST_VALUE:
        return {first: text}
    body = text.replace(" ", _SPACE)
    size = LONGEST_VALUE - len(f"{MOST_TAGS}/{MOST_TAGS}:{_digest(text)}:")
    parts = [body[start : start + size] for start in range(0, len(body), size)]
    return {
        _numbered(first, number): f"{number}/{len(parts)}:{_digest(text)}:{part}"
        for number, part in enumerate(parts, start=1)
    }


def from_tags(first: str, tags: Mapping[str, str]) -> str:
    """The record that stands in tags; empty = none. Parts that do not belong together give what is no record."""
    value = tags.get(first, "")
    head = _FIRST.match(value)
    if head is None:
        return value
    number, digest = int(head[1]), head[2]
    heads = [f"{part}/{number}:{digest}:" for part in range(1, number + 1)]
    parts = [tags.get(_numbered(first, part), "") for part in range(1, number + 1)]
    if not all(part.startswith(head) for part, head in zip(parts, heads, strict=True)):
        return value
    text = "".join(part.removeprefix(head) for part, head in zip(parts, heads, strict=True)).replace(_SPACE, " ")
    return text if _digest(text) == digest else value


def own_tags(first: str, tags: Mapping[str, str]) -> frozenset[str]:
    """The keys of the tags that are, or were, parts of a record."""
    numbered = re.compile(rf"{re.escape(first)}(?:\.[1-9][0-9]?)?")
    return frozenset(key for key in tags if numbered.fullmatch(key))


def _numbered(first: str, number: int) -> str:
    return first if number == 1 else f"{first}.{number}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]

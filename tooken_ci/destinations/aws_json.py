"""One key of a secret that is a JSON object: read, and replaced without a change to anything beside it."""

from __future__ import annotations

import dataclasses
import json
import re
from typing import Any

_SPACE = re.compile(r"[ \t\n\r]*")
_DECODER = json.JSONDecoder()


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Member:
    """A value, and where it stands in the text."""

    value: Any
    start: int
    end: int


def value_of(text: str, key: str) -> str | None:
    """The value of a key: None where it is missing, null or empty; of one that is no string, its JSON.

    Raises:
        ValueError: the text is no JSON object, or has a key twice; says which.
    """
    member = _members(text).get(key)
    if member is None or member.value is None:
        return None
    return (member.value if isinstance(member.value, str) else text[member.start : member.end]) or None


def with_value(text: str, key: str, value: str) -> str:
    """The same text with another value for one key, which is added where it is missing.

    Raises:
        ValueError: as ``value_of``.
    """
    members = _members(text)
    if key in members:
        return text[: members[key].start] + json.dumps(value) + text[members[key].end :]
    added = f"{json.dumps(key)}: {json.dumps(value)}"
    if not members:
        return f"{{{added}}}"
    last = max(member.end for member in members.values())
    return f"{text[:last]}, {added}{text[last:]}"


def _members(text: str) -> dict[str, _Member]:
    try:
        return _parsed(text)
    except (IndexError, RecursionError, json.JSONDecodeError):
        raise ValueError("it is not a JSON object") from None  # the error itself would show what stands there


def _parsed(text: str) -> dict[str, _Member]:
    members: dict[str, _Member] = {}
    at = _after(text, 0, "{")
    if text[at] == "}":
        _end(text, at)
        return members
    while True:
        key, at = _DECODER.raw_decode(text, at)
        if not isinstance(key, str):
            raise json.JSONDecodeError("a key must be a string", "", 0)
        if key in members:
            raise ValueError("it is a JSON object that has a key twice")
        start = _after(text, at, ":")
        value, end = _DECODER.raw_decode(text, start)
        members[key] = _Member(value=value, start=start, end=end)
        at = _space(text, end)
        if text[at] == "}":
            _end(text, at)
            return members
        at = _after(text, at, ",")


def _space(text: str, at: int) -> int:
    """The place after white space."""
    match = _SPACE.match(text, at)
    return at if match is None else match.end()


def _after(text: str, at: int, sign: str) -> int:
    """The place after a sign and the white space around it."""
    at = _space(text, at)
    if text[at] != sign:
        raise json.JSONDecodeError("another sign was expected", "", 0)
    return _space(text, at + 1)


def _end(text: str, at: int) -> None:
    """See that nothing follows."""
    if _space(text, at + 1) != len(text):
        raise json.JSONDecodeError("something follows the object", "", 0)

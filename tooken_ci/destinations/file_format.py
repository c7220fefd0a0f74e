"""What a file is made of: the secret alone, or one variable of a dotenv file, or one key of a JSON object."""

from __future__ import annotations

import dataclasses
import json
import re
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_ASSIGNMENT = re.compile(
    r"""
    ^(?P<before>\ufeff?[ \t]*(?:export[ \t]+)?)
    (?P<name>[A-Za-z_][A-Za-z0-9_.-]*)[ \t]*=[ \t]*
    (?:
      (?P<quoted>'[^']*'|"(?:\\[\s\S]|[^"\\])*"|`[^`]*`)[ \t]*(?:\#[^\r\n]*)?
    | (?P<bare>[^\n]*?)
    )(?=\r?$)
    """,
    re.MULTILINE | re.VERBOSE,
)
"""One assignment of a dotenv file; what stands in quotes may go over several lines, and hides what looks like one."""

_COMMENT = re.compile(r"(?:^|[ \t])#.*")
_BARE = re.compile(r"[A-Za-z0-9_./+=@:,%-]+")
"""A value that every reader takes as it is, without quotes; those that know no quotes, such as Docker's, too."""

_DISPUTED = frozenset("'\\$`")
"""Characters that readers of dotenv files do not agree on, even between single quotes."""

_SPACE = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str)  # numbers stay as they are, whatever their size


class FormatError(ValueError):
    """A file is not of its format, or cannot take the secret; the text says why, and never shows what stands there."""


class Form(Protocol):
    """A format: where in a file's text the secret stands."""

    def get(self, text: str, key: str) -> str | None:
        """The value of a key; None = there is none.

        Raises:
            FormatError: the text is not of this format.
        """
        ...

    def put(self, text: str, key: str, value: str) -> str:
        """The same text with another value of a key; everything else in it stays.

        Raises:
            FormatError: the text is not of this format, or the value cannot be written in it.
        """
        ...


class Raw:
    """The secret alone, without a line end; there is no key."""

    def get(self, text: str, key: str) -> str | None:
        """All of the text."""
        del key
        return text

    def put(self, text: str, key: str, value: str) -> str:
        """The value alone."""
        del text, key
        return value


class Dotenv:
    """Lines ``NAME=value``. Where a name stands twice the last one counts, as for most readers, and all are written."""

    def get(self, text: str, key: str) -> str | None:
        """The value of a variable; None = it is not set."""
        found = [match for match in _ASSIGNMENT.finditer(text) if match["name"] == key]
        return _meant(found[-1]) if found else None

    def put(self, text: str, key: str, value: str) -> str:
        """The same text with a variable set, in its place or on a line of its own at the end."""
        line = f"{key}={_quoted(value)}"
        parts, done = [], 0
        for match in _ASSIGNMENT.finditer(text):
            if match["name"] == key:
                parts += [text[done : match.end("before")], line]
                done = match.end()
        if parts:
            return "".join([*parts, text[done:]])
        gap = "" if not text or text.endswith("\n") else "\n"
        return f"{text}{gap}{line}\n"


class Json:
    """An object, of which one key at the top is ours. Everything else keeps its very characters."""

    def get(self, text: str, key: str) -> str | None:
        """The value of a key; None = it is missing or null. What is no text is given as it is written."""
        found = [member for member in _members(text) if member.key == key]
        if not found or found[-1].value is None:
            return None
        value = found[-1].value
        return value if isinstance(value, str) else text[found[-1].start : found[-1].end]

    def put(self, text: str, key: str, value: str) -> str:
        """The same object with a key set, in its place or as the last one."""
        members, written = list(_members(text)), json.dumps(value)
        ours = [member for member in members if member.key == key]
        if ours:
            ends = [0, *(member.end for member in ours)]
            kept = [text[end : member.start] for end, member in zip(ends, ours, strict=False)]
            return written.join([*kept, text[ends[-1] :]])
        added = f"{json.dumps(key)}: {written}"
        if members:
            last = members[-1]
            return f"{text[: last.end]},{last.gap}{added}{text[last.end :]}"
        return f"{{\n  {added}\n}}\n"


FORMS: Mapping[str, Form] = {"raw": Raw(), "dotenv": Dotenv(), "json": Json()}
"""Every format, by its name in the spec."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Member:
    """A member of an object: its key, its value, where that begins and ends, and the space before the key."""

    key: str
    value: object
    start: int
    end: int
    gap: str


def _members(text: str) -> Iterator[_Member]:
    """The members of an object in a text; of a text that is empty there are none."""
    if not text.strip():
        return
    try:
        whole = _DECODER.decode(text)
    except (ValueError, RecursionError):
        whole = None
    if not isinstance(whole, dict):
        raise FormatError("it is not a JSON object")
    before = text.index("{") + 1
    at = _after_space(text, before)
    while text[at] != "}":
        gap = text[before:at]
        key, end = _DECODER.raw_decode(text, at)
        start = _after_space(text, _after_space(text, end) + 1)  # behind the colon
        value, end = _DECODER.raw_decode(text, start)
        yield _Member(key=key, value=value, start=start, end=end, gap=gap)
        at = _after_space(text, end)
        if text[at] == ",":
            before = at + 1
            at = _after_space(text, before)


def _after_space(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match is not None else at


def _meant(assignment: re.Match[str]) -> str:
    """The value that an assignment gives, whoever wrote it."""
    quoted: str | None = assignment["quoted"]
    if quoted is None:
        return _COMMENT.sub("", assignment["bare"]).strip()
    inner = quoted[1:-1]
    return re.sub(r"\\([\s\S])", r"\1", inner) if quoted[0] == '"' else inner


def _quoted(value: str) -> str:
    """A value as every common reader takes it."""
    if _BARE.fullmatch(value):
        return value
    if not value.isprintable() or _DISPUTED.intersection(value):
        raise FormatError(
            "the secret has a character that readers of dotenv files do not agree on: a line end or another control "
            "character, a quote ', a backslash, a backtick or a dollar"
        )
    return f"'{value}'"

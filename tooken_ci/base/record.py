"""The delivery record: what stands at a destination beside the secret. One line of text, the same at every store.

    tooken-ci/1 workspace=production id=tok_… name=ci-deploy.g2 at=20261123T192015Z fingerprint=0123456789abcdef
    mark=create:ci-deploy.g3:5f0c9a1b22d4:20261223T060000Z

It uses only letters, digits, ``/ = . _ : @ -`` and the space, and repeats nothing, because the narrowest stores give
it 256 characters and those alone (a tag in AWS Secrets Manager, the description of a GitLab variable). Any other
character is written as ``@`` and two hex digits for each of its UTF-8 bytes.

A mark has three more forms, for narrow stores. Of the same entry as the name before it in the line it may give the
generation's number alone, ``mark=create::3:RUN:TIME``. Once it has aged, nobody asks for run and time any more:
``mark=create:ci-deploy.g3``, or ``mark=create::3``.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import re
from typing import TYPE_CHECKING

from tooken_ci.base import naming

if TYPE_CHECKING:
    from collections.abc import Iterable

_FORMAT = "tooken-ci/1"
_ANY_FORMAT = re.compile(r"tooken-ci/([1-9][0-9]*)(?: |\Z)")
_ALPHABET = re.compile(r"[A-Za-z0-9/=._:@ -]*")
_TIME = "%Y%m%dT%H%M%SZ"
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")
_ESCAPED = re.compile(r"(?:@[0-9a-f]{2})+")
_FINGERPRINT = re.compile(r"[0-9a-f]{16}")
_NUMBER = re.compile(r"[1-9][0-9]*")
_SINGLE_KEYS = {"workspace", "id", "name", "at", "fingerprint"}

YOUNG = dt.timedelta(minutes=3)
"""A mark or an undelivered generation younger than this may belong to a run that is still at work, unless the user
says otherwise."""


LONG_AGO = dt.datetime.min.replace(tzinfo=dt.UTC)
"""When an aged mark was made: nobody knows any more."""


class NewerRecordError(ValueError):
    """The record was written by a later version of this program: it can be neither read nor replaced safely."""


class MarkKind(enum.StrEnum):
    """What a run is about to do at a destination."""

    CREATE = "create"
    COPY = "copy"
    ROTATE = "rotate"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Mark:
    """The note "run R is about to write NAME.gN here".

    Attributes:
        kind: what it is about to do.
        name: the name of the token whose secret is to be written.
        run: the run's own id, random; empty for an aged one.
        at: the server's time; ``LONG_AGO`` for an aged one.
    """

    kind: MarkKind
    name: str
    run: str
    at: dt.datetime

    @property
    def aged(self) -> Mark:
        """The same mark without run and time, which tell only whether that run may still be at work."""
        return dataclasses.replace(self, run="", at=LONG_AGO)

    def young(self, now: dt.datetime, grace: dt.timedelta) -> bool:
        """Whether the run that made it may still be at work: it is younger than the grace, of which zero is none."""
        return bool(grace) and now - self.at < grace


@dataclasses.dataclass(frozen=True, kw_only=True)
class Held:
    """Whose secret stands at the destination.

    Attributes:
        id: the token's id.
        name: the token's name when it was delivered.
        at: when the secret was made, the server's time; a copy keeps it.
        fingerprint: tells whether a value is the one that was recorded.
    """

    id: str
    name: str
    at: dt.datetime
    fingerprint: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class DeliveryRecord:
    """What stands at a destination beside the secret.

    Attributes:
        workspace: the label of the workspace the token belongs to.
        held: None where marks stand at a destination that never got a secret.
        marks: open marks, oldest first.
    """

    workspace: str
    held: Held | None = None
    marks: tuple[Mark, ...] = ()

    def marked(self, mark: Mark) -> DeliveryRecord:
        """The same record with one more open mark."""
        return dataclasses.replace(self, marks=(*self.marks, mark))

    def without_marks_of(self, run: str) -> DeliveryRecord:
        """The same record without the marks of a run that turned out to write nothing."""
        return dataclasses.replace(self, marks=tuple(mark for mark in self.marks if mark.run != run))

    def to_text(self, *, short: bool = False) -> str:
        """The record as one line, without a line end.

        Args:
            short: marks of the same entry as the name before them give the generation's number alone.
        """
        parts = [_FORMAT, f"workspace={_escape(self.workspace)}"]
        if self.held is not None:
            parts += [
                f"id={_escape(self.held.id)}",
                f"name={_escape(self.held.name)}",
                f"at={self.held.at.astimezone(dt.UTC).strftime(_TIME)}",
                f"fingerprint={self.held.fingerprint}",
            ]
        before = None if self.held is None else self.held.name
        for mark in self.marks:
            parts.append(f"mark={_mark_text(mark, before if short else None)}")
            before = mark.name
        return " ".join(parts)

    @classmethod
    def parse(cls, text: str) -> DeliveryRecord:
        """Read a record.

        Raises:
            NewerRecordError: a later version of this program wrote it.
            ValueError: it is no record.
        """
        line = text.strip()
        version = _ANY_FORMAT.match(line)
        if version is None:
            raise ValueError("not a delivery record")
        if int(version[1]) > 1:
            raise NewerRecordError(f"written by a newer tooken-ci (format {version[1]}, this one reads format 1)")
        if not _ALPHABET.fullmatch(line):
            raise ValueError("a delivery record with a character that none has")
        single, marks = _fields(line.split(" ")[1:])
        if "workspace" not in single or (set(single) != {"workspace"} and set(single) != _SINGLE_KEYS):
            raise ValueError("a delivery record that is not complete")
        held = _held(single) if "id" in single else None
        return cls(workspace=single["workspace"], held=held, marks=tuple(marks))


def _held(single: dict[str, str]) -> Held:
    if not _FINGERPRINT.fullmatch(single["fingerprint"]):
        raise ValueError("a delivery record whose fingerprint is not one")
    return Held(id=single["id"], name=single["name"], at=_instant(single["at"]), fingerprint=single["fingerprint"])


def _fields(parts: Iterable[str]) -> tuple[dict[str, str], list[Mark]]:
    single: dict[str, str] = {}
    marks: list[Mark] = []
    for part in parts:
        key, separator, value = part.partition("=")
        if key == "mark":
            marks.append(_mark(value, marks[-1].name if marks else single.get("name")))
        elif not separator or key not in _SINGLE_KEYS or key in single:
            raise ValueError("a delivery record with a part that is not known")
        else:
            single[key] = _unescape(value)
    return single, marks


def _mark_text(mark: Mark, before: str | None) -> str:
    """A mark as it is written; after a name of the same entry its own can be left out."""
    entry, number = naming.split(mark.name)
    same = before is not None and naming.split(before)[0] == entry
    parts = [str(mark.kind), *(["", str(number)] if same else [_escape(mark.name)])]
    if mark != mark.aged:
        parts += [_escape(mark.run), mark.at.astimezone(dt.UTC).strftime(_TIME)]
    return ":".join(parts)


def _mark(value: str, before: str | None) -> Mark:
    kind, name, *others = value.split(":")
    if not name and len(others) in {1, 3}:
        if before is None or not _NUMBER.fullmatch(others[0]):
            raise ValueError("a delivery record with a mark of no token")
        token, *others = naming.generation_name(naming.split(before)[0], int(others[0])), *others[1:]
    else:
        token = _unescape(name)
    if not others:
        return Mark(kind=MarkKind(kind), name=token, run="", at=LONG_AGO)
    run, at = others
    return Mark(kind=MarkKind(kind), name=token, run=_unescape(run), at=_instant(at))


def _instant(text: str) -> dt.datetime:
    return dt.datetime.strptime(text, _TIME).replace(tzinfo=dt.UTC)


def _escape(text: str) -> str:
    return _UNSAFE.sub(lambda match: "".join(f"@{byte:02x}" for byte in match[0].encode()), text)


def _unescape(text: str) -> str:
    return _ESCAPED.sub(lambda match: bytes.fromhex(match[0].replace("@", "")).decode(), text)


class State(enum.StrEnum):
    """What a look at a destination says."""

    HOLDS = "holds"
    ABSENT = "absent"
    UNKNOWN = "unknown"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Look:
    """What a look at a destination found, at one moment.

    Attributes:
        state: ``holds``, the value there is the recorded one; ``absent``, it is not, or there is none; ``unknown``,
            the destination could not be asked.
        record: the record that stands there, also beside a value that does not match it.
        reason: why it is absent or unknown, for people.
        empty: neither a value nor a record was ever left there.
        value_newer: the value may be another than the recorded one, so the record does not say whose it is.
        readable: the value can be read back and copied from here.
        written_at: when the value was last written, UTC, by the store's clock; None where there is no value, and at
            every store that keeps a record.
    """

    state: State
    record: DeliveryRecord | None = None
    reason: str = ""
    empty: bool = False
    value_newer: bool = False
    readable: bool = False
    written_at: dt.datetime | None = None

    @property
    def held(self) -> Held | None:
        """Whose secret stands there for certain; None where that is not known."""
        return self.record.held if self.state is State.HOLDS and self.record is not None else None

    @property
    def recorded(self) -> Held | None:
        """Whose secret the record names, whether or not the value still is that one."""
        return self.record.held if self.record is not None else None

    @property
    def marks(self) -> tuple[Mark, ...]:
        """The open marks."""
        return self.record.marks if self.record is not None else ()

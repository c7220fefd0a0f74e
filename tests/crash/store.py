"""A store of secrets and records in the harness itself, reached through the ``exec`` destination."""

from __future__ import annotations

import dataclasses
import enum
from typing import TYPE_CHECKING, Protocol

from tooken_ci.base.record import DeliveryRecord, MarkKind

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Mapping
    from pathlib import Path

REFUSED = 75
FAILED = 1

CLIENT = """#!/bin/bash
set -eu
body=
case $TOOKEN_CI_STEP in write | record-write) IFS= read -r body || true ;; esac
exec 3<>/dev/tcp/127.0.0.1/{port}
printf '%s\\t%s\\t%s\\n' "$TOOKEN_CI_STEP" "$TOOKEN_CI_DESTINATION" "$body" >&3
IFS=$'\\t' read -r code answer <&3
printf '%s' "$answer"
exit "$code"
"""


class Harm(enum.StrEnum):
    """What happens to one write."""

    KILLED_BEFORE = "killed before"
    KILLED_AFTER = "killed after"
    REFUSED = "refused"
    UNCLEAR = "done but reported as failed"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Write:
    """One write to a destination.

    Attributes:
        step: ``write`` or ``record-write``.
        place: the destination's name.
    """

    step: str
    place: str


@dataclasses.dataclass
class Shelf:
    """What stands at one destination."""

    value: str | None = None
    record: str = ""

    @property
    def parsed(self) -> DeliveryRecord | None:
        """The delivery record."""
        return DeliveryRecord.parse(self.record) if self.record else None

    @property
    def rotating(self) -> bool:
        """Whether the record says that the value may be dead."""
        record = self.parsed
        return record is not None and any(mark.kind is MarkKind.ROTATE for mark in record.marks)


class Around(Protocol):
    """What is around a store.

    Attributes:
        kill: kills the run that is under way.
        check: is called after each write, with what was written.
    """

    kill: Callable[[], None]
    check: Callable[[str], None]


class Store:
    """All destinations, by name, and the harm that is done to the writes of one run.

    Attributes:
        shelves: what stands where.
        writes: every write of the run so far.
        failing: by destination, how many more of its secrets it refuses.
    """

    def __init__(self, around: Around) -> None:
        """Makes an empty one."""
        self._around = around
        self.shelves: dict[str, Shelf] = {}
        self.writes: list[Write] = []
        self.failing: dict[str, float] = {}
        self._harm: tuple[int, Harm] | None = None

    def begin(self, harm: tuple[int, Harm] | None = None) -> None:
        """Counts the writes from 1 again; one of them may come to harm."""
        self.writes = []
        self._harm = harm

    def copy(self) -> Mapping[str, Shelf]:
        """What stands where, to be put back later."""
        return {name: dataclasses.replace(shelf) for name, shelf in self.shelves.items()}

    def put_back(self, shelves: Mapping[str, Shelf]) -> None:
        """Puts everything where it was."""
        self.shelves = {name: dataclasses.replace(shelf) for name, shelf in shelves.items()}
        self.failing = {}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answers one step of one program."""
        line = (await reader.readline()).decode()
        if line:
            step, place, body = line.rstrip("\n").split("\t")
            code, answer = self._step(step, place, body)
            writer.write(f"{code}\t{answer}\n".encode())
            await writer.drain()
        writer.close()

    def _step(self, step: str, place: str, body: str) -> tuple[int, str]:
        shelf = self.shelves.setdefault(place, Shelf())
        if step == "read":
            return 0, shelf.value or ""
        if step == "record-read":
            return 0, shelf.record
        return self._write(Write(step=step, place=place), shelf, body), ""

    def _write(self, write: Write, shelf: Shelf, body: str) -> int:
        self.writes.append(write)
        harm = self._harm[1] if self._harm is not None and self._harm[0] == len(self.writes) else None
        if harm is Harm.KILLED_BEFORE:
            self._around.kill()
            return FAILED
        if harm is Harm.REFUSED or (write.step == "write" and self._refuses(write.place)):
            return REFUSED
        if write.step == "write":
            shelf.value = body
        else:
            shelf.record = body
        self._around.check(f"{write.step} at {write.place}")
        if harm is Harm.KILLED_AFTER:
            self._around.kill()
        return FAILED if harm is Harm.UNCLEAR else 0

    def _refuses(self, place: str) -> bool:
        left = self.failing.get(place, 0)
        self.failing[place] = max(left - 1, 0)
        return left > 0


def write_client(folder: Path, port: int) -> Path:
    """Writes the program that every ``exec`` destination runs."""
    path = folder / "store.sh"
    path.write_text(CLIENT.format(port=port), encoding="utf-8")
    path.chmod(0o700)
    return path

"""Delivers to a store by way of the user's programs: what they are given, and what their ends mean."""

from __future__ import annotations

import dataclasses
import enum
import os
import shutil
import time
from typing import TYPE_CHECKING

from tooken_ci.base import naming
from tooken_ci.base.errors import DestinationError
from tooken_ci.base.record import Look, State
from tooken_ci.base.redact import redactor
from tooken_ci.base.text import quoted
from tooken_ci.destinations import timing
from tooken_ci.destinations.judgement import judged, recognized, unknown
from tooken_ci.destinations.program import Ended, NotStartedError, run

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tooken_ci.base.record import DeliveryRecord, Held
    from tooken_ci.base.secret import Secret

_NOT_INHERITED = ("TOOKEN_", "INPUT_")


class Step(enum.StrEnum):
    """What a program is asked to do; it stands in ``TOOKEN_CI_STEP``."""

    CHECK = "check"
    READ = "read"
    WRITE = "write"
    RECORD_READ = "record-read"
    RECORD_WRITE = "record-write"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Programs:
    """The settings of a destination: each program with its arguments.

    Attributes:
        name: the store's name in reports.
        write: stores the secret.
        record: prints or stores the delivery record; empty = there is none: what is written is a lease.
        read: prints the secret; empty = the store cannot be read.
        check: tells whether the store can be written; empty = there is no such program.
        timeout: seconds that each of them may take.
        refused: the exit code by which ``write`` says that it surely stored nothing; None = no code says so, since one
            of the user's tools may end with it after all was stored.
    """

    name: str
    write: tuple[str, ...]
    record: tuple[str, ...] = ()
    read: tuple[str, ...] = ()
    check: tuple[str, ...] = ()
    timeout: float
    refused: int | None = None

    def of(self, step: Step) -> tuple[str, tuple[str, ...]]:
        """The key and the command that serve a step."""
        key = step.partition("-")[0]
        return key, getattr(self, key)


class ExecDestination:
    """One store. It knows what it is about to hold from the mark that precedes every write, or is told."""

    def __init__(self, programs: Programs) -> None:
        self._programs = programs
        self._about: dict[str, str] = {}
        self._until: float | None = None  # when the delivery under way must be over

    def look(self) -> Look:
        """What stands there now; an error becomes ``unknown`` with its reason."""
        try:
            text = self._record()
            value = self._value() if self._programs.read else None
        except DestinationError as error:
            return unknown(error)
        return judged(text, value, readable=bool(self._programs.read))

    def check(self) -> None:
        """Whether it can be written: its programs are there, its record, if any, can be read, its own check agrees.

        Raises:
            DestinationError: it cannot; says why.
        """
        for step in Step:
            key, command = self._programs.of(step)
            if command and shutil.which(command[0]) is None:
                raise DestinationError(
                    f"its '{key}' program {quoted(command[0])} was not found, or may not be executed.",
                    hint="Give a path from the working directory, or a program on the PATH, and make it executable.",
                )
        if self._programs.check:
            self._run(Step.CHECK)
        look = judged(self._record(), None, readable=False) if self._programs.record else None
        if look is not None and look.state is State.UNKNOWN:
            raise DestinationError(f"{look.reason}.", hint="Use that version, or deliver elsewhere.")

    def write_record(self, record: DeliveryRecord) -> None:
        """Have the record stored, and read it back: what comes later relies on it, a mark most of all.

        Raises:
            DestinationError: it could not be stored, or is not what was given.
        """
        text = record.to_text()
        self._about = _about(record) | {key: self._about[key] for key in ("RUN",) if key in self._about}
        try:
            self._run(Step.RECORD_WRITE, (text + "\n").encode(), self._about)
            stored = self._record()
        finally:
            self._until = None
        if stored != text:
            raise DestinationError(
                "the delivery record that its 'record' program prints is not the one that it was given to store.",
                hint=f"With TOOKEN_CI_STEP={Step.RECORD_WRITE} it must store its standard input, with "
                f"{Step.RECORD_READ} print it.",
                surely_refused=False,
            )

    def tell(self, *, workspace: str, entry: str, token: str, token_id: str) -> None:
        """Hear whose secret is written next, where no mark precedes it: a lease's."""
        self._about = {"WORKSPACE": workspace, "ENTRY": entry, "TOKEN": token, "ID": token_id}

    def write(self, secret: Secret, held: Held | None = None) -> None:
        """Have the secret stored.

        Args:
            secret: on the program's standard input, alone, without a line end.
            held: whose it is; without it the program is not told the token's id.

        Raises:
            DestinationError: it was not stored, or nobody knows whether it was.
        """
        self._until = time.monotonic() + timing.LONGEST_WRITE
        try:
            self._run(Step.WRITE, secret.reveal().encode(), self._about | ({"ID": held.id} if held is not None else {}))
        except DestinationError:
            self._until = None
            raise

    def holds(self, secret: Secret) -> bool | None:
        """Whether what is read back equals the secret; None where the store cannot be read.

        Raises:
            DestinationError: reading it failed.
        """
        return self._value() == secret.reveal() if self._programs.read else None

    def fetch(self, held: Held) -> Secret | None:
        """The secret that the record names, if the value there matches its fingerprint; else None."""
        try:
            value = self._value() if self._programs.read else None
        except DestinationError:
            return None
        return recognized(value, held)

    def _record(self) -> str:
        """The record that stands there; empty = none. What is longer than any record is cut, and so is none."""
        return self._run(Step.RECORD_READ).out.decode(errors="replace").strip()

    def _value(self) -> str | None:
        """The secret that stands there, without the line end that shells like to add; None = there is none."""
        value = _text(self._run(Step.READ).out)
        return value or None

    def _run(self, step: Step, given: bytes | None = None, about: Mapping[str, str] | None = None) -> Ended:
        key, command = self._programs.of(step)
        environment = _inherited() | _told({"STEP": step, "DESTINATION": self._programs.name, **(about or {})})
        try:
            ended = run(command, given=given, environment=environment, seconds=self._seconds(key))
        except NotStartedError as error:
            raise DestinationError(
                f"its '{key}' program {quoted(command[0])} could not be started: {error}.",
                hint="Give a path from the working directory, or a program on the PATH, and make it executable.",
                surely_refused=step is not Step.READ,
            ) from None
        if step is Step.READ:  # a secret from its first moment, also where it is not the one that is looked for
            redactor.add_read(_text(ended.out))
        if ended.code != 0:
            raise DestinationError(
                f"its '{key}' program {ended.how}.",
                hint=self._hint(step, ended),
                surely_refused=self._refuses(step, ended),
            )
        return ended

    def _refuses(self, step: Step, ended: Ended) -> bool:
        return step is Step.WRITE and ended.code is not None and ended.code == self._programs.refused

    def _hint(self, step: Step, ended: Ended) -> str:
        if ended.code is None:
            return f"Make it faster, or raise 'timeout', to {timing.LONGEST_WRITE:.0f}s at the most."
        if step is not Step.WRITE or self._refuses(step, ended):
            return f"Run it by hand, with TOOKEN_CI_STEP={step}."
        code = self._programs.refused
        if code is None:
            return "It may have written; 'refused' can name an exit code that says that it surely has not."
        return f"It may have written; one that surely has not says so with exit code {code}, as 'refused' says."

    def _seconds(self, key: str) -> float:
        """How long the next program may take."""
        if self._until is None:
            return self._programs.timeout
        left = self._until - time.monotonic()
        if left <= 0:
            raise DestinationError(
                f"its '{key}' program was not started: the delivery has taken {timing.LONGEST_WRITE:.0f} s already.",
                hint="Make the programs faster; run again.",
                surely_refused=False,
            )
        return min(self._programs.timeout, left)


def _text(out: bytes) -> str:
    """What a program printed, without one line end; what is longer than any secret is cut, and matches none."""
    return out.decode(errors="surrogateescape").removesuffix("\n").removesuffix("\r")


def _about(record: DeliveryRecord) -> dict[str, str]:
    """What a record is about: the token that the newest mark announces, or else the one that is held."""
    about = {"WORKSPACE": record.workspace}
    if record.marks:
        about |= {"RUN": record.marks[-1].run, **_names(record.marks[-1].name)}
    elif record.held is not None:
        about |= {"ID": record.held.id, **_names(record.held.name)}
    return about


def _names(token: str) -> dict[str, str]:
    entry, number = naming.split(token)
    return {"TOKEN": token, "ENTRY": entry, "GENERATION": str(number)}


def _told(about: Mapping[str, str]) -> dict[str, str]:
    return {f"TOOKEN_CI_{key}": value for key, value in about.items()}


def _inherited() -> dict[str, str]:
    """The environment without what is ours: the key, every option and input, and whatever holds a known secret.

    Known are the credentials of all destinations of the spec, from when it was read (``cli.session.load_spec``).
    A proxy's credentials stay: the program needs them on its own way to the store.
    """
    return {
        name: value
        for name, value in os.environ.items()
        if not name.upper().startswith(_NOT_INHERITED)
        and (name.upper().endswith("_PROXY") or redactor.finished(f"{name}={value}") == f"{name}={value}")
    }

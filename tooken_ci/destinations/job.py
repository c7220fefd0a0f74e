"""Hands the secret of a lease to the later steps of the same job: as a variable, as a step output, or in a file."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tooken_ci.base import files
from tooken_ci.base.commands import file_command
from tooken_ci.base.errors import DestinationError
from tooken_ci.base.record import Look, State
from tooken_ci.base.text import quoted
from tooken_ci.destinations.file import FileKind
from tooken_ci.destinations.interface import one_by_one, settings_of
from tooken_ci.destinations.variables import STEERING
from tooken_ci.spec.kinds import SettingsError
from tooken_ci.spec.model import Target

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tooken_ci.base.position import Position
    from tooken_ci.base.record import DeliveryRecord, Held
    from tooken_ci.base.secret import Secret
    from tooken_ci.destinations.file_store import FileDestination
    from tooken_ci.destinations.interface import Surroundings

_NAME = "^[A-Za-z_][A-Za-z0-9_]*$"

_SCHEMA: Mapping[str, Any] = {
    "title": "job",
    "description": "The same job, for an ephemeral entry: its later steps get the secret. At least one of the three.",
    "type": "object",
    "minProperties": 1,
    "additionalProperties": False,
    "properties": {
        "env": {
            "type": "string",
            "title": "the name of a variable",
            "pattern": _NAME,
            "maxLength": 100,
            "description": "A variable of the steps that follow, by GITHUB_ENV.",
            "examples": ["TOOKEN_TOKEN"],
        },
        "output": {
            "type": "string",
            "title": "the name of an output",
            "pattern": "^[A-Za-z_][A-Za-z0-9_-]*$",
            "maxLength": 100,
            "description": "An output of the step, by GITHUB_OUTPUT; only steps that ask for it see it.",
            "examples": ["token"],
        },
        "file": {
            "type": "string",
            "title": "the path of a file",
            "minLength": 1,
            "description": "A file, 0600.",
            "examples": ["tooken.secret"],
        },
    },
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Settings:
    """Attributes: ``env`` and ``output``: names, empty where there is none; ``file``: a target of the kind ``file``."""

    env: str
    output: str
    file: Target | None


class JobKind:
    """The kind ``job``."""

    name = "job"
    schema = _SCHEMA
    extra = None

    def __init__(self, surroundings: Surroundings) -> None:
        self._surroundings = surroundings
        self._files = FileKind(surroundings)

    def parse(self, settings: Mapping[str, Any], position: Position) -> Target:
        """Make a target of settings that fit the schema.

        Raises:
            SettingsError: a variable is one that no secret may stand in, or the path cannot be one.
        """
        env, output, path = settings.get("env", ""), settings.get("output", ""), settings.get("file", "")
        if STEERING.fullmatch(env.upper()):
            raise SettingsError(
                f"The variable {quoted(env)} steers the runner, or what later steps run; no secret may stand there.",
                hint="Choose another name, such as TOOKEN_TOKEN.",
                key="env",
            )
        return Target(
            kind=self.name,
            place=", ".join(
                f"{what} {name}" for what, name in (("env", env), ("output", output), ("file", path)) if name
            ),
            claims=frozenset(),
            settings=_Settings(env=env, output=output, file=self._file(path, position) if path else None),
            takeover=False,
            keeps_record=False,
            local=True,
            of_a_job=True,
            takes_leases=True,
            position=position,
        )

    def open(self, target: Target) -> JobDestination:
        """The destination behind a target that this kind parsed."""
        settings = settings_of(target, _Settings)
        file = settings.file
        return JobDestination(settings, self._surroundings, None if file is None else self._files.open(file))

    def _file(self, path: str, position: Position) -> Target:
        try:
            return self._files.parse({"path": path, "persistent": True}, position)
        except SettingsError as error:
            raise SettingsError(error.message, hint=error.hint, key="file") from None

    def look(self, targets: Sequence[Target]) -> Sequence[Look]:
        """What stands at each of some targets, now."""
        return one_by_one(self, targets)


class JobDestination:
    """The same job. It keeps no record: what is handed over is gone with the job."""

    def __init__(self, settings: _Settings, surroundings: Surroundings, file: FileDestination | None) -> None:
        self._file = file
        self._lines = [
            (what, name, path)
            for what, name, path in (
                ("GITHUB_ENV", settings.env, surroundings.env_file),
                ("GITHUB_OUTPUT", settings.output, surroundings.output_file),
            )
            if name
        ]

    def check(self) -> None:
        """Whether it can be written.

        Raises:
            DestinationError: the job has no such file, or it cannot be written.
        """
        for what, name, path in self._lines:
            if path is None:
                raise DestinationError(
                    f"{quoted(name)} goes by way of {what}, and only in the action, where the runner masks it.",
                    hint="Use 'file', and read the secret from there in the same job.",
                )
            if not os.access(path, os.W_OK):
                raise DestinationError(f"{what}, {quoted(str(path))}, cannot be written.", hint="Look at the runner.")
        if self._file is not None:
            self._file.check()

    def write(self, secret: Secret) -> None:
        """Hand the secret over.

        Raises:
            DestinationError: it could not be written.
        """
        for what, name, path in self._lines:
            try:
                files.hand_over(path or Path(os.devnull), file_command(name, secret.reveal()))
            except OSError as error:
                told = f"{what} could not be written: {error.strerror}."
                raise DestinationError(told, hint="Look at the runner.", surely_refused=False) from None
        if self._file is not None:
            self._file.write(secret)

    def holds(self, secret: Secret) -> bool | None:
        """Whether the file holds the secret; None where there is none to read."""
        return None if self._file is None else self._file.holds(secret)

    def look(self) -> Look:
        """Nothing is known: a job keeps no record."""
        return Look(state=State.UNKNOWN, reason="a job keeps no delivery record")

    def write_record(self, record: DeliveryRecord) -> None:
        """Refuse.

        Raises:
            DestinationError: always.
        """
        raise DestinationError(f"A job keeps no delivery record ({record.workspace}).")

    def fetch(self, held: Held) -> Secret | None:
        """None, whatever is asked for: what was handed over is not read again."""
        del held
        return None

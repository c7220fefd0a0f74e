"""A store behind a program of the user's: it gets the secret on its standard input, and tells what stands there."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Any

from tooken_ci.base.text import quoted
from tooken_ci.destinations.exec_store import ExecDestination, Programs
from tooken_ci.destinations.interface import TAKEOVER, one_by_one, settings_of
from tooken_ci.destinations.timing import LONGEST_WRITE
from tooken_ci.spec.kinds import SettingsError
from tooken_ci.spec.model import Target

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tooken_ci.base.position import Position
    from tooken_ci.base.record import Look

_DEFAULT_TIMEOUT = "30s"
_SECONDS = re.compile(r"([0-9]{1,9})s")


def _command(description: str, step: str) -> Mapping[str, Any]:
    return {
        "type": "array",
        "minItems": 1,
        "items": {"type": "string"},
        "description": description,
        "examples": [["./store.sh", step]],
    }


_SCHEMA: Mapping[str, Any] = {
    "title": "exec",
    "description": "A store behind programs of yours; each is a list of arguments, and no shell reads it.",
    "type": "object",
    "required": ["name", "write"],
    "additionalProperties": False,
    "properties": {
        "name": {
            "type": "string",
            "minLength": 1,
            "maxLength": 100,
            "description": "The store's name in reports; no two destinations may have the same.",
            "examples": ["prod-cluster"],
        },
        "write": _command("Puts the secret on its standard input into the store; the record stays untouched.", "write"),
        "record": _command(
            "With TOOKEN_CI_STEP=record-read it prints the delivery record, or nothing where there is none; "
            "with record-write it stores the one on its standard input. Only an ephemeral entry can do without.",
            "record",
        ),
        "read": _command("Prints the secret that stands in the store, or nothing where there is none.", "read"),
        "check": _command("Exits with 0 if the store can be written; changes nothing.", "check"),
        "timeout": {
            "type": "string",
            "pattern": "^[0-9]+s$",
            "description": f"How long each program may take, 1s to {LONGEST_WRITE:.0f}s; {_DEFAULT_TIMEOUT} unless "
            "said otherwise.",
            "examples": [_DEFAULT_TIMEOUT],
        },
        "refused": {
            "type": "integer",
            "minimum": 1,
            "maximum": 125,
            "description": "The exit code by which 'write' says that it surely stored nothing. Only name one that none "
            "of its tools can end with after the secret was stored: the new token is then revoked.",
            "examples": [75],
        },
        "takeover": TAKEOVER,
    },
}


class ExecKind:
    """The kind ``exec``."""

    name = "exec"
    schema = _SCHEMA
    extra = None

    def parse(self, settings: Mapping[str, Any], position: Position) -> Target:
        """Make a target of settings that fit the schema.

        Raises:
            SettingsError: the name cannot be shown, a command cannot be one, or the time-out is out of range.
        """
        name = settings["name"]
        if not name.isprintable() or name != name.strip():
            raise SettingsError(
                f"The name {quoted(name)} must have only printable characters, and no space before or after them.",
                key="name",
            )
        return Target(
            kind=self.name,
            place=f"exec {name}",
            claims=frozenset({f"exec:{name}"}),
            settings=Programs(
                name=name,
                write=_arguments(settings, "write"),
                record=_arguments(settings, "record"),
                read=_arguments(settings, "read"),
                check=_arguments(settings, "check"),
                timeout=_timeout(settings.get("timeout", _DEFAULT_TIMEOUT)),
                refused=None if "refused" not in settings else int(settings["refused"]),  # 75.0 is an integer as well
            ),
            takeover=bool(settings.get("takeover")),
            takes_leases=True,
            lacks="" if "record" in settings else "record",
            position=position,
        )

    def open(self, target: Target) -> ExecDestination:
        """The destination behind a target that this kind parsed."""
        programs = settings_of(target, Programs)
        return ExecDestination(dataclasses.replace(programs, record=()) if target.ephemeral else programs)

    def look(self, targets: Sequence[Target]) -> Sequence[Look]:
        """What stands at each of some targets, now."""
        return one_by_one(self, targets)


def _arguments(settings: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """A program and its arguments; empty where there is none."""
    command = tuple(settings.get(key, ()))
    if command and not command[0].strip():
        raise SettingsError(f"The first item of '{key}' must be a program, such as './store.sh'.", key=key)
    for argument in command:
        if "\0" in argument or any("\ud800" <= char <= "\udfff" for char in argument):
            raise SettingsError(
                f"No program can be given {quoted(argument)}: it has a character that no argument can have.", key=key
            )
    return command


def _timeout(text: str) -> int:
    """Seconds that each program may take."""
    match = _SECONDS.fullmatch(text)
    seconds = int(match[1]) if match is not None else 0
    if not 1 <= seconds <= LONGEST_WRITE:
        raise SettingsError(
            f"'timeout' is {quoted(text)}; it must be from 1s to {LONGEST_WRITE:.0f}s.",
            hint="If a delivery took longer, another run could come in between.",
            key="timeout",
        )
    return seconds

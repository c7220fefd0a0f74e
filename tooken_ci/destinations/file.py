"""A file on this machine: the secret alone in it, or one variable or key among others. file_store.py delivers there."""

from __future__ import annotations

import dataclasses
import os
import re
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tooken_ci.base.text import quoted
from tooken_ci.destinations.file_access import Access
from tooken_ci.destinations.file_format import FORMS
from tooken_ci.destinations.file_store import FileDestination, record_path
from tooken_ci.destinations.interface import TAKEOVER, one_by_one, settings_of
from tooken_ci.spec.kinds import SettingsError
from tooken_ci.spec.model import Target

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tooken_ci.base.position import Position
    from tooken_ci.base.record import Look
    from tooken_ci.destinations.interface import Surroundings

_RAW = "raw"
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_MODE = re.compile(r"0?[0-7]{3}")
_OTHERS = 0o007
_READABLE = 0o400
_OWNER = re.compile(r"[^\s:]+(:[^\s:]+)?")
_HIGHEST_ID = 2**32 - 2
"""The one above it means "leave it as it is" to the operating system."""

_FLEETING = (
    "The file {} would be lost with this CI job's runner, and every run would replace the token; "
    "say 'persistent: true' if it is kept, or deliver elsewhere."
)

_SCHEMA: Mapping[str, Any] = {
    "title": "file",
    "description": "A file on the machine that runs apply: the secret alone in it, or one key among others.",
    "type": "object",
    "required": ["path"],
    "additionalProperties": False,
    "properties": {
        "path": {
            "type": "string",
            "minLength": 1,
            "description": "A relative path starts at the working directory; missing folders are made.",
            "examples": ["secrets/ci-deploy"],
        },
        "format": {
            "enum": list(FORMS),
            "description": "raw, the default: the secret alone; dotenv: a line KEY=secret; json: a key of an object. "
            "In the latter two everything else in the file is kept.",
        },
        "key": {
            "type": "string",
            "minLength": 1,
            "maxLength": 100,
            "description": "The variable of a dotenv file, or the key of a JSON object; both need it.",
            "examples": ["TOOKEN_TOKEN"],
        },
        "owner": {
            "type": ["string", "integer"],
            "minLength": 1,
            "description": "Whose the file is to be: user or user:group, by name or number.",
            "examples": ["deploy"],
        },
        "mode": {
            "type": "string",
            "description": "The file's mode, in octal; 0600 unless said otherwise. Others may have no part in it.",
            "examples": ["0640"],
        },
        "persistent": {
            "type": "boolean",
            "description": "The file outlives the CI job, on a volume or a runner that is kept.",
        },
        "takeover": TAKEOVER,
    },
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Settings:
    """Where the secret goes, in which form, and who may read it.

    Attributes:
        path: without symbolic links.
        form: the name of the file's format.
        key: where in the file the secret stands; empty where it is all of it.
        access: who may read the file.
    """

    path: Path
    form: str
    key: str
    access: Access


class FileKind:
    """The kind ``file``."""

    name = "file"
    schema = _SCHEMA
    extra = None

    def __init__(self, surroundings: Surroundings) -> None:
        self._surroundings = surroundings
        self._read = frozenset(Path(os.path.realpath(taken)) for taken in surroundings.read)
        self._locks: dict[Path, threading.Lock] = {}

    def parse(self, settings: Mapping[str, Any], position: Position) -> Target:
        """Make a target of settings that fit the schema.

        Raises:
            SettingsError: the path cannot be one, or would be gone with the action's container; or the format, the
                owner or the mode makes no sense.
        """
        named = settings["path"]
        if "\0" in named or named.endswith(("/", "/.", "/..")) or named in {".", ".."}:
            raise SettingsError(f"{quoted(named)} is not the path of a file.", key="path")
        form, key = settings.get("format", _RAW), _key(settings)
        path = Path(os.path.realpath(named))
        record = record_path(path, key)
        self._refuse(named, path, record)
        fleeting = self._surroundings.in_ci and not settings.get("persistent")
        own = {f"file:{record}"} | ({f"file:{path}#{key}"} if key else {f"file:{path}"})
        return Target(
            kind=self.name,
            place=f"file {named}#{key}" if key else f"file {named}",
            claims=frozenset(own),
            shares=frozenset({(f"file:{path}", form)} if key else ()),
            settings=_Settings(
                path=path,
                form=form,
                key=key,
                access=Access(
                    mode=_mode(settings.get("mode", "0600")),
                    owner=_owner(settings.get("owner", "")),
                    workspace=self._surroundings.confined_to,
                ),
            ),
            takeover=bool(settings.get("takeover")),
            local=True,
            warnings=(_FLEETING.format(quoted(named)),) if fleeting else (),
            position=position,
        )

    def open(self, target: Target) -> FileDestination:
        """The destination behind a target that this kind parsed."""
        given = settings_of(target, _Settings)
        lock = self._locks.setdefault(given.path, threading.Lock())
        return FileDestination(given.path, form=FORMS[given.form], key=given.key, access=given.access, lock=lock)

    def look(self, targets: Sequence[Target]) -> Sequence[Look]:
        """What stands at each of some targets, now."""
        return one_by_one(self, targets)

    def _refuse(self, named: str, path: Path, record: Path) -> None:
        """Refuse a path that would be gone with the action's container, or that this run reads."""
        root = self._surroundings.confined_to
        if root is not None and not path.is_relative_to(os.path.realpath(root)):
            raise SettingsError(
                f"{quoted(named)} lies outside the workspace, so it would be gone with the action's container.",
                hint="Choose a path inside the workspace.",
                key="path",
            )
        if any(_is_read(path, taken) or _is_read(record, taken) for taken in self._read):
            raise SettingsError(
                f"{quoted(named)} is the spec, the key's file, the certificates, a saved plan or a report of this run; "
                "it would be overwritten.",
                hint="Choose another path.",
                key="path",
            )


def _is_read(path: Path, taken: Path) -> bool:
    """Whether a file is one that is read, or one of a folder of specs; both are real paths."""
    return path == taken or (path.parent == taken and path.suffix in {".yml", ".yaml"})


def _key(settings: Mapping[str, Any]) -> str:
    """Where in the file the secret stands; empty where it is all of it."""
    form, key = settings.get("format", _RAW), settings.get("key", "")
    if form == _RAW and key:
        raise SettingsError(
            "'key' means nothing where the secret is all of the file.",
            hint="Remove it, or say 'format: dotenv' or 'format: json'.",
            key="key",
        )
    if form != _RAW and not key:
        raise SettingsError(
            f"The format {form} needs 'key', the name under which the secret stands in the file.",
            hint="Write 'key: TOOKEN_TOKEN'.",
            key="format",
        )
    if form == "dotenv" and not _VARIABLE.fullmatch(key):
        raise SettingsError(
            f"{quoted(key)} is not the name of a variable: letters, digits and '_', and no digit first.", key="key"
        )
    if not key.isprintable():
        raise SettingsError(f"The key {quoted(key)} must have only printable characters.", key="key")
    return str(key)


def _mode(text: str) -> int:
    if not _MODE.fullmatch(text):
        raise SettingsError(f"'mode' is {quoted(text)}; it must be three octal digits, such as '0640'.", key="mode")
    mode = int(text, 8)
    if mode & _OTHERS:
        raise SettingsError(
            f"With the mode {text} everybody on the machine would have a part in the secret.",
            hint="Let the last digit be 0.",
            key="mode",
        )
    if not mode & _READABLE:
        raise SettingsError(f"With the mode {text} not even its owner could read the file.", key="mode")
    return mode


def _owner(given: str | float) -> str:
    owner = str(given)
    if owner and not _OWNER.fullmatch(owner):
        raise SettingsError(f"'owner' is {quoted(owner)}; it must be a user, or user:group.", key="owner")
    if any(part.isdecimal() and (not part.isascii() or int(part) > _HIGHEST_ID) for part in owner.split(":")):
        raise SettingsError(f"'owner' is {quoted(owner)}; no user or group has such a number.", key="owner")
    return owner

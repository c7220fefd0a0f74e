"""A file on this machine: the secret alone in it, 0600, replaced in one step; its delivery record stands beside it."""

from __future__ import annotations

import dataclasses
import errno
import os
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tooken_ci.base.errors import DestinationError
from tooken_ci.base.record import DeliveryRecord, Look, NewerRecordError, State
from tooken_ci.base.secret import Secret, fingerprint
from tooken_ci.base.text import quoted
from tooken_ci.destinations.interface import one_by_one
from tooken_ci.spec.kinds import SettingsError
from tooken_ci.spec.model import Target

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tooken_ci.base.position import Position
    from tooken_ci.base.record import Held
    from tooken_ci.destinations.interface import Surroundings

_RECORD_SUFFIX = ".tooken"
_LARGEST = 65_536
"""Bytes; whatever is larger is neither a secret nor a record of ours, and is not read."""

_FLEETING = (
    "The file {} would be lost with this CI job's runner, and every run would replace the token; "
    "say 'persistent: true' if it is kept, or deliver elsewhere."
)

_SCHEMA: Mapping[str, Any] = {
    "title": "file",
    "description": "A file on the machine that runs apply; the secret alone in it, readable by its owner only.",
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
        "persistent": {
            "type": "boolean",
            "description": "The file outlives the CI job, on a volume or a runner that is kept.",
        },
        "takeover": {
            "type": "boolean",
            "description": "Replace what stands there even if its record names another entry's token.",
        },
    },
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Settings:
    """Where the secret goes, and whose folder it shall look like a part of.

    Attributes:
        path: without symbolic links.
        workspace: new files and folders get its owner; None = they belong to whoever runs this.
    """

    path: Path
    workspace: Path | None


class FileKind:
    """The kind ``file``."""

    name = "file"
    schema = _SCHEMA
    extra = None

    def __init__(self, surroundings: Surroundings) -> None:
        self._surroundings = surroundings
        self._read = frozenset(Path(os.path.realpath(taken)) for taken in surroundings.read)

    def parse(self, settings: Mapping[str, Any], position: Position) -> Target:
        """Make a target of settings that fit the schema.

        Raises:
            SettingsError: the path cannot be one, or would be gone with the action's container.
        """
        named = settings["path"]
        if "\0" in named or named.endswith(("/", "/.", "/..")) or named in {".", ".."}:
            raise SettingsError(f"{quoted(named)} is not the path of a file.", key="path")
        path = Path(os.path.realpath(named))
        record = _record_path(path)
        root = self._surroundings.confined_to
        if root is not None and not path.is_relative_to(os.path.realpath(root)):
            raise SettingsError(
                f"{quoted(named)} lies outside the workspace, so it would be gone with the action's container.",
                hint="Choose a path inside the workspace.",
                key="path",
            )
        if any(_is_read(path, taken) or _is_read(record, taken) for taken in self._read):
            raise SettingsError(
                f"{quoted(named)} is the spec, the key's file or a saved plan of this run; it would be overwritten.",
                hint="Choose another path.",
                key="path",
            )
        fleeting = self._surroundings.in_ci and not settings.get("persistent")
        return Target(
            kind=self.name,
            place=f"file {named}",
            claims=frozenset({f"file:{path}", f"file:{record}"}),
            settings=_Settings(path=path, workspace=root),
            takeover=bool(settings.get("takeover")),
            warnings=(_FLEETING.format(quoted(named)),) if fleeting else (),
            position=position,
        )

    def open(self, target: Target) -> FileDestination:
        """The destination behind a target that this kind parsed."""
        if not isinstance(target.settings, _Settings):
            raise TypeError("a target of another kind")
        return FileDestination(target.settings.path, target.settings.workspace)

    def look(self, targets: Sequence[Target]) -> Sequence[Look]:
        """What stands at each of some targets, now."""
        return one_by_one(self, targets)


class FileDestination:
    """One file and the record beside it. The record is written after the secret, so it is never the older one."""

    def __init__(self, path: Path, workspace: Path | None = None) -> None:
        self._path = path
        self._workspace = workspace
        self._record_path = _record_path(path)

    def look(self) -> Look:
        """What stands there now; an error becomes ``unknown`` with its reason."""
        try:
            value, written = _content(self._path)
            text, recorded = _content(self._record_path)
        except OSError as error:
            return Look(state=State.UNKNOWN, reason=f"it cannot be read: {_why(error)}")
        newer = value is not None and written > recorded
        if text is None:
            reason = "nothing was delivered yet" if value is None else "it has a value, but no delivery record"
            return Look(state=State.ABSENT, reason=reason, empty=value is None, value_newer=newer)
        try:
            record = DeliveryRecord.parse(text)
        except NewerRecordError as error:
            return Look(state=State.UNKNOWN, reason=f"its delivery record was {error}")
        except ValueError:
            return Look(state=State.ABSENT, reason="its delivery record is damaged", value_newer=value is not None)
        reason = _mismatch(record, value)
        return Look(
            state=State.ABSENT if reason else State.HOLDS,
            record=record,
            reason=reason,
            empty=value is None and record.held is None and not record.marks,
            # of a value that does not match nobody knows whose it is, whatever the times say: they move with a copy
            value_newer=newer or bool(value and reason),
            readable=not reason,
        )

    def check(self) -> None:
        """Whether the file and its record could be written.

        Raises:
            DestinationError: they could not; says why.
        """
        look = self.look()
        if look.state is State.UNKNOWN:
            raise DestinationError(
                f"{quoted(str(self._path))}: {look.reason}.", hint="Move it away, or give another path."
            )
        folder = self._path.parent
        while not folder.exists() and folder != folder.parent:
            folder = folder.parent
        if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
            raise DestinationError(
                f"{quoted(str(self._path))}: no file can be made in {quoted(str(folder))}.",
                hint="Check that it is a folder that this user may write to.",
            )

    def write_record(self, record: DeliveryRecord) -> None:
        """Put the record beside the file.

        Raises:
            DestinationError: it could not be written.
        """
        _replace(self._record_path, record.to_text() + "\n", self._workspace)

    def write(self, secret: Secret) -> None:
        """Put the secret into the file, alone, without a line end.

        Raises:
            DestinationError: it could not be written.
        """
        _replace(self._path, secret.reveal(), self._workspace)

    def holds(self, secret: Secret) -> bool | None:
        """Whether what is read back equals the secret.

        Raises:
            DestinationError: it could not be read.
        """
        try:
            value, _ = _content(self._path)
        except OSError as error:
            raise DestinationError(
                f"{quoted(str(self._path))} cannot be read back: {_why(error)}.", surely_refused=False
            ) from None
        return value == secret.reveal()

    def fetch(self, held: Held) -> Secret | None:
        """The secret that the record names, if the value there matches its fingerprint; else None."""
        try:
            value, _ = _content(self._path)
        except OSError:
            return None
        return Secret(value) if value and fingerprint(held.id, value) == held.fingerprint else None


def _record_path(path: Path) -> Path:
    return path.with_name(path.name + _RECORD_SUFFIX)


def _is_read(path: Path, taken: Path) -> bool:
    """Whether a file is one that is read, or one of a folder of specs; both are real paths."""
    return path == taken or (path.parent == taken and path.suffix in {".yml", ".yaml"})


def _mismatch(record: DeliveryRecord, value: str | None) -> str:
    """Why the value is not the one that the record names; empty where it is."""
    if record.held is None:
        left = "an unfinished run left only its mark" if record.marks else "nothing was delivered yet"
        return left if value is None else "it has a value that no record names"
    if value is None:
        return "its value is missing"
    if not value:
        return "its value was emptied"
    if fingerprint(record.held.id, value) != record.held.fingerprint:
        return "its value is not the one that was delivered"
    return ""


def _content(path: Path) -> tuple[str | None, int]:
    """What a file holds and when it was written (nanoseconds); None and 0 where there is none."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # a pipe would block for ever
            raise OSError(errno.EINVAL, "It is not a regular file")
        with path.open("rb") as file:
            data = file.read(_LARGEST)
            written = os.fstat(file.fileno()).st_mtime_ns
    except FileNotFoundError:
        return None, 0
    return data.decode(errors="surrogateescape"), written


def _replace(path: Path, text: str, workspace: Path | None) -> None:
    """Write a file in one step: whoever reads it sees the old content or the new, never a part."""
    try:
        _make_folder(path.parent, workspace)
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name[:100]}.", dir=path.parent)  # made 0600
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            _give(Path(temporary), workspace)
            Path(temporary).replace(path)
        except BaseException:  # Ctrl-C too: what lies there half written may be a secret
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise DestinationError(
            f"{quoted(str(path))} cannot be written: {_why(error)}.",
            hint="Check that its folder exists, or can be made, and that this user may write there.",
        ) from None


def _make_folder(folder: Path, workspace: Path | None) -> None:
    """Make a folder and the missing ones above it, each 0700 (``mkdir(parents=True)`` leaves those to the umask)."""
    if not folder.is_dir():
        _make_folder(folder.parent, workspace)
        folder.mkdir(mode=0o700, exist_ok=True)
        _give(folder, workspace)


def _give(path: Path, workspace: Path | None) -> None:
    """Give what was made to the workspace's owner: an action runs as root, the steps after it do not."""
    if workspace is not None and os.geteuid() == 0:
        owner = workspace.stat()
        os.chown(path, owner.st_uid, owner.st_gid)


def _why(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()

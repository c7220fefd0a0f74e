"""Delivers to a file on this machine: replaced in one step, its delivery record beside it."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING
from urllib.parse import quote

from tooken_ci.base.errors import DestinationError
from tooken_ci.base.leaks import written
from tooken_ci.base.record import DeliveryRecord, Look, NewerRecordError, State
from tooken_ci.base.text import quoted
from tooken_ci.destinations.file_access import Access, make_folder, read, replace, turn
from tooken_ci.destinations.file_format import FormatError, Raw
from tooken_ci.destinations.judgement import mismatch, recognized

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tooken_ci.base.record import Held
    from tooken_ci.base.secret import Secret
    from tooken_ci.destinations.file_access import Ids
    from tooken_ci.destinations.file_format import Form

_RECORD_SUFFIX = ".tooken"

_LARGEST = 65_536
"""Bytes; whatever is larger is neither a secret nor a record of ours, and is not read."""

_LARGEST_OF_MANY = 1_048_576
"""Bytes of a file that others keep things in too; one that is larger is not touched."""

_RAW = Raw()


def record_path(path: Path, key: str = "") -> Path:
    """Where the record of a file stands, or that of one key in it, whatever characters the key has."""
    return path.with_name(path.name + (f".{quote(key, safe='')}" if key else "") + _RECORD_SUFFIX)


class FileDestination:
    """One file, or one key in it, and the record beside it. The record is written after the secret, never before it.

    Where the file is the secret and nothing else, its time tells whether it changed after its record was written. A
    file of many keys changes with each of them: there the fingerprint alone tells.
    """

    def __init__(
        self,
        path: Path,
        *,
        form: Form = _RAW,
        key: str = "",
        access: Access | None = None,
        lock: threading.Lock | None = None,
    ) -> None:
        """Opens nothing yet.

        Args:
            path: without symbolic links.
            form: what the file is made of.
            key: where in it the secret stands; empty where it is all of the file.
            access: who may read it; its owner alone where left out.
            lock: shared by all who change a part of this file in this process.
        """
        self._path = path
        self._form = form
        self._key = key
        self._access = access or Access()
        self._lock = lock or threading.Lock()
        self._record_path = record_path(path, key)

    def look(self) -> Look:
        """What stands there now; an error becomes ``unknown`` with its reason."""
        try:
            value, written = self._value()
            text, recorded = read(self._record_path, _LARGEST)
        except FormatError as error:
            return Look(state=State.UNKNOWN, reason=str(error))
        except OSError as error:
            return Look(state=State.UNKNOWN, reason=f"it cannot be read: {_why(error)}")
        newer = value is not None and (text is None or (not self._key and written > recorded))
        if text is None:
            reason = "nothing was delivered yet" if value is None else "it has a value, but no delivery record"
            return Look(state=State.ABSENT, reason=reason, empty=value is None, value_newer=newer)
        try:
            record = DeliveryRecord.parse(text)
        except NewerRecordError as error:
            return Look(state=State.UNKNOWN, reason=f"its delivery record was {error}")
        except ValueError:
            return Look(state=State.ABSENT, reason="its delivery record is damaged", value_newer=value is not None)
        reason = mismatch(record, value)
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
        self._access.demand_inside(self._path)
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
        self._ids()

    def write_record(self, record: DeliveryRecord) -> None:
        """Put the record beside the file.

        Raises:
            DestinationError: it could not be written.
        """
        text = record.to_text() + "\n"
        private = Access(workspace=self._access.workspace)  # whoever may read the secret need not read the record
        self._attempt(self._record_path, lambda: replace(self._record_path, text, private, private.ids()))
        written.note(self._record_path)  # the secret's own file is the destination's, and this is not

    def write(self, secret: Secret) -> None:
        """Put the secret into the file: alone, or in its place among what else stands there.

        Raises:
            DestinationError: it could not be written.
        """
        ids = self._ids()
        self._attempt(self._path, lambda: self._put(secret.reveal(), ids))

    def holds(self, secret: Secret) -> bool | None:
        """Whether what is read back equals the secret.

        Raises:
            DestinationError: it could not be read.
        """
        try:
            value, _ = self._value()
        except (OSError, FormatError) as error:
            why = _why(error) if isinstance(error, OSError) else str(error)
            raise DestinationError(
                f"{quoted(str(self._path))} cannot be read back: {why}.", surely_refused=False
            ) from None
        return value == secret.reveal()

    def fetch(self, held: Held) -> Secret | None:
        """The secret that the record names, if the value there matches its fingerprint; else None."""
        try:
            value, _ = self._value()
        except (OSError, FormatError):
            return None
        return recognized(value, held)

    def _value(self) -> tuple[str | None, int]:
        """What stands in the secret's place, and when the file was written; None = nothing."""
        text, written = self._text()
        return None if text is None else self._form.get(text, self._key), written

    def _text(self) -> tuple[str | None, int]:
        return read(self._path, _LARGEST_OF_MANY, whole=True) if self._key else read(self._path, _LARGEST)

    def _put(self, value: str, ids: Ids | None) -> None:
        if not self._key:
            replace(self._path, value, self._access, ids)
            return
        with self._lock, turn(self._path.parent):  # between reading and writing nobody else may add a key of theirs
            text = self._form.put(self._text()[0] or "", self._key, value)
            replace(self._path, text, self._access, ids)

    def _ids(self) -> Ids | None:
        """The owner that the file is to have; what others keep things in too stays theirs."""
        try:
            ids = self._access.ids()
            there = self._path.stat() if self._key and not self._access.owner and self._path.exists() else None
        except DestinationError as error:
            raise DestinationError(f"{quoted(str(self._path))}: {error.message}", hint=error.hint) from None
        except OSError as error:
            raise self._unwritable(self._path, error) from None
        if there is None:
            return ids
        if os.geteuid() not in {0, there.st_uid}:
            raise DestinationError(
                f"{quoted(str(self._path))} belongs to another user, who could not read it once it is replaced.",
                hint="Run as that user or as root, or say with 'owner' whose it is to be.",
            )
        return (there.st_uid, there.st_gid) if os.geteuid() == 0 else ids

    def _attempt(self, path: Path, write: Callable[[], None]) -> None:
        self._access.demand_inside(path)
        try:
            make_folder(path.parent, self._access, self._access.ids())
            write()
        except FormatError as error:
            raise DestinationError(
                f"{quoted(str(path))}: {error}.", hint="Mend the file, or deliver in another format."
            ) from None
        except OSError as error:
            raise self._unwritable(path, error) from None

    @staticmethod
    def _unwritable(path: Path, error: OSError) -> DestinationError:
        return DestinationError(
            f"{quoted(str(path))} cannot be written: {_why(error)}.",
            hint="Check that its folder exists, or can be made, and that this user may write and make folders there.",
        )


def _why(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()

"""How a file is read, and replaced in one step, with the owner and the mode that it is to have."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import fcntl
import os
import stat
import time
from typing import TYPE_CHECKING

from tooken_ci.base.errors import DestinationError
from tooken_ci.base.half_written import half_written
from tooken_ci.base.text import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PRIVATE = 0o600
_FOLDER_MODE = 0o700
_GROUP = 0o070
_GROUP_OF_FOLDER = 0o050

_LONGEST_WAIT = 10.0
"""Seconds that a write waits for another run's; each takes milliseconds."""

_SLICE = 0.02

Ids = tuple[int, int]
"""A user's and a group's number; -1 = it stays as it is."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Access:
    """Who may read what is written.

    Attributes:
        mode: of the file.
        owner: ``user`` or ``user:group``, by name or number; empty = nobody in particular.
        workspace: without an owner, what root makes belongs to this folder's; None = to whoever runs this.
    """

    mode: int = PRIVATE
    owner: str = ""
    workspace: Path | None = None

    def ids(self) -> Ids | None:
        """The numbers of the owner that new files and folders get; None = whoever runs this.

        Raises:
            DestinationError: there is no such user or group, or this user cannot give files to them.
        """
        if self.owner:
            return _ids_of(self.owner)
        if self.workspace is not None and os.geteuid() == 0:
            owner = self.workspace.stat()
            return owner.st_uid, owner.st_gid
        return None

    def demand_inside(self, path: Path) -> None:
        """See that a path without symbolic links is still one, where nothing may be written outside of a workspace.

        Raises:
            DestinationError: a folder of it has become a link since the spec was read.
        """
        if self.workspace is not None and os.path.realpath(path.parent) != str(path.parent):
            raise DestinationError(
                f"{quoted(str(path))} leads through a link that was made after the spec was read; nothing was written.",
                hint="Look for what changes the workspace while tooken-ci runs.",
            )


def read(path: Path, largest: int, *, whole: bool = False) -> tuple[str | None, int]:
    """What a file holds, up to a number of bytes, and when it was written (nanoseconds); None and 0 = there is none.

    Args:
        path: of the file.
        largest: bytes that are read.
        whole: a part of it will not do.

    Raises:
        OSError: it cannot be read, is no regular file, or is too large where all of it is needed.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # a pipe would block for ever
            raise OSError(errno.EINVAL, "It is not a regular file")
        with path.open("rb") as file:
            data = file.read(largest)
            if whole and file.read(1):
                raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
            written = os.fstat(file.fileno()).st_mtime_ns
    except FileNotFoundError:
        return None, 0
    return data.decode(errors="surrogateescape"), written


def replace(path: Path, text: str, access: Access, ids: Ids | None) -> None:
    """Write a file in one step: whoever reads it sees the old content or the new, never a part.

    Args:
        path: of the file; the folder must be there.
        text: all that it is to hold.
        access: its mode.
        ids: its owner, which it has before anybody can see it under its name; None = whoever runs this.

    Raises:
        OSError: it could not be written.
    """
    with half_written(path) as (handle, half):
        with os.fdopen(handle, "w", encoding="utf-8", errors="surrogateescape", newline="") as file:
            file.write(text)
            file.flush()
            if ids is not None:
                os.chown(half.parent, *ids)  # or its owner could not remove what a killed run leaves
                os.fchown(file.fileno(), *ids)
            os.fchmod(file.fileno(), access.mode)
            os.fsync(file.fileno())
        half.replace(path)


def make_folder(folder: Path, access: Access, ids: Ids | None) -> None:
    """Make a folder and the missing ones above it, each 0700 (``mkdir(parents=True)`` leaves those to the umask).

    Who may read a file by its group may pass its folder by it too.

    Raises:
        OSError: it could not be made.
    """
    if folder.is_dir():
        return
    make_folder(folder.parent, access, ids)
    folder.mkdir(mode=_FOLDER_MODE, exist_ok=True)
    if access.mode & _GROUP:
        folder.chmod(_FOLDER_MODE | _GROUP_OF_FOLDER)
    if ids is not None:
        os.chown(folder, *ids, follow_symlinks=False)


@contextlib.contextmanager
def turn(folder: Path) -> Iterator[None]:
    """Inside, no other run on this machine changes a part of a file in the folder.

    Raises:
        DestinationError: another one does so for too long.
    """
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        until = time.monotonic() + _LONGEST_WAIT
        while not _locked(handle):
            if time.monotonic() > until:
                raise DestinationError(
                    f"{quoted(str(folder))} has been locked by another process for {_LONGEST_WAIT:.0f} s.",
                    hint="Look for what holds it, and run again.",
                )
            time.sleep(_SLICE)
        yield
    finally:
        os.close(handle)


def _locked(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system that knows no locks: there the runs must keep apart by themselves
        return True
    return True


def _ids_of(owner: str) -> Ids:
    """The numbers of ``user`` or ``user:group``; a user's own group goes with it where it is known."""
    # Only here, because most files have no owner in particular.
    import grp
    import pwd

    user, _, group = owner.partition(":")
    try:
        if user.isdecimal():
            uid, gid = int(user), -1
        else:
            entry = pwd.getpwnam(user)
            uid, gid = entry.pw_uid, entry.pw_gid
        if group:
            gid = int(group) if group.isdecimal() else grp.getgrnam(group).gr_gid
    except KeyError:
        raise DestinationError(
            f"its owner {quoted(owner)} is not known on this machine.", hint="Correct the name, or give numbers."
        ) from None
    if os.geteuid() != 0 and (uid != os.geteuid() or gid not in {-1, os.getegid(), *os.getgroups()}):
        raise DestinationError(
            f"it cannot be given to {quoted(owner)}: only root gives files away, others only to their own groups.",
            hint="Run as root or as that user, or remove 'owner'.",
        )
    return uid, gid

"""What the tests of the ``file`` destination share."""

from __future__ import annotations

import datetime as dt
import os
from typing import TYPE_CHECKING

from tooken_ci.base.position import Position
from tooken_ci.base.record import DeliveryRecord, Held, Mark, MarkKind
from tooken_ci.base.secret import Secret
from tooken_ci.destinations.file import FileKind
from tooken_ci.destinations.file_store import FileDestination
from tooken_ci.destinations.interface import Surroundings

if TYPE_CHECKING:
    from pathlib import Path

TOKEN_ID = "tok_a1b2c3"
SECRET = "tok_secret_0123456789"
OTHER = "tok_secret_9876543210"
AT = dt.datetime(2026, 11, 23, 19, 20, 15, tzinfo=dt.UTC)
HERE = Position("tooken.yml", 7, 9)


def held(token_id: str = TOKEN_ID, secret: str = SECRET) -> Held:
    return Held(id=token_id, name="ci-deploy", at=AT, fingerprint=Secret(secret).fingerprint(token_id))


def record(*, workspace: str = "default", of: Held | None = None, marks: tuple[Mark, ...] = ()) -> DeliveryRecord:
    return DeliveryRecord(workspace=workspace, held=of, marks=marks)


def mark(run: str = "run-1") -> Mark:
    return Mark(kind=MarkKind.CREATE, name="ci-deploy.g2", run=run, at=AT)


class Place:
    """A file destination, its two files, and how to put something into them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.record_path = path.with_name(f"{path.name}.tooken")
        self.destination = FileDestination(path)

    def deliver(self, token_id: str = TOKEN_ID, secret: str = SECRET) -> None:
        self.destination.write(Secret(secret))
        self.destination.write_record(record(of=held(token_id, secret)))

    def age(self, *, value: int, record: int) -> None:
        """Sets the times at which both were written, in nanoseconds."""
        os.utime(self.path, ns=(value, value))
        os.utime(self.record_path, ns=(record, record))

    def files(self) -> list[str]:
        """The names of everything in its folder."""
        return sorted(path.name for path in self.path.parent.iterdir()) if self.path.parent.exists() else []


def kind(*, in_ci: bool = False, confined_to: Path | None = None) -> FileKind:
    return FileKind(Surroundings(in_ci=in_ci, confined_to=confined_to))

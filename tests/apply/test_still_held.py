"""What a destination still holds is not revoked, whoever asks for it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tooken_ci.base.record import DeliveryRecord, Held, State
from tooken_ci.base.secret import Secret
from tooken_ci.base.times import parse
from tooken_ci.destinations.file_store import FileDestination

if TYPE_CHECKING:
    from pathlib import Path


SECRET = "a-plainly-fake-secret"


def _delivered(path: Path) -> FileDestination:
    destination = FileDestination(path)
    held = Held(
        id="tok_1", name="ci", at=parse("2026-11-23T00:00:00Z"), fingerprint=Secret(SECRET).fingerprint("tok_1")
    )
    destination.write(Secret(SECRET))
    destination.write_record(DeliveryRecord(workspace="test", held=held))
    return destination


def test_a_restored_value_may_be_anybodys(tmp_path: Path) -> None:
    """A value that does not match its record may be any generation's, also where its time says that it is older."""
    path = tmp_path / "ci"
    destination = _delivered(path)
    assert not destination.look().value_newer
    path.write_text("an-older-generation's-secret", encoding="utf-8")
    os.utime(path, (1, 1))
    look = destination.look()
    assert (look.state, look.value_newer) == (State.ABSENT, True)


def test_an_emptied_value_is_nobodys(tmp_path: Path) -> None:
    """An emptied file holds no secret that a revocation could kill."""
    path = tmp_path / "ci"
    destination = _delivered(path)
    path.write_text("", encoding="utf-8")
    os.utime(path, (1, 1))
    look = destination.look()
    assert (look.state, look.value_newer) == (State.ABSENT, False)

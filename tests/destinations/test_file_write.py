from __future__ import annotations

import dataclasses
import errno
import os
import stat
import threading
from pathlib import Path

import pytest

from tests.destinations.support import OTHER, SECRET, Place, held, mark, record
from tooken_ci.base.errors import DestinationError
from tooken_ci.base.half_written import half_written
from tooken_ci.base.record import State
from tooken_ci.base.secret import Secret


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.usefixtures("open_umask")
def test_files_are_for_their_owner(full: Place) -> None:
    """Secret and record are 0600 whatever the umask, and each folder that was made is 0700."""
    assert mode(full.path) == 0o600
    assert mode(full.record_path) == 0o600
    assert mode(full.path.parent) == 0o700
    assert mode(full.path.parent.parent) == 0o700


@pytest.mark.usefixtures("open_umask")
def test_a_folder_that_was_there_keeps_its_mode(place: Place) -> None:
    """A folder that somebody made is not changed; only the missing one below it is 0700."""
    place.path.parent.parent.mkdir(mode=0o755)
    place.deliver()
    assert mode(place.path.parent.parent) == 0o755
    assert mode(place.path.parent) == 0o700


@pytest.mark.usefixtures("open_umask")
def test_a_loose_file_becomes_tight(place: Place) -> None:
    """A file that everybody could read is replaced by one that only its owner can."""
    place.path.parent.mkdir(parents=True)
    place.path.write_text("old", encoding="utf-8")
    assert mode(place.path) == 0o666
    place.deliver()
    assert mode(place.path) == 0o600


def test_the_secret_stands_alone(full: Place) -> None:
    """The file holds the secret and nothing else, without a line end; the record is one line."""
    assert full.path.read_bytes() == SECRET.encode()
    assert full.record_path.read_bytes() == record(of=held()).to_text().encode() + b"\n"
    assert full.files() == ["secret", "secret.tooken"]


def test_the_record_never_shows_the_secret(full: Place) -> None:
    """Nothing of the secret but its fingerprint stands in the record."""
    assert SECRET not in full.record_path.read_text(encoding="utf-8")


def test_a_mark_leaves_the_secret_alone(full: Place) -> None:
    """Writing a record does not touch the secret's file."""
    before = full.path.stat()
    full.destination.write_record(record(of=held(), marks=(mark(),)))
    assert full.path.stat() == before


def test_a_reader_never_sees_a_part(full: Place) -> None:
    """Whoever reads while secrets are replaced sees a whole one, each time."""
    values = {"a" * 60_000, "b" * 50_000}
    full.destination.write(Secret("a" * 60_000))
    seen: set[str] = set()
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            seen.add(full.path.read_text(encoding="utf-8"))

    reader = threading.Thread(target=read)
    reader.start()
    for value in sorted(values) * 60:
        full.destination.write(Secret(value))
    done.set()
    reader.join()
    assert seen
    assert seen <= values


def test_what_was_opened_before_stays_whole(full: Place) -> None:
    """A reader that had opened the file before it was replaced still reads the old secret: the file itself is new."""
    with full.path.open(encoding="utf-8") as early:
        full.destination.write(Secret(OTHER))
        assert early.read() == SECRET
    assert full.path.read_text(encoding="utf-8") == OTHER


@pytest.mark.parametrize("step", ["fsync", "replace"])
@pytest.mark.parametrize("fault", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
def test_a_write_that_fails_leaves_nothing_behind(
    full: Place, monkeypatch: pytest.MonkeyPatch, step: str, fault: BaseException
) -> None:
    """A write that fails or is interrupted half way leaves the old secret in place and no other file."""

    def fail(*_: object) -> None:
        raise fault

    monkeypatch.setattr(os if step == "fsync" else Path, step, fail)
    with pytest.raises((DestinationError, KeyboardInterrupt)) as caught:
        full.destination.write(Secret(OTHER))
    if isinstance(fault, OSError):
        assert isinstance(caught.value, DestinationError)
        assert "no space left on device" in caught.value.message
        assert caught.value.surely_refused
        assert OTHER not in str(caught.value)
    assert full.files() == ["secret", "secret.tooken"]
    assert full.path.read_text(encoding="utf-8") == SECRET


def below_a_file(folder: Path) -> Path:
    (folder / "plain").write_text("x", encoding="utf-8")
    return folder / "plain" / "deep" / "secret"


def in_proc(_: Path) -> Path:
    return Path("/proc/tooken-ci-test/secret")


def on_a_folder(folder: Path) -> Path:
    (folder / "secret" / "inside").mkdir(parents=True)
    return folder / "secret"


@pytest.mark.parametrize("make", [below_a_file, in_proc, on_a_folder])
def test_where_nothing_can_be_written(tmp_path: Path, make: object) -> None:
    """A place that cannot be written is refused with its path and the reason, and nothing is left there."""
    assert callable(make)
    place = Place(make(tmp_path))
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(DestinationError, match="cannot be written") as caught:
        place.destination.write(Secret(SECRET))
    assert place.path.name in caught.value.message
    assert caught.value.surely_refused
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("make", [below_a_file, on_a_folder])
def test_a_check_finds_out_before_anything_is_written(tmp_path: Path, make: object) -> None:
    """A check refuses a place that could not be written, and changes nothing."""
    assert callable(make)
    place = Place(make(tmp_path))
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(DestinationError) as caught:
        place.destination.check()
    assert caught.value.hint
    assert sorted(tmp_path.rglob("*")) == before


def test_a_check_of_a_place_that_will_do(place: Place) -> None:
    """A check of a place that can be written is content, and makes neither folder nor file."""
    place.destination.check()
    assert not place.path.parent.parent.exists()
    place.deliver()
    place.destination.check()
    assert place.files() == ["secret", "secret.tooken"]


def test_a_check_needs_a_folder_that_may_be_written(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """A check asks for the nearest folder that is there whether files can be made in it."""
    asked: list[tuple[object, int]] = []

    def access(path: object, kind: int) -> bool:
        asked.append((path, kind))
        return False

    monkeypatch.setattr(os, "access", access)
    with pytest.raises(DestinationError, match="no file can be made in"):
        place.destination.check()
    assert asked == [(place.path.parent.parent.parent, os.W_OK | os.X_OK)]


def test_a_check_refuses_what_it_cannot_read(full: Place) -> None:
    """A record that a later version wrote is not overwritten: the check refuses."""
    full.record_path.write_text("tooken-ci/9 workspace=default\n", encoding="utf-8")
    with pytest.raises(DestinationError, match="newer tooken-ci"):
        full.destination.check()


def test_reading_back(full: Place) -> None:
    """What is read back equals the secret that was written, and no other."""
    assert full.destination.holds(Secret(SECRET)) is True
    assert full.destination.holds(Secret(OTHER)) is False
    assert full.destination.holds(Secret(SECRET + "x")) is False
    full.path.unlink()
    assert full.destination.holds(Secret(SECRET)) is False


def test_reading_back_what_cannot_be_read(full: Place) -> None:
    """A secret that cannot be read back may well stand there, and the error says so."""
    full.path.unlink()
    full.path.mkdir()
    with pytest.raises(DestinationError, match="cannot be read back") as caught:
        full.destination.holds(Secret(SECRET))
    assert not caught.value.surely_refused


def test_fetching(full: Place) -> None:
    """The secret is given away only where the value matches the fingerprint of the token that was asked for."""
    found = full.destination.fetch(held())
    assert found is not None
    assert found.reveal() == SECRET
    assert full.destination.fetch(held(secret=OTHER)) is None
    assert full.destination.fetch(dataclasses.replace(held(), id="tok_other")) is None
    full.path.write_text(OTHER, encoding="utf-8")
    assert full.destination.fetch(held()) is None


@pytest.mark.parametrize("content", [b"", b"short", b"\xff" * 20])
def test_fetching_what_is_no_secret(full: Place, content: bytes) -> None:
    """A value that cannot be the secret is none, whatever bytes it has."""
    full.path.write_bytes(content)
    assert full.destination.fetch(held()) is None
    full.path.unlink()
    assert full.destination.fetch(held()) is None
    assert full.destination.look().state is State.ABSENT


@pytest.mark.parametrize("renamed", [False, True], ids=["before", "after"])
def test_what_a_killed_run_left_half_written(full: Place, *, renamed: bool) -> None:
    """The next write removes what a run that was killed left beside the file, and nothing else."""
    with half_written(full.path) as (handle, half):
        os.close(handle)
    half.parent.mkdir()
    if not renamed:
        half.write_text(OTHER, encoding="utf-8")
    other = full.path.parent / ".secret.tooken-notes.txt"
    other.write_text(OTHER, encoding="utf-8")
    full.destination.write(Secret(SECRET))
    assert not half.parent.exists()
    assert other.exists()


def test_a_folder_that_permits_no_folder(full: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a secret cannot be written in private it is not written, and the error says what the folder lacks."""

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(DestinationError, match="permits files but no folder") as caught:
        full.destination.write(Secret(OTHER))
    assert caught.value.surely_refused
    assert "make folders there" in caught.value.hint
    assert full.path.read_text(encoding="utf-8") == SECRET
    assert full.files() == ["secret", "secret.tooken"]

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest

from tests.destinations.support import OTHER, SECRET, Place, held, mark, record
from tooken_ci.base.record import State
from tooken_ci.base.secret import Secret

if TYPE_CHECKING:
    from pathlib import Path

NEWER = "tooken-ci/2 workspace=default colour=blue\n"


def test_nothing_there(place: Place) -> None:
    """Before anything was delivered a look says so, and makes no folder."""
    look = place.destination.look()
    assert (look.state, look.reason) == (State.ABSENT, "nothing was delivered yet")
    assert look.empty
    assert not look.value_newer
    assert look.record is None
    assert not place.path.parent.exists()


def test_holds(full: Place) -> None:
    """After a delivery it holds what its record names, and the secret can be copied from there."""
    look = full.destination.look()
    assert (look.state, look.reason) == (State.HOLDS, "")
    assert look.held == held()
    assert look.readable
    assert not look.empty
    assert not look.value_newer


def test_a_value_without_a_record(place: Place) -> None:
    """A file that somebody else left there is no delivery of ours, and its value may be anybody's."""
    place.path.parent.mkdir(parents=True)
    place.path.write_text(SECRET, encoding="utf-8")
    look = place.destination.look()
    assert (look.state, look.reason) == (State.ABSENT, "it has a value, but no delivery record")
    assert look.value_newer
    assert not look.empty


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (None, "its value is missing"),
        (b"", "its value was emptied"),
        (OTHER.encode(), "its value is not the one that was delivered"),
        (SECRET.encode() + b"\n", "its value is not the one that was delivered"),
        (b"\xff\xfe" + SECRET.encode(), "its value is not the one that was delivered"),
    ],
    ids=["missing", "emptied", "other", "line end", "bytes"],
)
def test_a_value_that_is_not_the_recorded_one(full: Place, change: bytes | None, reason: str) -> None:
    """A value that was removed, emptied or edited by hand is absent, with the reason, and nothing is copied from it."""
    full.path.unlink()
    if change is not None:
        full.path.write_bytes(change)
    look = full.destination.look()
    assert (look.state, look.reason) == (State.ABSENT, reason)
    assert look.held is None
    assert look.recorded == held()
    assert not look.readable
    assert not look.empty


def test_only_a_mark(place: Place) -> None:
    """A mark of a run that died before it wrote anything is seen, and there is no secret."""
    place.destination.write_record(record(marks=(mark(),)))
    look = place.destination.look()
    assert (look.state, look.reason) == (State.ABSENT, "an unfinished run left only its mark")
    assert look.marks == (mark(),)
    assert not look.empty


def test_a_mark_that_was_withdrawn(place: Place) -> None:
    """A record that names nothing and bears no mark counts as a place where nothing ever was."""
    place.destination.write_record(record())
    look = place.destination.look()
    assert look.state is State.ABSENT
    assert look.empty


def test_a_mark_and_a_value(place: Place) -> None:
    """A run that died between secret and record leaves a value that no record names."""
    place.destination.write_record(record(marks=(mark(),)))
    place.destination.write(Secret(SECRET))
    look = place.destination.look()
    assert (look.state, look.reason) == (State.ABSENT, "it has a value that no record names")
    assert not look.empty


def test_a_mark_beside_what_it_holds(full: Place) -> None:
    """A mark that was added to a record leaves what the record names untouched."""
    full.destination.write_record(record(of=held(), marks=(mark(),)))
    look = full.destination.look()
    assert look.state is State.HOLDS
    assert look.marks == (mark(),)


@pytest.mark.parametrize("text", ["", "hello", "tooken-ci/1", "tooken-ci/1 workspace=a id=b", "\x00", "tooken-ci/1 x"])
def test_a_damaged_record(full: Place, text: str) -> None:
    """A record that cannot be read says nothing of the value beside it."""
    full.record_path.write_text(text, encoding="utf-8")
    look = full.destination.look()
    assert (look.state, look.reason) == (State.ABSENT, "its delivery record is damaged")
    assert look.record is None
    assert look.value_newer
    assert not look.empty


def test_a_record_of_bytes(full: Place) -> None:
    """A record that is no text is a damaged one."""
    full.record_path.write_bytes(b"tooken-ci/1 workspace=\xff")
    assert full.destination.look().reason == "its delivery record is damaged"


def test_a_newer_record_is_left_alone(full: Place) -> None:
    """What a later version wrote is unknown: it is neither read nor a cause to replace."""
    full.record_path.write_text(NEWER, encoding="utf-8")
    look = full.destination.look()
    assert look.state is State.UNKNOWN
    assert "newer tooken-ci" in look.reason


def test_a_value_newer_than_its_record(full: Place) -> None:
    """A value that was written after its record may be anybody's; one of the same moment or older is not."""
    full.age(value=5_000_000_001, record=5_000_000_000)
    assert full.destination.look().value_newer
    full.age(value=5_000_000_000, record=5_000_000_000)
    assert not full.destination.look().value_newer


def test_a_delivery_is_never_newer_than_its_record(place: Place) -> None:
    """Secret first and record after it: the value never looks newer, however often it is delivered."""
    for _ in range(20):
        place.deliver()
        assert not place.destination.look().value_newer


def make_folder(path: Path) -> None:
    path.mkdir()


def make_pipe(path: Path) -> None:
    os.mkfifo(path)


def make_loop(path: Path) -> None:
    path.symlink_to(path.name)


def make_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as unix:
        unix.bind(str(path))


@pytest.mark.timeout(10)
@pytest.mark.parametrize("of_record", [False, True], ids=["value", "record"])
@pytest.mark.parametrize("make", [make_folder, make_pipe, make_loop, make_socket])
def test_what_is_no_file(full: Place, make: object, *, of_record: bool) -> None:
    """A folder, a pipe or a loop in the place of either file is unknown, and never waited for."""
    assert callable(make)
    path = full.record_path if of_record else full.path
    path.unlink()
    make(path)
    look = full.destination.look()
    assert look.state is State.UNKNOWN
    assert look.reason.startswith("it cannot be read: ")
    assert (full.destination.fetch(held()) is not None) is of_record


def test_below_a_file(tmp_path: Path) -> None:
    """A place below a regular file cannot be asked."""
    (tmp_path / "plain").write_text("x", encoding="utf-8")
    look = Place(tmp_path / "plain" / "secret").destination.look()
    assert (look.state, look.reason) == (State.UNKNOWN, "it cannot be read: not a directory")


def test_a_name_that_is_too_long(tmp_path: Path) -> None:
    """A name for which the record's suffix leaves no room is unknown, not a crash."""
    assert Place(tmp_path / ("n" * 250)).destination.look().state is State.UNKNOWN


def test_a_huge_file_is_not_read_whole(full: Place) -> None:
    """A file larger than any secret is not the recorded one, and does not fill the memory."""
    with full.path.open("r+b") as file:
        file.truncate(1 << 40)
    look = full.destination.look()
    assert look.reason == "its value is not the one that was delivered"

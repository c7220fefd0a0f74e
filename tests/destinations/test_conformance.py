"""What every kind of destination that can be read back has in common: the same harms, the same answers."""

from __future__ import annotations

import contextlib
import dataclasses
from typing import TYPE_CHECKING

import pytest

from tests.destinations.aws_support import AwsPlace, KeptKey, KeptTag
from tests.destinations.exec_support import Store
from tests.destinations.support import OTHER, SECRET, TOKEN_ID, Place, held, mark, record
from tooken_ci.base.errors import DestinationError
from tooken_ci.base.record import State
from tooken_ci.base.secret import Secret
from tooken_ci.destinations.file_format import FORMS
from tooken_ci.destinations.file_store import FileDestination

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tooken_ci.destinations.interface import Destination


@dataclasses.dataclass(frozen=True, kw_only=True)
class Subject:
    """A destination, and the two files, or what is handled like them, in which it ends up keeping things.

    The secret stands there in some text.
    """

    destination: Destination
    value: Path | KeptKey
    record: Path | KeptTag
    text: str = "{}"

    def stored(self, secret: str) -> bytes:
        """What the file holds, the secret included."""
        return self.text.replace("{}", secret).encode()

    def deliver(self) -> None:
        self.destination.write_record(record(marks=(mark(),)))
        self.destination.write(Secret(SECRET))
        self.destination.write_record(record(of=held()))


KEYED = {"dotenv": "TOKEN={}\n", "json": '{\n  "TOKEN": "{}"\n}\n'}


def _file(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Subject]:
    place = Place(tmp_path / "value")
    yield Subject(destination=place.destination, value=place.path, record=place.record_path)


def _keyed(form: str, tmp_path: Path) -> Iterator[Subject]:
    path = tmp_path / "value"
    yield Subject(
        destination=FileDestination(path, form=FORMS[form], key="TOKEN"),
        value=path,
        record=tmp_path / "value.TOKEN.tooken",
        text=KEYED[form],
    )


def _dotenv(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Subject]:
    yield from _keyed("dotenv", tmp_path)


def _json(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Subject]:
    yield from _keyed("json", tmp_path)


def _exec(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Subject]:
    store = Store(tmp_path / "store")
    yield Subject(destination=store.open(), value=store.value, record=store.record)


def _aws_secret(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Subject]:
    with contextlib.closing(AwsPlace(request.getfixturevalue("aws"))) as place:
        key, tag = KeptKey(place, "token"), KeptTag(place, "tooken-ci:token")
        yield Subject(destination=place.open(key="token"), value=key, record=tag)


KINDS = {"file": _file, "dotenv": _dotenv, "json": _json, "exec": _exec, "aws_secret": _aws_secret}


@pytest.fixture(params=list(KINDS.values()), ids=list(KINDS))
def subject(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Subject]:
    """Gives an empty destination of each kind."""
    yield from request.param(request, tmp_path)


@pytest.fixture
def full(subject: Subject) -> Subject:
    """Gives the same after a delivery."""
    subject.deliver()
    return subject


def test_nothing_there(subject: Subject) -> None:
    """Before anything was delivered a look says so, and a check is content."""
    subject.destination.check()
    look = subject.destination.look()
    assert (look.state, look.reason, look.record) == (State.ABSENT, "nothing was delivered yet", None)
    assert look.empty
    assert not look.value_newer
    assert not look.readable
    assert subject.destination.fetch(held()) is None
    assert subject.destination.holds(Secret(SECRET)) is False


def test_a_delivery(full: Subject) -> None:
    """After a delivery it holds what its record names, gives it away, and keeps secret and record apart."""
    look = full.destination.look()
    assert (look.state, look.reason, look.held, look.marks) == (State.HOLDS, "", held(), ())
    assert look.readable
    assert not look.empty
    assert not look.value_newer
    assert full.value.read_bytes() == full.stored(SECRET)
    assert full.record.read_text(encoding="utf-8") == record(of=held()).to_text() + "\n"
    found = full.destination.fetch(held())
    assert found is not None
    assert found.reveal() == SECRET
    full.destination.check()


def test_reading_back(full: Subject) -> None:
    """What is read back equals the secret that was written, and no other."""
    assert full.destination.holds(Secret(SECRET)) is True
    assert full.destination.holds(Secret(OTHER)) is False
    assert full.destination.holds(Secret(SECRET + "x")) is False


def test_only_what_was_asked_for_is_fetched(full: Subject) -> None:
    """A value that is not the one that a record names is not given away."""
    assert full.destination.fetch(held(secret=OTHER)) is None
    assert full.destination.fetch(dataclasses.replace(held(), id="tok_other")) is None


def test_a_mark_alone(subject: Subject) -> None:
    """A mark where nothing was delivered is no delivery, but the place is no longer empty."""
    subject.destination.write_record(record(marks=(mark(),)))
    look = subject.destination.look()
    assert (look.state, look.reason) == (State.ABSENT, "an unfinished run left only its mark")
    assert look.marks == (mark(),)
    assert not look.empty
    assert not look.value_newer


def test_a_mark_taken_back(subject: Subject) -> None:
    """A record that names nobody and has no mark is like none."""
    subject.destination.write_record(record())
    look = subject.destination.look()
    assert (look.state, look.reason) == (State.ABSENT, "nothing was delivered yet")
    assert look.empty


def test_a_mark_beside_a_delivery(full: Subject) -> None:
    """A mark leaves the secret alone: the place still holds it."""
    full.destination.write_record(record(of=held(), marks=(mark(),)))
    look = full.destination.look()
    assert (look.state, look.held, look.marks) == (State.HOLDS, held(), (mark(),))
    assert full.value.read_bytes() == full.stored(SECRET)


@pytest.mark.parametrize("marks", [(), (mark(),)])
def test_a_value_that_no_record_names(subject: Subject, marks: tuple[()]) -> None:
    """A value that nobody is known to have delivered may be anybody's."""
    subject.destination.write_record(record(marks=marks))
    subject.destination.write(Secret(SECRET))
    look = subject.destination.look()
    assert (look.state, look.reason) == (State.ABSENT, "it has a value that no record names")
    assert look.value_newer
    assert not look.empty


def test_a_value_without_a_record(full: Subject) -> None:
    """A value beside which the record is gone is no delivery."""
    full.record.unlink()
    look = full.destination.look()
    assert (look.state, look.reason) == (State.ABSENT, "it has a value, but no delivery record")
    assert look.value_newer
    assert not look.empty


def test_an_edited_value(full: Subject) -> None:
    """A value that does not match its fingerprint is not the delivered one, and may be anybody's."""
    full.value.write_bytes(full.stored(OTHER))
    look = full.destination.look()
    assert (look.state, look.reason) == (State.ABSENT, "its value is not the one that was delivered")
    assert (look.held, look.recorded) == (None, held())
    assert look.value_newer
    assert not look.readable
    assert full.destination.fetch(held()) is None


def test_a_value_that_is_gone(full: Subject) -> None:
    """A record without its value holds nothing, but says what was there."""
    full.value.unlink()
    look = full.destination.look()
    assert (look.state, look.reason, look.recorded) == (State.ABSENT, "its value is missing", held())
    assert not look.value_newer
    assert not look.empty


@pytest.mark.parametrize(
    "text",
    ["nonsense", "tooken-ci/1 workspace=default id=", "<html>", f"tooken-ci/1 id={TOKEN_ID}", "a\nb", "\x1b[31m"],
)
def test_a_damaged_record(full: Subject, text: str) -> None:
    """A record that cannot be read is none, so nothing is certain about the value beside it."""
    full.record.write_text(text, encoding="utf-8")
    look = full.destination.look()
    assert (look.state, look.reason) == (State.ABSENT, "its delivery record is damaged")
    assert look.value_newer
    assert not look.empty


def test_a_newer_record(full: Subject) -> None:
    """What a later version wrote is unknown, and a check refuses to write over it."""
    full.record.write_text("tooken-ci/2 workspace=default colour=blue\n", encoding="utf-8")
    look = full.destination.look()
    assert look.state is State.UNKNOWN
    assert "newer tooken-ci" in look.reason
    with pytest.raises(DestinationError, match="newer tooken-ci"):
        full.destination.check()


def test_a_second_delivery(full: Subject) -> None:
    """The next secret takes the place of the one before, and so does its record."""
    full.destination.write(Secret(OTHER))
    full.destination.write_record(record(of=held("tok_next", OTHER)))
    assert full.destination.look().held == held("tok_next", OTHER)
    assert full.value.read_bytes() == full.stored(OTHER)

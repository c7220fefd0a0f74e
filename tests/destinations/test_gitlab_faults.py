"""What goes wrong between us and GitLab: what is tried again, what is certain afterwards, and what is told."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from tests.destinations.gitlab_support import KEY, SHOP, Place, kind
from tests.destinations.support import HERE, OTHER, SECRET, held, mark, record
from tests.support.gitlab import FakeGitLab, Fault
from tooken_ci.base.errors import DestinationError
from tooken_ci.base.record import State
from tooken_ci.base.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Iterator

HTML = "<html>the proxy says no</html>"
ONE = rf"/variables/{KEY}$"


@pytest.fixture
def fake() -> Iterator[FakeGitLab]:
    """Gives a GitLab of its own."""
    with FakeGitLab() as running:
        yield running


@pytest.fixture
def place(fake: FakeGitLab) -> Place:
    """Gives a variable that holds a secret."""
    place = Place(fake, fake.project())
    place.deliver()
    return place


@pytest.fixture
def new(fake: FakeGitLab) -> Place:
    """Gives a variable that does not exist yet."""
    return Place(fake, fake.project())


IN_PASSING = [
    Fault("GET", status=500),
    Fault("GET", status=502, body=HTML, times=2),
    Fault("GET", status=429, headers={"Retry-After": "0"}),
    Fault("GET", status=429),
    Fault("GET"),
    Fault("GET", hangs=True),
]


@pytest.mark.parametrize("fault", IN_PASSING, ids=str)
def test_a_look_is_tried_again(fake: FakeGitLab, place: Place, fault: Fault) -> None:
    """A fault in passing does not keep a look from its answer."""
    fake.faults = [Fault(**{**vars(fault), "times": fault.times})]
    assert place.look().held == held()
    assert fake.faults[0].times == 0


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fault("GET", status=500, times=99), "GitLab answered 500, 500 Internal Server Error"),
        (Fault("GET", status=503, body=HTML, times=99), "GitLab answered 503"),
        (Fault("GET", status=429, headers={"Retry-After": "3600"}, times=99), "GitLab's rate limit is reached (429"),
        (Fault("GET", times=99), "the connection broke before"),
        (Fault("GET", hangs=True, times=99), "did not answer in time"),
        (Fault("GET", status=200, body=HTML, times=99), "it sent no JSON"),
        (Fault("GET", status=200, body="[" * 100_000, times=99), "it sent no JSON"),
        (Fault("GET", status=400, body="[" * 100_000, times=99), "nests too deep"),
        (Fault("GET", status=200, body="[]", times=99), "it sent something else than a variable"),
        (Fault("GET", status=200, body='{"key":"OTHER","value":"x"}', times=99), "told of the variable 'OTHER'"),
        (Fault("GET", status=404, body=HTML, times=99), "GitLab finds no project acme/shop"),
        (Fault("GET", status=404, body='{"error":"404 Not Found"}', times=99), "GitLab finds no project acme/shop"),
        (Fault("GET", status=302, headers={"Location": "https://elsewhere.example/x"}, times=99), "elsewhere.example"),
    ],
    ids=str,
)
def test_a_look_that_fails(fake: FakeGitLab, place: Place, fault: Fault, reason: str) -> None:
    """What cannot be asked is unknown, with the reason, and never taken for a variable that is not there."""
    fake.faults = [fault]
    look = place.look()
    assert look.state is State.UNKNOWN
    assert reason in look.reason
    assert "proxy says" not in look.reason
    assert not look.empty
    with pytest.raises(DestinationError, match="GitLab"):
        place.open().check()
    assert place.open().fetch(held()) is None


def test_looks_that_fail_together(fake: FakeGitLab, place: Place) -> None:
    """Where the list cannot be read, all of its variables are unknown."""
    fake.faults = [Fault("GET", r"/variables$", status=500, times=99)]
    of = kind(fake)
    looks = of.look([of.parse({**SHOP, "name": name}, HERE) for name in (KEY, "TOOKEN_B")])
    assert [look.state for look in looks] == [State.UNKNOWN] * 2
    fake.faults = [Fault("GET", r"/variables$", status=200, body="{}")]
    assert "a list of variables" in of.look([of.parse({**SHOP, "name": name}, HERE) for name in (KEY, "B")])[0].reason
    assert place.look().state is State.HOLDS


def test_nobody_is_there(fake: FakeGitLab) -> None:
    """A GitLab that cannot be reached has surely taken nothing."""
    with socket.socket() as taken:  # bound but not listening
        taken.bind(("127.0.0.1", 0))
        place = Place(fake, fake.project())
        destination = place.open(GITLAB_URL=f"http://127.0.0.1:{taken.getsockname()[1]}")
        assert "cannot be reached" in destination.look().reason
        with pytest.raises(DestinationError, match="cannot be reached") as caught:
            destination.write(Secret(SECRET))
    assert caught.value.surely_refused


WRITES = pytest.mark.parametrize(("method", "there"), [("POST", False), ("PUT", True)])
"""How a secret is written: a variable is made, or changed."""


def marked(place: Place, *, there: bool) -> Place:
    """The place once it is marked, with or without a variable."""
    if there:
        place.deliver()
    return place


class UnderWay:
    """A destination between its mark and the write."""

    def __init__(self, place: Place) -> None:
        self.destination = place.open()
        before = self.destination.look().record or record()
        self.destination.write_record(before.marked(mark()))
        self.destination.look()
        self.place = place

    def write(self) -> DestinationError | None:
        """Writes the secret; gives the failure."""
        try:
            self.destination.write(Secret(OTHER))
        except DestinationError as error:
            return error
        return None

    def finish(self) -> None:
        """Goes on to the record."""
        assert self.destination.holds(Secret(OTHER)) is True
        self.destination.write_record(record(of=held("tok_next", OTHER)))
        assert self.place.look().held == held("tok_next", OTHER)
        assert len(self.place.owner.variables) == 1


@WRITES
@pytest.mark.parametrize(
    "fault",
    [
        {"status": 500},
        {"status": 500, "done": True},
        {"status": 502, "body": HTML, "done": True},
        {"done": True},
        {},
        {"hangs": True, "done": True},
        {"hangs": True},
        {"status": 429, "headers": {"Retry-After": "0"}},
        {"status": 409, "body": '{"message":"409 Conflict: Resource lock"}'},
    ],
    ids=str,
)
def test_a_write_that_is_mended(new: Place, method: str, fault: dict[str, object], *, there: bool) -> None:
    """A fault in passing is mended by another try, also where the first one was done after all."""
    under_way = UnderWay(marked(new, there=there))
    new.fake.faults = [Fault(method, **fault)]  # type: ignore[arg-type]
    assert under_way.write() is None
    under_way.finish()


@WRITES
@pytest.mark.parametrize(
    "fault",
    [
        {"status": 500},
        {"status": 503, "done": True},
        {"done": True},
        {"hangs": True},
        {"status": 200, "body": HTML, "done": True},
        {"status": 201, "body": "[]", "done": True},
    ],
    ids=str,
)
def test_a_write_of_which_nobody_knows(new: Place, method: str, fault: dict[str, object], *, there: bool) -> None:
    """A write that may have been done is never told as refused."""
    under_way = UnderWay(marked(new, there=there))
    new.fake.faults = [
        Fault(method, **fault, times=99),  # type: ignore[arg-type]
        Fault("GET", ONE, status=500, times=99),
    ]
    error = under_way.write()
    assert error is not None
    assert not error.surely_refused


@WRITES
@pytest.mark.parametrize("second", [401, 403, 404, 400])
def test_a_refusal_after_doubt(new: Place, method: str, second: int, *, there: bool) -> None:
    """A refusal says nothing about an earlier try that may have been done."""
    under_way = UnderWay(marked(new, there=there))
    new.fake.faults = [
        Fault(method, times=1),
        Fault(method, status=second, body='{"message":"no"}', times=99),
        Fault("GET", ONE, status=401, times=99),
    ]
    error = under_way.write()
    assert error is not None
    assert not error.surely_refused


@WRITES
@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (400, '{"message":{"value":["is invalid"]}}', "is invalid"),
        (401, '{"message":"401 Unauthorized"}', "does not accept GITLAB_TOKEN"),
        (403, '{"message":"403 Forbidden"}', "403 Forbidden"),
        (403, '{"error":"insufficient_scope","error_description":"more"}', "lacks a scope"),
        (404, '{"message":"404 Project Not Found"}', "finds no project acme/shop"),
        (405, HTML, "GitLab answered 405"),
        (429, '{"message":{"error":"This endpoint has been requested too many times."}}', "rate limit"),
        (302, "", "redirect"),
    ],
)
def test_a_write_that_is_refused(new: Place, method: str, status: int, body: str, told: str, *, there: bool) -> None:
    """A refusal is sure where no try before it may have been done, says why, and leaves all as it was."""
    under_way = UnderWay(marked(new, there=there))
    before = new.value
    new.fake.faults = [Fault(method, status=status, body=body, headers={"Location": "https://a.example"}, times=99)]
    error = under_way.write()
    assert error is not None
    assert error.surely_refused
    assert told in error.message
    assert OTHER not in str(error)
    assert HTML not in str(error)
    assert new.value == before


@pytest.mark.parametrize("done", [True, False])
def test_a_hidden_variable_whose_making_is_in_doubt(new: Place, *, done: bool) -> None:
    """That a hidden variable was made shows by its record, where its value does not."""
    new.settings["hidden"] = True
    under_way = UnderWay(new)
    new.fake.faults = [Fault("POST", done=done)]
    assert under_way.write() is None
    assert new.value == OTHER
    assert under_way.destination.holds(Secret(OTHER)) is None


def test_somebody_elses_variable_is_not_taken_for_ours(new: Place) -> None:
    """Where the first try was lost and somebody else made the variable, nothing is certain, nor is it overwritten."""
    under_way = UnderWay(new)
    new.put("somebody-elses", "Mine")
    new.fake.faults = [Fault("POST")]
    error = under_way.write()
    assert error is not None
    assert not error.surely_refused
    assert new.value == "somebody-elses"


@pytest.mark.parametrize("there", [True, False])
@pytest.mark.parametrize("fault", [{}, {"done": True}, {"status": 500, "done": True}], ids=str)
def test_a_mark_that_is_mended(new: Place, fault: dict[str, object], *, there: bool) -> None:
    """A mark whose answer was lost is left all the same, once."""
    marked(new, there=there)
    new.fake.faults = [Fault("PUT" if there else "POST", **fault)]  # type: ignore[arg-type]
    UnderWay(new)
    assert new.look().marks == (mark(),)
    assert len(new.owner.variables) == 1


def test_a_note_that_cannot_be_removed(new: Place) -> None:
    """A delivery that is recorded is complete, even if its note stays."""
    under_way = UnderWay(new)
    new.fake.faults = [Fault("DELETE", status=500, times=99)]
    assert under_way.write() is None
    under_way.destination.write_record(record(of=held("tok_next", OTHER)))
    assert new.note is not None
    assert new.look().held == held("tok_next", OTHER)


def test_a_record_that_cannot_be_written(new: Place) -> None:
    """A record whose PUT fails is a failure after a write: nothing is certain but what the next look finds."""
    under_way = UnderWay(new)
    assert under_way.write() is None
    new.fake.faults = [Fault("PUT", status=500, times=99)]
    with pytest.raises(DestinationError, match="500"):
        under_way.destination.write_record(record(of=held("tok_next", OTHER)))
    look = new.look()
    assert (look.reason, look.value_newer) == ("it has a value that no record names", True)


def test_what_is_read_back_fails(place: Place) -> None:
    """A read-back that fails is told, and asks again before it does."""
    destination = place.open()
    place.fake.faults = [Fault("GET", status=500, times=99)]
    with pytest.raises(DestinationError, match="500"):
        destination.holds(Secret(SECRET))
    assert place.fake.faults[0].times == 96


def test_a_write_is_bounded(new: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """No write goes on beyond its time, whatever is left to try."""
    monkeypatch.setattr("tooken_ci.destinations.timing.LONGEST_WRITE", 0.0)
    under_way = UnderWay(new)
    new.fake.faults = [Fault("POST", status=500, times=99)]
    assert under_way.write() is not None
    assert new.fake.faults[0].times == 98


def test_a_long_pause_is_not_waited_for(place: Place) -> None:
    """GitLab may ask for an hour; the run goes on without it."""
    place.fake.faults = [Fault("GET", status=429, headers={"Retry-After": "3600"}, times=99)]
    assert place.look().state is State.UNKNOWN
    assert place.fake.faults[0].times == 98

"""How generations are named, and how instants are read and shown."""

from __future__ import annotations

import datetime as dt
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tooken_ci.base import naming, times
from tooken_ci.base.position import Position


@pytest.mark.parametrize(
    ("token", "name", "number"),
    [
        ("ci", "ci", 1),
        ("ci.g2", "ci", 2),
        ("ci.g10", "ci", 10),
        ("ci.g1", "ci.g1", 1),
        ("ci.g0", "ci.g0", 1),
        ("ci.g02", "ci.g02", 1),
        ("ci.g2.g3", "ci.g2", 3),
        ("ci.g2x", "ci.g2x", 1),
        ("ci.g", "ci.g", 1),
        ("ci.G2", "ci.G2", 1),
        (".g2", ".g2", 1),
        ("ci.g2\n", "ci.g2\n", 1),
        ("a\nb.g2", "a\nb", 2),
        ("ci.g\u0662", "ci.g\u0662", 1),
    ],
)
def test_split(token: str, name: str, number: int) -> None:
    """The name and number of a generation are read off a token's name; what only looks like one is a name by itself."""
    assert naming.split(token) == (name, number)


@given(st.text(min_size=1), st.integers(1, 10**6))
def test_names_are_read_back(name: str, number: int) -> None:
    """Every generation's name tells its entry and number, for any name that is not reserved."""
    if not naming.reserved(name):
        assert naming.split(naming.generation_name(name, number)) == (name, number)


@pytest.mark.parametrize(
    ("name", "mark"),
    [
        ("ci", ""),
        ("ci.g2", ".g2"),
        ("ci.g1", ".g1"),
        ("ci.g007", ".g007"),
        ("ci.g2x", ""),
        ("a.e-b", ".e-"),
        ("a.eb", ""),
    ],
)
def test_reserved(name: str, mark: str) -> None:
    """What in a name belongs to generations or leases is found."""
    assert naming.reserved(name) == mark


@pytest.mark.parametrize(
    ("name", "lease"), [("preview.e-1-1-a", True), ("preview.e-1.g2", True), ("preview", False), ("pre-e-1", False)]
)
def test_is_lease(name: str, *, lease: bool) -> None:
    """Leases are known by the mark in their name."""
    assert naming.is_lease(name) is lease


def test_room() -> None:
    """The longest entry name leaves room for millions of generations within the API's limit."""
    assert len(naming.generation_name("n" * naming.MAX_ENTRY_NAME, 9_999_999)) <= naming.MAX_NAME


@pytest.mark.parametrize(
    "text",
    ["2026-11-23T19:20:15Z", "2026-11-23T19:20:15", "2026-11-23T20:20:15+01:00", "2026-11-23 19:20:15+00:00"],
)
def test_parse(text: str) -> None:
    """An instant is UTC, whatever offset it is written with; without one it is taken for UTC."""
    instant = times.parse(text)
    assert instant == dt.datetime(2026, 11, 23, 19, 20, 15, tzinfo=dt.UTC)
    assert instant.tzinfo is dt.UTC
    assert times.show(instant) == "2026-11-23T19:20:15Z"


def test_show_in_utc() -> None:
    """An instant of another zone is shown in UTC, to the second."""
    zone = dt.timezone(dt.timedelta(hours=-5))
    assert times.show(dt.datetime(2026, 1, 1, 23, 0, 0, 999_999, tzinfo=zone)) == "2026-01-02T04:00:00Z"


@pytest.mark.parametrize("text", ["", "soon", "2026-13-01T00:00:00Z", "1764000000"])
def test_no_instant(text: str) -> None:
    """What is no instant is refused."""
    with pytest.raises(ValueError, match=r"isoformat|month"):
        times.parse(text)


def test_system_clock() -> None:
    """The machine's clock runs forward, and waits as long as it is asked to."""
    clock = times.RunClock()
    begin = clock.monotonic()
    clock.sleep(0.02)
    assert 0.02 <= clock.monotonic() - begin <= time.monotonic()


def test_position() -> None:
    """A place is shown as editors and runners understand it."""
    assert str(Position("tooken.yml", 3, 7)) == "tooken.yml:3:7"

"""Durations, shares and points in time: what is read, what is refused, how it is shown."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tooken_ci.base import times
from tooken_ci.spec import durations, instants


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("30m", timedelta(minutes=30)),
        ("72h", timedelta(hours=72)),
        ("90d", timedelta(days=90)),
        ("2w", timedelta(weeks=2)),
        ("36500d", timedelta(days=36500)),
    ],
)
def test_parse(text: str, expected: timedelta) -> None:
    """A duration is a whole number and its unit."""
    assert durations.parse(text) == expected


@pytest.mark.parametrize(
    "text", ["", "90", "d", "0d", "-1d", "1.5d", "1 d", "1D", "1s", "90d\n", "٣d", "1d1h", "36501d", "99999999w"]
)
def test_parse_refuses(text: str) -> None:
    """Anything else is refused, and so is what no date could hold."""
    with pytest.raises(ValueError, match="duration"):
        durations.parse(text)


@pytest.mark.parametrize(
    ("duration", "expected"),
    [
        (timedelta(0), "0"),
        (timedelta(minutes=90), "90m"),
        (timedelta(hours=24), "1d"),
        (timedelta(hours=36), "36h"),
        (timedelta(days=7), "7d"),
        (timedelta(days=14), "2w"),
        (timedelta(days=90), "90d"),
        (timedelta(days=90) * 33 / 100, "29d 16h 48m"),
        (timedelta(minutes=1, seconds=30.5), "1m 30.5s"),
        (-timedelta(hours=1), "-1h"),
    ],
)
def test_show(duration: timedelta, expected: str) -> None:
    """A duration is shown exactly, and as short as can be read."""
    assert durations.show(duration) == expected


@given(st.integers(1, 999), st.sampled_from("mhdw"))
def test_what_is_shown_can_be_read(count: int, unit: str) -> None:
    """Reading what was shown gives the same duration."""
    duration = durations.parse(f"{count}{unit}")
    assert durations.parse(durations.show(duration)) == duration


@pytest.mark.parametrize(
    ("text", "expected"), [("0%", 0), ("33%", Fraction(33, 100)), ("12.5%", Fraction(1, 8)), ("100%", 1)]
)
def test_share(text: str, expected: Fraction) -> None:
    """A share is exact, and shown as it was written."""
    assert durations.parse_share(text) == expected
    assert durations.show_share(durations.parse_share(text)) == text


@pytest.mark.parametrize("text", ["", "%", "33", "101%", "-1%", "1e1%", "20%\n"])
def test_share_refuses(text: str) -> None:
    """Nothing below nothing, nothing above the whole."""
    with pytest.raises(ValueError, match="a share goes from 0% to 100%"):
        durations.parse_share(text)


@pytest.mark.parametrize("text", ["2027-01-01T00:00:00Z", "2027-01-01t02:00:00+02:00", "2026-12-31 19:00-05:00"])
def test_instant(text: str) -> None:
    """A point in time may stand in any zone; it is kept in UTC."""
    assert instants.parse(text) == datetime(2027, 1, 1, tzinfo=UTC)
    assert times.show(instants.parse(text)) == "2027-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("2027-01-01", "such as 2027-01-01T00:00:00Z"),
        ("2027-01-01T00:00:00", "as in 2027-01-01T00:00:00Z"),
        ("2027-13-01T00:00:00Z", "no such date"),
        ("0001-01-01T00:00:00+01:00", "no such date"),
        ("9999-12-31T23:59:59-01:00", "no such date"),
        ("2027-01-01T00:00:00Z\n", "is written like"),
        ("soon", "is written like"),
    ],
)
def test_instant_refuses(text: str, why: str) -> None:
    """What is no point in time, or lacks a part of it, is refused with the right form."""
    with pytest.raises(ValueError, match=why):
        instants.parse(text)

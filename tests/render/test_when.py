"""How far an instant is from the time of a plan, in words."""

from __future__ import annotations

import datetime as dt

import pytest

from tests.plan.builders import NOW, days, hours, minutes, seconds
from tooken_ci.render import when


@pytest.mark.parametrize(
    ("distance", "words"),
    [
        (seconds(0), "just now"),
        (seconds(119), "just now"),
        (seconds(-119), "just now"),
        (minutes(2), "in 2 minutes"),
        (minutes(119), "in 119 minutes"),
        (hours(2), "in 2 hours"),
        (hours(47.9), "in 47 hours"),
        (days(2), "in 2 days"),
        (days(-3.9), "3 days ago"),
        (days(729), "in 729 days"),
        (days(730), "in 2 years"),
        (hours(-2), "2 hours ago"),
    ],
)
def test_distances(distance: dt.timedelta, words: str) -> None:
    """Told in the largest unit of which there are two, rounded down."""
    assert when.relative(NOW + distance, NOW) == words


def test_instants() -> None:
    """An instant is told in UTC, to the minute, wherever it came from, and with its distance."""
    at = dt.datetime(2026, 11, 25, 1, 2, 3, tzinfo=dt.timezone(hours(-5)))
    assert when.told(at, NOW) == "2026-11-25 06:02 UTC (in 34 hours)"
    assert when.used(None, NOW) == "never used"
    assert when.used(NOW - hours(5), NOW) == "last used 5 hours ago"


@pytest.mark.parametrize(
    ("distance", "words"),
    [
        (hours(0), "today"),
        (hours(-10), "today"),
        (days(1), "tomorrow"),
        (days(-1), "yesterday"),
        (days(90), "in 90 days"),
        (days(-400), "400 days ago"),
    ],
)
def test_from_a_day(distance: dt.timedelta, words: str) -> None:
    """From a day no distance is told that changes before the day is over, and no time of the day itself."""
    assert when.relative(NOW + distance, NOW.date()) == words
    assert when.itself(NOW.date()) == NOW.strftime("%Y-%m-%d UTC")

from __future__ import annotations

import datetime as dt
import email.utils
import time

import pytest

from tests.tooken.support import DATE, MovedClock
from tooken_ci.base.errors import NotTheApiError
from tooken_ci.tooken.servertime import ServerTime

AT = dt.datetime(2026, 11, 23, 19, 20, 15, tzinfo=dt.UTC)
EPOCH = int(AT.timestamp())


def known(clock: MovedClock) -> ServerTime:
    server_time = ServerTime(clock)
    server_time.note(DATE)
    return server_time


def test_time_goes_on_between_answers() -> None:
    """The server's time moves with this process's own clock, wherever that clock began."""
    clock = MovedClock(time=5.0)
    server_time = known(clock)
    clock.time += 90
    assert server_time.now() == AT + dt.timedelta(seconds=90)


def test_the_answer_furthest_ahead_counts() -> None:
    """Of several answers the one that puts the clock furthest ahead is closest to the truth, whatever came later."""
    clock = MovedClock()
    server_time = known(clock)
    clock.time += 10.9
    server_time.note("Mon, 23 Nov 2026 19:20:25 GMT")  # cut down to the second: it lags
    assert server_time.now() == AT + dt.timedelta(seconds=10.9)
    server_time.note("Mon, 23 Nov 2026 19:20:26 GMT")
    assert server_time.now() == AT + dt.timedelta(seconds=11)


@pytest.mark.parametrize("date", [None, "", "today", "Mon, 99 Nov 2026 19:20:15 GMT", "Mon, 23 Nov 12026 19:20:15 GMT"])
def test_a_date_that_cannot_be_read(date: str | None) -> None:
    """A Date that is missing or nonsense teaches nothing and breaks nothing."""
    clock = MovedClock()
    server_time = ServerTime(clock)
    server_time.note(date)
    assert server_time.epoch() is None
    server_time = known(clock)
    server_time.note(date)
    assert server_time.now() == AT


def test_without_any_date_there_is_no_time() -> None:
    """Nothing can be planned without the server's time: asking for it is an error that says why."""
    with pytest.raises(NotTheApiError, match="no readable Date"):
        ServerTime(MovedClock()).now()


def test_the_zone_of_this_machine_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Date without a zone is UTC, on a machine in any zone."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        server_time = ServerTime(MovedClock())
        server_time.note("Mon, 23 Nov 2026 19:20:15 -0000")
        assert server_time.now() == AT
    finally:
        monkeypatch.undo()
        time.tzset()


def _date(seconds: float) -> str:
    """The Date of an answer so many seconds after the first one."""
    return email.utils.format_datetime(AT + dt.timedelta(seconds=seconds), usegmt=True)


def test_one_answer_far_ahead_is_not_believed() -> None:
    """Whoever is ahead of the time revokes too soon: a single Date an hour ahead moves nothing."""
    clock = MovedClock()
    server_time = known(clock)
    server_time.note(_date(3600))
    assert server_time.now() == AT
    clock.time += 5
    server_time.note(_date(5))
    server_time.note(_date(7200))
    assert server_time.now() == AT + dt.timedelta(seconds=5)


def test_two_answers_far_ahead_are_believed() -> None:
    """Where the first answer was long under way, or the server's clock was set, the next two agree, and count."""
    clock = MovedClock()
    server_time = known(clock)
    server_time.note(_date(240))
    clock.time += 10
    server_time.note(_date(251))
    assert server_time.now() == AT + dt.timedelta(seconds=251)


def test_answers_that_tell_of_two_clocks() -> None:
    """Where answers keep coming from a clock that is minutes behind, nobody knows the time, and nothing is done."""
    server_time = known(MovedClock())
    server_time.note(_date(-600))
    assert server_time.now() == AT
    server_time.note(_date(-300))
    with pytest.raises(NotTheApiError, match="disagree about the time by 600 s"):
        server_time.now()


def test_an_answer_that_was_long_under_way() -> None:
    """However many answers are half a minute late, the time is known by the one that was not."""
    server_time = known(MovedClock())
    for late in (30, 59, 60):
        server_time.note(_date(-late))
    assert server_time.now() == AT

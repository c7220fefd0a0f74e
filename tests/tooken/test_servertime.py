from __future__ import annotations

import datetime as dt
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

from __future__ import annotations

import datetime as dt
import time

import pytest

from tests.tooken.support import DATE, MovedClock
from tooken_ci.base.errors import NotTheApiError
from tooken_ci.tooken.quota import Quota
from tooken_ci.tooken.servertime import ServerTime

AT = dt.datetime(2026, 11, 23, 19, 20, 15, tzinfo=dt.UTC)
EPOCH = int(AT.timestamp())


def known(clock: MovedClock) -> ServerTime:
    server_time = ServerTime(clock)
    server_time.note(DATE)
    return server_time


def headers(limit: object, remaining: object, reset: object) -> dict[str, str]:
    given = {"X-RateLimit-Limit": limit, "X-RateLimit-Remaining": remaining, "X-RateLimit-Reset": reset}
    return {name: str(value) for name, value in given.items() if value is not None}


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


def test_the_allowance_follows_the_headers() -> None:
    """Limit, remaining and reset are what the last answer said, and the time to the reset runs down."""
    clock = MovedClock()
    quota = Quota(known(clock))
    quota.note(headers(1000, 412, EPOCH + 50))
    clock.time += 20
    allowance = quota.look()
    assert (allowance.limit, allowance.remaining, allowance.resets_in) == (1000, 412, 30)
    assert quota.wait() == 0


def test_nothing_is_known_before_the_first_answer() -> None:
    """Without headers the allowance is unknown, and nobody waits for it."""
    quota = Quota(ServerTime(MovedClock()))
    quota.note({})
    allowance = quota.look()
    assert (allowance.limit, allowance.remaining, allowance.resets_in) == (None, None, 0)
    assert quota.wait() == 0
    assert quota.wait_after_refusal({}) == 0


NONSENSE = ["many", "-1", "", " 5", "1.5", "٣", "9" * 40, "0x10"]


@pytest.mark.parametrize("value", NONSENSE)
def test_nonsense_leaves_what_was_known(value: str) -> None:
    """A header that is no number is passed over, and what was known stays."""
    quota = Quota(known(MovedClock()))
    quota.note(headers(1000, 7, EPOCH + 50))
    quota.note(headers(value, value, value))
    allowance = quota.look()
    assert (allowance.limit, allowance.remaining, allowance.resets_in) == (1000, 7, 50)


@pytest.mark.parametrize(
    ("given", "limit", "remaining", "resets_in"),
    [
        (headers(500, None, None), 500, 7, 50),
        (headers(None, 0, None), 1000, 0, 50),
        (headers(None, None, EPOCH + 9), 1000, 7, 9),
        (headers(0, 3, EPOCH + 50), 1000, 3, 50),
    ],
)
def test_headers_may_come_in_part(given: dict[str, str], limit: int, remaining: int, resets_in: int) -> None:
    """Each header counts by itself; a limit of zero is none."""
    quota = Quota(known(MovedClock()))
    quota.note(headers(1000, 7, EPOCH + 50))
    quota.note(given)
    allowance = quota.look()
    assert (allowance.limit, allowance.remaining, allowance.resets_in) == (limit, remaining, resets_in)


def test_a_window_that_ended_is_full() -> None:
    """After the reset the whole allowance is there again, without an answer that says so."""
    clock = MovedClock()
    quota = Quota(known(clock))
    quota.note(headers(1000, 0, EPOCH + 50))
    assert quota.wait() == 50
    clock.time += 50
    assert quota.look().remaining == 1000
    assert quota.wait() == 0


def test_a_refusal_goes_by_retry_after_first() -> None:
    """After a 429, Retry-After goes before the reset."""
    quota = Quota(known(MovedClock()))
    quota.note(headers(1000, 0, EPOCH + 50))
    assert quota.wait_after_refusal({"Retry-After": "3"}) == 3
    assert quota.wait_after_refusal({"Retry-After": "Mon, 23 Nov 2026 19:20:20 GMT"}) == 50
    assert quota.wait_after_refusal({}) == 50

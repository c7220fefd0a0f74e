from __future__ import annotations

import pytest

from tests.tooken.support import DATE, MovedClock
from tooken_ci.tooken.servertime import ServerTime
from tooken_ci.tooken.window import Reserve, Window

EPOCH = 1_795_461_615
"""``DATE`` in Unix seconds."""


def headers(limit: object, remaining: object, reset: object) -> dict[str, str]:
    given = {"X-RateLimit-Limit": limit, "X-RateLimit-Remaining": remaining, "X-RateLimit-Reset": reset}
    return {name: str(value) for name, value in given.items() if value is not None}


class Seen(Window):
    """A window on a clock that is moved by hand; each answer belongs to the next request, sent at that moment."""

    def __init__(self, *, date: str | None = DATE) -> None:
        self.clock = MovedClock()
        self.time = ServerTime(self.clock)
        self.time.note(date)
        super().__init__(self.time, self.clock)
        self.number = 0

    def tell(self, limit: object, remaining: object, reset: object, *, number: int = 0, before: float = 0) -> None:
        """An answer to a request that was sent so many seconds ago."""
        self.number += 1
        now = self.time.epoch()
        sent_at = None if now is None else now - before
        self.note(headers(limit, remaining, reset), number=number or self.number, sent_at=sent_at)


@pytest.mark.parametrize(
    ("reserve", "limit", "kept"),
    [
        (Reserve(), 1000, 100),
        (Reserve(), 999, 99),
        (Reserve(), 9, 0),
        (Reserve(), 1, 0),
        (Reserve(), 0, 0),
        (Reserve(share=1.0), 10, 9),
        (Reserve(share=0), 10, 0),
        (Reserve(number=7), 10, 7),
        (Reserve(number=0), 10, 0),
        (Reserve(number=10), 10, 9),
        (Reserve(number=500), 10, 9),
    ],
)
def test_the_reserve(reserve: Reserve, limit: int, kept: int) -> None:
    """A share is rounded down, and one request of every window is always ours."""
    assert reserve.of(limit) == kept


def test_the_window_follows_the_headers() -> None:
    """Limit, remaining and reset are what the answer said, and the time to the reset runs down."""
    window = Seen()
    window.tell(1000, 412, EPOCH + 50)
    window.clock.time += 20
    assert (window.limit, window.remaining(), window.ends_in()) == (1000, 412, 30)


def test_nothing_is_known_before_the_first_answer() -> None:
    """Without headers nothing is known, and nothing is waited for."""
    window = Seen(date=None)
    window.tell(None, None, None)
    assert (window.limit, window.remaining(), window.ends_in()) == (None, None, 0)
    assert window.reserved(Reserve()) == 0


@pytest.mark.parametrize("value", ["many", "-1", "", " 5", "1.5", "٣", "9" * 40, "0x10"])
def test_nonsense_leaves_what_was_known(value: str) -> None:
    """A header that is no number is passed over; the request is counted all the same."""
    window = Seen()
    window.tell(1000, 7, EPOCH + 50)
    window.tell(value, value, value)
    assert (window.limit, window.remaining(), window.ends_in()) == (1000, 6, 50)


@pytest.mark.parametrize(
    ("given", "limit", "remaining", "ends_in"),
    [
        ((500, None, None), 500, 6, 50),
        ((None, 0, None), 1000, 0, 50),
        ((None, None, EPOCH + 90), 1000, None, 0),
        ((0, 3, EPOCH + 50), 1000, 3, 50),
    ],
    ids=["limit", "remaining", "reset", "a limit of zero"],
)
def test_headers_may_come_in_part(
    given: tuple[object, object, object], limit: int, remaining: int | None, ends_in: int
) -> None:
    """Each header counts by itself; what remains of a new window is not known until an answer tells."""
    window = Seen()
    window.tell(1000, 7, EPOCH + 50)
    window.tell(*given)
    assert (window.limit, window.remaining(), window.ends_in()) == (limit, remaining, ends_in)


def test_without_a_limit_the_most_that_ever_remained_stands_for_it() -> None:
    """A share needs a whole: the largest rest that was seen."""
    window = Seen()
    window.tell(None, 200, EPOCH + 50)
    window.tell(None, 50, EPOCH + 50)
    assert window.reserved(Reserve()) == 20


@pytest.mark.parametrize("date", [DATE, None], ids=["no reset", "no date"])
def test_without_reset_or_date_a_window_lasts_its_documented_time(date: str | None) -> None:
    """Where its end cannot be told, a window counts as known for a minute from the last answer, and no longer."""
    window = Seen(date=date)
    window.tell(1000, 7, None if date else EPOCH + 5)
    window.clock.time += 59
    assert (window.remaining(), window.ends_in()) == (7, 1)
    window.clock.time += 1
    assert window.remaining() is None


def test_a_window_that_ended_is_not_known() -> None:
    """After the reset nothing is known, until an answer tells of the new window."""
    window = Seen()
    window.tell(1000, 0, EPOCH + 50)
    window.clock.time += 50
    assert window.remaining() is None
    window.tell(1000, 999, EPOCH + 110)
    assert (window.remaining(), window.ends_in()) == (999, 60)


def test_answers_may_overtake_each_other() -> None:
    """Within a window the smallest rest counts, whichever answer came last."""
    window = Seen()
    window.tell(1000, 990, EPOCH + 50)
    window.tell(1000, 995, EPOCH + 50)
    assert window.remaining() == 990


def test_a_late_answer_of_the_window_before() -> None:
    """An answer to an earlier request does not bring an ended window back."""
    window = Seen()
    window.tell(1000, 5, EPOCH + 50, number=1)
    window.clock.time += 50
    window.tell(1000, 990, EPOCH + 110, number=3)
    window.tell(1000, 4, EPOCH + 50, number=2, before=10)
    assert (window.remaining(), window.ends_in()) == (990, 60)


def test_one_mad_answer_does_no_lasting_harm() -> None:
    """A reset in a far future is forgotten with the next sound answer."""
    window = Seen()
    window.tell(1000, 990, EPOCH + 10**9)
    window.tell(1000, 989, EPOCH + 50)
    assert (window.remaining(), window.ends_in()) == (989, 50)


def test_a_lost_answer_counts() -> None:
    """A request of which no answer came may have been counted, and never makes the rest negative."""
    window = Seen()
    window.spend()
    window.tell(1000, 1, EPOCH + 50)
    window.spend()
    window.spend()
    assert window.remaining() == 0


def test_a_reset_that_was_rounded_down() -> None:
    """Once a request sent after the reset still saw that window, resets are waited for a little longer."""
    window = Seen()
    window.tell(100, 1, EPOCH + 50)
    window.clock.time += 50.25
    assert window.remaining() is None
    window.tell(100, 0, EPOCH + 50)
    assert (window.remaining(), window.ends_in()) == (0, 1)
    window.clock.time += 1
    assert window.remaining() is None
    window.tell(100, 99, EPOCH + 110)
    assert window.ends_in() == pytest.approx(60)


def test_a_slow_answer_is_no_sign_of_rounding() -> None:
    """An answer that tells of a window that ended while it was on its way teaches nothing of roundings."""
    window = Seen()
    window.tell(100, 1, EPOCH + 50)
    window.clock.time += 51
    window.tell(100, 0, EPOCH + 50, before=2)
    assert window.remaining() is None


@pytest.mark.parametrize("reset", [0, 42, EPOCH - 6], ids=["zero", "seconds to go", "long past"])
def test_a_reset_that_makes_no_sense(reset: int) -> None:
    """A reset far in the past is no window at all: nothing is known, and nothing is waited for."""
    window = Seen()
    window.tell(100, 0, reset)
    assert window.remaining() is None
    assert window.ends_in() <= 0


@pytest.mark.parametrize("reset", [(EPOCH + 50) * 1000, EPOCH + 3601, 10**15 - 1])
def test_a_reset_that_cannot_be_one(reset: int) -> None:
    """A reset in milliseconds, or hours ahead, counts as not told: the window lasts a minute from then."""
    window = Seen()
    window.tell(1000, 7, reset)
    assert (window.remaining(), window.ends_in()) == (7, 60)


def test_fewer_than_none_left() -> None:
    """A server that counts below zero has nothing left."""
    window = Seen()
    window.tell(1000, -3, EPOCH + 50)
    assert (window.remaining(), window.ends_in()) == (0, 50)


def test_headers_that_come_once() -> None:
    """What one answer told does not outlive its minute, however many answers without headers follow."""
    window = Seen()
    window.tell(None, 2, None)
    for _ in range(6):
        window.clock.time += 10
        window.tell(None, None, None)
    assert window.remaining() is None

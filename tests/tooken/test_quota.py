from __future__ import annotations

import contextlib
import logging
import threading
from typing import TYPE_CHECKING

import pytest

from tests.tooken.support import DATE, MovedClock
from tests.tooken.test_window import EPOCH, headers
from tooken_ci.base.errors import StoppedError
from tooken_ci.tooken.quota import Pace, Quota
from tooken_ci.tooken.servertime import ServerTime
from tooken_ci.tooken.window import Reserve

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE = 20.0
"""Seconds until a test gives up on a thread."""


class WatchedClock(MovedClock):
    """Tells when a thread waits for another one's answer."""

    def __init__(self) -> None:
        super().__init__()
        self.blocked = threading.Event()

    def check(self) -> None:
        self.blocked.set()
        super().check()


class Request(threading.Thread):
    """A request in a thread of its own; it is in flight until it is answered."""

    def __init__(self, quota: Quota, *, holds: int = 0) -> None:
        super().__init__()
        self._quota = quota
        self._holds = holds
        self._answered = threading.Event()
        self._headers: dict[str, str] | None = None
        self.sent = threading.Event()
        self.error: StoppedError | None = None
        self.start()

    def run(self) -> None:
        try:
            with self._quota.hold(self._holds) if self._holds else contextlib.nullcontext(), self._quota.turn() as turn:
                turn.used = True
                self.sent.set()
                assert self._answered.wait(PATIENCE)
                turn.headers = self._headers
        except StoppedError as error:
            self.error = error

    def answer(self, *told: object) -> None:
        self._headers = headers(*told) if told else None
        self._answered.set()
        self.join(PATIENCE)


class Governed:
    """A quota, and answers as a test gives them."""

    def __init__(self, *, workers: int = 8, kept: int = 0) -> None:
        self.clock = WatchedClock()
        self.time = ServerTime(self.clock)
        self.time.note(DATE)
        self.waits: list[tuple[float, str]] = []
        pace = Pace(workers=workers, reserve=Reserve(number=kept))
        self.quota = Quota(self.time, self.clock, pace=pace, progress=self)
        self.requests: list[Request] = []

    def told(self, *told: object) -> None:
        """A request, answered at once."""
        with self.quota.turn() as turn:
            turn.used = True
            turn.headers = headers(*told)

    def goes(self, *, holds: int = 0) -> Request:
        """A request that is sent."""
        request = Request(self.quota, holds=holds)
        self.requests.append(request)
        assert request.sent.wait(PATIENCE)
        return request

    def waits_for_an_answer(self) -> Request:
        """A request that is not sent before another one is answered."""
        self.clock.blocked.clear()
        request = Request(self.quota)
        self.requests.append(request)
        assert self.clock.blocked.wait(PATIENCE)
        assert not request.sent.is_set()
        return request

    def step(self, what: str, done: int, total: int) -> None:
        raise AssertionError(what)

    def wait(self, seconds: float, why: str) -> None:
        self.waits.append((seconds, why))


@pytest.fixture
def governed() -> Iterator[Governed]:
    world = Governed()
    yield world
    for request in world.requests:
        request.answer(100, 90, EPOCH + 500)
        assert not request.is_alive()


def test_the_first_request_goes_alone(governed: Governed) -> None:
    """Nothing else is sent before the first answer has told the quota; then all go."""
    first = governed.goes()
    second, third = governed.waits_for_an_answer(), governed.waits_for_an_answer()
    first.answer(100, 90, EPOCH + 50)
    assert second.sent.wait(PATIENCE)
    assert third.sent.wait(PATIENCE)


def test_without_headers_one_goes_at_a_time(governed: Governed) -> None:
    """A server that tells nothing is asked one thing at a time."""
    first = governed.goes()
    second = governed.waits_for_an_answer()
    first.answer()
    assert second.sent.wait(PATIENCE)
    third = governed.waits_for_an_answer()
    second.answer(None, None, None)
    assert third.sent.wait(PATIENCE)


def test_the_first_of_each_window_goes_alone(governed: Governed) -> None:
    """After a reset one request learns of the new window before others follow."""
    governed.told(100, 90, EPOCH + 50)
    governed.clock.time += 50
    first = governed.goes()
    second = governed.waits_for_an_answer()
    first.answer(100, 99, EPOCH + 110)
    assert second.sent.wait(PATIENCE)


def test_what_is_in_flight_counts(governed: Governed) -> None:
    """With two left, two are sent; the third waits, since the answers under way may bring news."""
    governed.told(100, 2, EPOCH + 50)
    first = governed.goes()
    governed.goes()
    third = governed.waits_for_an_answer()
    first.answer(100, 99, EPOCH + 110)
    assert third.sent.wait(PATIENCE)


def test_no_more_than_the_workers_are_in_flight() -> None:
    """However much is allowed, no more requests than workers are under way."""
    governed = Governed(workers=2)
    governed.told(100, 90, EPOCH + 50)
    first, second = governed.goes(), governed.goes()
    third = governed.waits_for_an_answer()
    first.answer(100, 89, EPOCH + 50)
    assert third.sent.wait(PATIENCE)
    second.answer()
    third.answer()


@pytest.mark.parametrize(("kept", "left", "waits"), [(0, 1, False), (0, 0, True), (10, 11, False), (10, 10, True)])
def test_the_reserve_is_kept(kept: int, left: int, *, waits: bool) -> None:
    """Nothing is sent while what remains is at the reserve; the reset is waited for instead."""
    governed = Governed(kept=kept)
    governed.told(100, left, EPOCH + 50)
    governed.clock.time += 10
    governed.told(100, 99, EPOCH + 110)
    assert governed.clock.slept == ([40.0] if waits else [])


def test_a_reset_beyond_rounding_is_not_waited_for_again() -> None:
    """Where the server rounds its resets down, the second wait is a little longer, and then the window is there."""
    governed = Governed()
    governed.told(100, 0, EPOCH + 50)
    governed.told(100, 0, EPOCH + 50)  # sent at the reset, and still the old window
    governed.told(100, 99, EPOCH + 110)
    assert governed.clock.slept == [50.0, 1.0]


@pytest.mark.parametrize(("seconds", "told"), [(5, False), (6, True)])
def test_a_long_wait_is_told_once(caplog: pytest.LogCaptureFixture, seconds: int, *, told: bool) -> None:
    """A wait of more than five seconds is told: how long, how much is left, and how much of it is kept."""
    governed = Governed(kept=10)
    governed.told(100, 10, EPOCH + seconds)
    with caplog.at_level(logging.WARNING, "tooken_ci"):
        governed.told(100, 99, EPOCH + 110)
    why = "10 requests left until the reset, of which 10 are kept for others"
    assert caplog.messages == ([f"Waiting {seconds} s: {why}."] if told else [])
    assert governed.waits == ([(float(seconds), why)] if told else [])


def test_who_is_stopped_does_not_wait(governed: Governed) -> None:
    """Whoever waits for the reset or for an answer gives up as soon as the run is to end."""
    governed.told(100, 1, EPOCH + 50)
    governed.goes()
    second = governed.waits_for_an_answer()
    governed.clock.stop()
    second.join(PATIENCE)
    assert second.error is not None
    governed.requests[0].answer(100, 0, EPOCH + 50)
    with pytest.raises(StoppedError), governed.quota.turn():
        pass
    assert governed.quota.sent == 2


def test_what_is_held_is_not_sent_by_others(governed: Governed) -> None:
    """Requests that are put aside for one thread are left to it by all others, and given back in the end."""
    governed.told(100, 3, EPOCH + 50)
    with governed.quota.hold(2):
        governed.goes().answer(100, 2, EPOCH + 50)
        waiting = governed.waits_for_an_answer()
        for left in (1, 0):
            governed.told(100, left, EPOCH + 50)
        assert governed.clock.slept == []
    assert waiting.sent.wait(PATIENCE)
    assert governed.clock.slept == [50.0]


def test_what_is_held_and_not_needed_is_given_back(governed: Governed) -> None:
    """Whoever took more than it needed leaves the rest to others at once."""
    governed.told(100, 2, EPOCH + 50)
    with governed.quota.hold(2):
        pass
    governed.goes()
    governed.goes()
    assert governed.clock.slept == []


def test_a_hold_waits_until_all_of_it_fits() -> None:
    """With less left than is to be held the reset is waited for, before anything is begun."""
    governed = Governed(kept=10)
    governed.told(100, 11, EPOCH + 50)
    with governed.quota.hold(2):
        assert governed.clock.slept == [50.0]


def test_a_hold_larger_than_the_whole_allowance(governed: Governed) -> None:
    """Where a window has fewer than are wanted, all that it has is enough to begin."""
    governed.told(1, 1, EPOCH + 50)
    with governed.quota.hold(2):
        assert governed.clock.slept == []


def test_holds_without_headers_go_one_at_a_time(governed: Governed) -> None:
    """While nothing is known only one thread holds requests; the others wait until it has sent one or is done."""
    with governed.quota.hold(2):
        governed.clock.blocked.clear()
        other = Request(governed.quota, holds=2)
        governed.requests.append(other)
        assert governed.clock.blocked.wait(PATIENCE)
        assert not other.sent.is_set()
    assert other.sent.wait(PATIENCE)


def test_a_429_holds_everybody_off(governed: Governed) -> None:
    """What one thread was told to wait, all wait."""
    governed.told(100, 90, EPOCH + 50)
    governed.quota.hold_off(7)
    governed.told(100, 89, EPOCH + 50)
    assert governed.clock.slept == [7.0]
    assert governed.waits == [(7.0, "the API answered 429")]


def test_what_a_429_asks_for(governed: Governed) -> None:
    """After a 429, Retry-After goes before the reset; one that cannot be read is none."""
    quota = governed.quota
    assert quota.told_wait({}) == 0
    governed.told(1000, 0, EPOCH + 50)
    assert quota.told_wait({"Retry-After": "3"}) == 3
    assert quota.told_wait({"Retry-After": "Mon, 23 Nov 2026 19:20:20 GMT"}) == 50
    assert quota.told_wait({}) == 50


def test_the_allowance_is_told() -> None:
    """What is known can be looked at; a window that has ended counts as a full one."""
    governed = Governed(kept=7)
    governed.told(100, 60, EPOCH + 50)
    look = governed.quota.look()
    assert (look.limit, look.remaining, look.resets_in, look.reserved) == (100, 60, 50, 7)
    governed.clock.time += 51
    look = governed.quota.look()
    assert (look.remaining, look.resets_in) == (100, 0)


def test_many_threads_never_go_over_the_limit() -> None:
    """A hundred requests of eight threads against a window that counts them: none is refused, none is kept back."""
    governed = Governed(kept=5)
    lock = threading.Lock()
    used: dict[int, int] = {}
    in_time = threading.Lock()

    def server() -> dict[str, str]:
        with in_time:
            now = governed.time.epoch()
            assert now is not None
            reset = int(now // 60 + 1) * 60
            used[reset] = used.get(reset, 0) + 1
            return headers(30, 30 - used[reset], reset)

    left = list(range(100))

    def worker() -> None:
        while True:
            with lock:
                if not left:
                    return
                left.pop()
            with governed.quota.turn() as turn:
                turn.used = True
                turn.headers = server()

    threads = [threading.Thread(target=worker) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert sum(used.values()) == 100
    assert list(used.values()) == [25, 25, 25, 25]


def test_more_is_not_held_than_a_window_has(governed: Governed) -> None:
    """Where a window has fewer requests than are to be held, what it has is held; the next one waits for a reset."""
    governed.told(2, 2, EPOCH + 50)
    with governed.quota.hold(3):
        with governed.quota.turn() as turn:
            turn.used = True
            turn.headers = headers(2, 1, EPOCH + 50)
        with governed.quota.turn() as turn:
            turn.used = True
            turn.headers = headers(2, 0, EPOCH + 50)
        assert governed.clock.slept == []
        with governed.quota.turn() as turn:
            turn.used = True
            turn.headers = headers(2, 1, EPOCH + 110)
    assert governed.clock.slept == [50]


def test_a_turn_that_is_given_back(governed: Governed) -> None:
    """A request that was not sent after all is not counted, neither as sent nor against the allowance."""
    governed.told(100, 50, EPOCH + 50)
    with contextlib.suppress(LookupError), governed.quota.turn():
        raise LookupError
    assert (governed.quota.sent, governed.quota.look().remaining) == (1, 50)

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING

import pytest

from tests.tooken.support import DATE, TOKENS, MovedClock, make_client, page_body
from tooken_ci.base.errors import DeadlineError, RateLimitedError, UnreachableError
from tooken_ci.tooken.retry import RetryPolicy

if TYPE_CHECKING:
    import responses

NOW = 1_795_461_615
"""``DATE`` in Unix seconds."""


def limits(remaining: int, resets_in: int, *, limit: int = 1000) -> dict[str, str]:
    return {
        "Date": DATE,
        "X-RateLimit-Limit": str(limit),
        "X-RateLimit-Remaining": str(remaining),
        "X-RateLimit-Reset": str(NOW + resets_in),
    }


def done(api: responses.RequestsMock) -> None:
    api.get(TOKENS, json=page_body([], total=0))


@pytest.mark.parametrize("headers", [{"Retry-After": "soon"}, {"Retry-After": "0"}, {"Retry-After": "-5"}])
def test_a_429_that_says_nothing(api: responses.RequestsMock, headers: dict[str, str]) -> None:
    """A 429 without a usable hint is tried again after a short pause."""
    api.get(TOKENS, status=429, headers=headers)
    api.get(TOKENS, status=429, headers=headers)
    done(api)
    clock = MovedClock()
    assert make_client(clock=clock).active() == ()
    assert len(clock.slept) == 2
    assert sum(clock.slept) <= 1.5


def test_a_429_does_not_use_up_the_tries(api: responses.RequestsMock) -> None:
    """Being told to wait is no failure: more of them than tries are borne, as long as the waits are short."""
    for _ in range(8):
        api.get(TOKENS, status=429, headers={"Retry-After": "1"})
    done(api)
    assert make_client().active() == ()


def test_a_wait_that_is_too_long(api: responses.RequestsMock) -> None:
    """A wait beyond the bound is refused at once, with how long it would have been."""
    api.get(TOKENS, status=429, headers={"Retry-After": "301"})
    clock = MovedClock()
    with pytest.raises(RateLimitedError, match="301 s of waiting; more than 300 s") as caught:
        make_client(clock=clock).active()
    assert clock.slept == []
    assert caught.value.status == 429


def test_waits_add_up(api: responses.RequestsMock) -> None:
    """Many short waits for one request count together against the bound."""
    for _ in range(4):
        api.get(TOKENS, status=429, headers={"Retry-After": "4"})
    clock = MovedClock()
    with pytest.raises(RateLimitedError, match="16 s of waiting"):
        make_client(clock=clock, policy=RetryPolicy(longest_wait=15)).active()
    assert clock.slept == [4.0, 4.0, 4.0]


def test_a_wait_that_is_too_long_after_a_lost_answer(api: responses.RequestsMock) -> None:
    """Where an earlier try may have been acted on, the end of the call says that, not only that it was limited."""
    api.post(TOKENS, status=502)
    api.post(TOKENS, status=429, headers={"Retry-After": "3000"})
    with pytest.raises(UnreachableError):
        make_client().create(name="ci", scopes_wanted=["tokens:read"], expires_at=None)


def test_a_429_without_end_is_bounded(api: responses.RequestsMock) -> None:
    """A server that answers 429 for ever without saying how long is given up in the end."""
    client = make_client(policy=RetryPolicy(longest_wait=2, first_pause=2))
    for _ in range(200):
        api.get(TOKENS, status=429)
    api.assert_all_requests_are_fired = False
    with pytest.raises(RateLimitedError):
        client.active()


def test_nothing_is_sent_at_an_allowance_of_zero(api: responses.RequestsMock) -> None:
    """Where an answer says that nothing remains, the next request waits for the reset by itself."""
    api.get(TOKENS, json=page_body([], total=0), headers=limits(0, 30))
    done(api)
    clock = MovedClock()
    client = make_client(clock=clock)
    client.active()
    assert clock.slept == []
    clock.time += 10
    client.active()
    assert clock.slept == [pytest.approx(20)]


@pytest.mark.parametrize(("resets_in", "sent"), [(600, 2), (601, 1), (3600, 1)])
def test_a_reset_beyond_the_deadline_sends_nothing(api: responses.RequestsMock, resets_in: int, sent: int) -> None:
    """Where the reset comes after the run's deadline, the run ends at once and no request goes out at all."""
    api.get(TOKENS, json=page_body([], total=0), headers=limits(0, resets_in))
    api.assert_all_requests_are_fired = False
    done(api)
    clock = MovedClock(deadline=600)
    client = make_client(clock=clock)
    client.active()
    with contextlib.nullcontext() if sent == 2 else pytest.raises(DeadlineError):
        client.active()
    assert client.sent == sent
    assert sum(clock.slept) == (600 if sent == 2 else 0)


def test_a_reset_that_has_passed_is_not_waited_for(api: responses.RequestsMock) -> None:
    """A window that ended is a full one."""
    api.get(TOKENS, json=page_body([], total=0), headers=limits(0, -5))
    done(api)
    clock = MovedClock()
    client = make_client(clock=clock)
    client.active()
    client.active()
    assert clock.slept == []


@pytest.mark.parametrize(("seconds", "told"), [(4, False), (60, True)])
def test_a_long_wait_is_announced(
    api: responses.RequestsMock, caplog: pytest.LogCaptureFixture, seconds: int, *, told: bool
) -> None:
    """Whoever waits for more than a few seconds is told how long and why."""
    api.get(TOKENS, status=429, headers={"Retry-After": str(seconds)})
    done(api)
    with caplog.at_level(logging.WARNING, "tooken_ci"):
        make_client().active()
    assert (f"Waiting {seconds} s: the API answered 429." in caplog.text) is told


def test_the_allowance_is_told(api: responses.RequestsMock) -> None:
    """The client tells what the last answers said of the allowance."""
    api.get(TOKENS, json=page_body([], total=0), headers=limits(970, 30))
    client = make_client()
    client.active()
    allowance = client.allowance
    assert (allowance.limit, allowance.remaining) == (1000, 970)
    assert allowance.resets_in == pytest.approx(30)


@pytest.mark.parametrize(
    ("headers", "status", "words"),
    [
        ({"Retry-After": "60"}, 429, "The wait is for the allowance: the API answered 429."),
        ({}, 429, "The last failure: GET /tokens: 429, the rate limit is reached."),
        (limits(5, 60, limit=100), 200, "5 requests left until the reset, of which 10 are kept for others."),
    ],
    ids=["asked to wait", "told no time", "spent"],
)
def test_the_deadline_hides_no_cause(
    api: responses.RequestsMock, headers: dict[str, str], status: int, words: str
) -> None:
    """A run whose deadline is before the end of a wait tells what it would have waited for."""
    api.get(TOKENS, status=status, headers=headers, json=page_body([], total=0))
    client = make_client(clock=MovedClock(deadline=0))
    with pytest.raises(DeadlineError) as caught:
        client.active() + client.active()
    assert caught.value.message.endswith(words)

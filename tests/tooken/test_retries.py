from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError

from tests.tooken.support import HTML, SECRET, TOKENS, MovedClock, error_body, make_client, page_body, sent, token_body
from tooken_ci.base.errors import ConflictError, DeadlineError, UnreachableError
from tooken_ci.tooken.retry import RetryPolicy

if TYPE_CHECKING:
    import responses

ROTATE = f"{TOKENS}/tok_1/rotate"


def refused() -> requests.ConnectionError:
    """What requests raises where nobody listens: not a byte was sent."""
    reason = NewConnectionError(None, "refused")  # type: ignore[arg-type]  # it only shows the connection
    return requests.ConnectionError(MaxRetryError(None, "/", reason))  # type: ignore[arg-type]


def no_connection_in_time() -> requests.ConnectTimeout:
    return requests.ConnectTimeout(MaxRetryError(None, "/", ConnectTimeoutError()))  # type: ignore[arg-type]


PASSING: list[Exception] = [
    requests.ReadTimeout("slow"),
    no_connection_in_time(),
    requests.exceptions.SSLError("certificate"),
]


@pytest.mark.parametrize("fault", PASSING, ids=lambda fault: type(fault).__name__)
def test_a_time_out_is_tried_again(api: responses.RequestsMock, fault: Exception) -> None:
    """A connection that fails in passing costs one more request, and nothing else."""
    api.get(TOKENS, body=fault)
    api.get(TOKENS, json=page_body([], total=0))
    clock = MovedClock()
    client = make_client(clock=clock)
    assert client.active() == ()
    assert client.sent == 2
    assert len(clock.slept) == 1


@pytest.mark.parametrize("status", [504, 599])
def test_a_server_fault_is_tried_again(api: responses.RequestsMock, status: int) -> None:
    """A rare server fault that passes is not told to anybody."""
    api.get(TOKENS, status=status, body=HTML)
    api.get(TOKENS, json=page_body([], total=0))
    assert make_client().active() == ()


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (requests.ReadTimeout("slow"), "no answer within 30 s"),
        (requests.ConnectTimeout("slow"), "no connection within 10 s"),
        (requests.exceptions.SSLError("bad"), "speaks no TLS that can be trusted"),
        (requests.exceptions.ProxyError("bad"), "the proxy cannot be reached"),
        (requests.ConnectionError("reset"), "broke before the answer was complete"),
        (refused(), "the connection was refused, or the name does not resolve"),
    ],
    ids=["read", "connect", "tls", "proxy", "reset", "refused"],
)
def test_tries_are_bounded(api: responses.RequestsMock, fault: Exception, words: str) -> None:
    """A fault that stays ends after five tries with an error that names address, request and reason."""
    for _ in range(5):
        api.get(TOKENS, body=fault)
    clock = MovedClock()
    client = make_client(clock=clock)
    with pytest.raises(UnreachableError, match=r"api\.tooken\.test") as caught:
        client.active()
    assert words in caught.value.message
    assert "GET /tokens" in caught.value.message
    assert client.sent == 5
    assert len(clock.slept) == 4


def test_the_runs_deadline_hides_no_cause(api: responses.RequestsMock) -> None:
    """A run whose deadline leaves no time for another try tells why the last one failed."""
    api.get(TOKENS, body=refused())
    with pytest.raises(DeadlineError) as caught:
        make_client(clock=MovedClock(deadline=0)).active()
    assert caught.value.message.endswith(
        "The last failure: The API at https://api.tooken.test/v1 cannot be reached (GET /tokens): "
        "the connection was refused, or the name does not resolve."
    )


@pytest.mark.parametrize(("deadline", "tries"), [(20, 1), (21, 2), (40, 2), (41, 3), (60, 3)])
def test_the_deadline_ends_the_tries(api: responses.RequestsMock, deadline: float, tries: int) -> None:
    """No further try is begun once all of them together, at 20 s each, have taken as long as the deadline."""
    clock = MovedClock()

    def slow(_: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        clock.time += 20
        return 503, {}, ""

    for _ in range(tries):
        api.add_callback("GET", TOKENS, slow)
    policy = RetryPolicy(tries=100, first_pause=0, deadline=deadline)
    with pytest.raises(UnreachableError):
        make_client(clock=clock, policy=policy).active()
    assert len(api.calls) == tries


def test_pauses_grow_with_jitter_up_to_a_bound() -> None:
    """The longest possible pause doubles with each try up to its bound, and pauses differ."""
    policy = RetryPolicy(first_pause=1, longest_pause=6)
    for tried, longest in ((1, 1), (2, 2), (3, 4), (4, 6), (40, 6)):
        drawn = [policy.pause(tried) for _ in range(300)]
        assert 0 <= min(drawn) < longest / 4
        assert longest * 3 / 4 < max(drawn) <= longest


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 408, 425])
def test_a_refusal_is_never_repeated(api: responses.RequestsMock, status: int) -> None:
    """What the server surely refused is not asked for again."""
    api.get(TOKENS, status=status, json=error_body(status))
    client = make_client()
    with pytest.raises(Exception, match=r"GET /v1/tokens"):
        client.active()
    assert client.sent == 1


def test_rotate_is_never_repeated_after_a_time_out(api: responses.RequestsMock) -> None:
    """A rotation that may have happened is not sent again: a second one would kill the secret of the first."""
    api.post(ROTATE, body=requests.ReadTimeout("slow"))
    client = make_client()
    with pytest.raises(UnreachableError):
        client.rotate("tok_1")
    assert client.sent == 1


def test_rotate_is_sent_again_where_nothing_arrived(api: responses.RequestsMock) -> None:
    """A rotation for which no connection came about in time is sent again."""
    api.post(ROTATE, body=no_connection_in_time())
    api.post(ROTATE, json=token_body(id="tok_1", token=SECRET))
    client = make_client()
    assert client.rotate("tok_1").secret.reveal() == SECRET
    assert client.sent == 2


@pytest.mark.parametrize(
    "fault",
    [
        {"body": requests.ReadTimeout("slow")},
        {"status": 201, "json": token_body()},
        {"status": 201, "json": token_body(token="short")},
        {"status": 201, "json": token_body(token=SECRET + "\n")},
        {"status": 201, "json": token_body(token="\ud800" + SECRET)},
        {"status": 201, "json": token_body(token=SECRET + "é€")},
        {"status": 201, "json": token_body(token=SECRET, id=None)},
    ],
    ids=["timeout", "no secret", "short secret", "line end", "surrogate", "not ascii", "no id"],
)
def test_a_lost_answer_of_create_is_settled_by_name(api: responses.RequestsMock, fault: dict[str, Any]) -> None:
    """An answer of a creation that was lost or is of no use is asked for again under the same name."""
    api.post(TOKENS, **fault)
    api.post(TOKENS, status=409, json=error_body(409, "conflict"))
    client = make_client()
    with pytest.raises(ConflictError):
        client.create(name="ci", scopes_wanted=["tokens:read"], expires_at=None)
    bodies = [request.body for request in sent(api)]
    assert bodies[0] == bodies[1]
    assert client.sent == 2

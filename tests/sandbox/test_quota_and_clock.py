from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from requests import Response

    from tests.support.sandbox import RunningSandbox


def quota(reply: Response) -> tuple[int, int, int]:
    limit, remaining, reset = (reply.headers[f"X-RateLimit-{name}"] for name in ("Limit", "Remaining", "Reset"))
    return int(limit), int(remaining), int(reset)


def test_window(make_sandbox: Callable[..., RunningSandbox]) -> None:
    """Every reply counts the quota down; at nothing left it is 429 until the reset, and then all is there again."""
    sandbox = make_sandbox(limit=4, window=60)
    token = sandbox.create("counted", "audit:read")
    replies = [
        sandbox.send("GET", "/tokens"),
        sandbox.send("GET", "/tokens", key=""),
        sandbox.send("GET", "/tokens", key=token["token"]),
        sandbox.send("GET", "/nowhere"),
        sandbox.send("GET", "/tokens"),
        sandbox.send("DELETE", f"/tokens/{token['id']}"),
    ]
    assert [reply.status_code for reply in replies] == [200, 401, 403, 404, 429, 429]
    assert [quota(reply)[:2] for reply in replies] == [(4, 3), (4, 2), (4, 1), (4, 0), (4, 0), (4, 0)]
    assert len({quota(reply)[2] for reply in replies}) == 1
    assert replies[-1].json()["error"] == "rate_limited"
    assert sandbox.token(token["id"])["status"] == "active"
    reset = quota(replies[0])[2]
    assert 0 < reset - sandbox.now() <= 61
    sandbox.advance(reset - sandbox.now())
    after = sandbox.send("GET", "/tokens")
    assert after.status_code == 200
    assert quota(after)[1] == 3
    assert quota(after)[2] > reset


def test_clock_moved_back(make_sandbox: Callable[..., RunningSandbox]) -> None:
    """A clock that is moved back starts a window of its own instead of a very long one."""
    sandbox = make_sandbox(limit=1)
    assert sandbox.send("GET", "/tokens").status_code == 200
    sandbox.advance(-86_400)
    reply = sandbox.send("GET", "/tokens")
    assert reply.status_code == 200
    assert quota(reply)[2] - sandbox.now() <= 61


@pytest.mark.parametrize("seconds", [0, 86_400, -86_400])
def test_date_follows_the_clock(sandbox: RunningSandbox, seconds: int) -> None:
    """The Date header and the dates of tokens are the moved clock's."""
    sandbox.advance(seconds)
    reply = sandbox.send("POST", "/tokens", json={"name": "dated", "scopes": ["tokens:read"]})
    date = parsedate_to_datetime(reply.headers["Date"]).timestamp()
    assert date == pytest.approx(time.time() + seconds, abs=5)
    assert date == pytest.approx(sandbox.now(), abs=5)
    assert len(reply.raw.headers.getlist("Date")) == 1


def test_latency_overlaps(make_sandbox: Callable[..., RunningSandbox]) -> None:
    """Each request takes at least the latency; requests at the same time wait together."""
    sandbox = make_sandbox(latency_ms=400)

    def timed(_: int) -> float:
        started = time.monotonic()
        assert sandbox.send("GET", "/tokens").status_code == 200
        return time.monotonic() - started

    started = time.monotonic()
    with ThreadPoolExecutor(8) as threads:
        durations = list(threads.map(timed, range(8)))
    assert min(durations) >= 0.4
    assert time.monotonic() - started < 8 * 0.4


def test_request_log(sandbox: RunningSandbox) -> None:
    """The log tells number, method, path, query, status and credential of API requests, and no secret."""
    token = sandbox.create("logged", "audit:read")
    sandbox.send("GET", f"/tokens?name={token['token']}", key=token["token"])
    sandbox.send("GET", f"/tokens/{token['id']}")
    sandbox.send("GET", "/tokens", key="")
    shown = [
        (entry["n"], entry["method"], entry["path"], entry["status"], entry["credential"])
        for entry in sandbox.requests()
    ]
    assert shown == [
        (1, "GET", "/v1/tokens", 403, token["id"]),
        (2, "GET", f"/v1/tokens/{token['id']}", 200, "api-key"),
        (3, "GET", "/v1/tokens", 401, None),
    ]
    assert token["token"] not in str(sandbox.requests())
    assert sandbox.requests()[0]["query"] == "name=[secret]"
    sandbox.clear_requests()
    assert sandbox.requests() == []
    sandbox.send("GET", "/tokens")
    assert sandbox.requests()[0]["n"] == 4


def test_log_tells_times_and_windows(make_sandbox: Callable[..., RunningSandbox]) -> None:
    """The log tells when each request arrived and in which window it was counted."""
    sandbox = make_sandbox(limit=5, window=60)
    before = sandbox.now()
    replies = [sandbox.send("GET", "/tokens"), sandbox.send("GET", "/tokens")]
    sandbox.advance(120)
    replies.append(sandbox.send("GET", "/tokens"))
    log = sandbox.requests()
    assert [entry["reset"] for entry in log] == [quota(reply)[2] for reply in replies]
    assert before <= log[0]["at"] <= log[1]["at"] <= log[2]["at"] - 119

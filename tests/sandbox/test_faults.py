from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from requests import ConnectionError as NoReply
from requests.exceptions import ChunkedEncodingError, ReadTimeout

from tests.support.sandbox import RunningSandbox
from tooken_ci.sandbox.faults import parse_faults
from tooken_ci.sandbox.settings import SandboxConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

BODY = {"name": "hit", "scopes": ["tokens:read"]}
POST = {"method": "POST", "path": "/v1/tokens"}


@pytest.fixture(scope="module")
def server() -> Iterator[RunningSandbox]:
    with RunningSandbox(limit=1_000_000, revoked_names="free") as running:
        yield running


@pytest.fixture
def faulty(server: RunningSandbox) -> RunningSandbox:
    """A server with a clean slate, shared to save time."""
    server.set_faults([])
    server.clear_requests()
    for token in server.active_tokens():
        server.delete(f"/tokens/{token['id']}")
    return server


def was_made(sandbox: RunningSandbox) -> bool:
    return [token["name"] for token in sandbox.active_tokens()] == ["hit"]


def raw_exchange(sandbox: RunningSandbox, body: bytes = b'{"name": "hit", "scopes": ["tokens:read"]}') -> bytes:
    """Sends one POST over a plain socket and returns every byte that comes back until the connection closes."""
    host, port = urlsplit(sandbox.url).netloc.split(":")
    received = b""
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(
            b"POST /v1/tokens HTTP/1.1\r\nHost: sandbox\r\nContent-Type: application/json\r\n"
            b"Authorization: Bearer " + sandbox.api_key.encode() + b"\r\n"
            b"Content-Length: " + str(len(body)).encode() + b"\r\n\r\n" + body
        )
        try:
            while chunk := connection.recv(65_536):
                received += chunk
        except ConnectionResetError:
            pass
    return received


@pytest.mark.parametrize(("kind", "made"), [("drop_before", False), ("drop_after", True)])
def test_dropped(faulty: RunningSandbox, kind: str, *, made: bool) -> None:
    """A dropped connection closes without a single byte, before or after the work."""
    faulty.set_faults([{"do": kind, **POST}])
    assert raw_exchange(faulty) == b""
    assert was_made(faulty) is made
    assert [(entry["status"], entry["fault"]) for entry in faulty.requests()] == [(None, kind)]


@pytest.mark.parametrize("kind", ["drop_before", "drop_after"])
def test_dropped_on_a_kept_connection(faulty: RunningSandbox, kind: str) -> None:
    """A connection that served before is dropped as well, and other connections live on."""
    faulty.send("GET", "/tokens")
    faulty.set_faults([{"do": kind, **POST}])
    with pytest.raises(NoReply):
        faulty.send("POST", "/tokens", json=BODY)
    assert faulty.send("GET", "/tokens").status_code == 200


@pytest.mark.parametrize(("kind", "made"), [("500_before", False), ("500_after", True)])
@pytest.mark.parametrize("status", [None, 502, 503])
def test_server_errors(faulty: RunningSandbox, kind: str, status: int | None, *, made: bool) -> None:
    """A server error tells nothing of whether the work was done."""
    faulty.set_faults([{"do": kind, **POST} | ({"status": status} if status else {})])
    reply = faulty.send("POST", "/tokens", json=BODY)
    assert reply.status_code == reply.json()["status"] == (status or 500)
    assert "X-RateLimit-Remaining" in reply.headers
    assert was_made(faulty) is made


def test_truncated(faulty: RunningSandbox) -> None:
    """A truncated reply promises more bytes than come before the connection closes; the work is done."""
    faulty.set_faults([{"do": "truncated", **POST}])
    head, _, body = raw_exchange(faulty).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 201")
    (length,) = (line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    assert 0 < len(body) < int(length.split(b":")[1])
    assert was_made(faulty)
    with pytest.raises(ChunkedEncodingError):
        faulty.send("POST", "/tokens", json=BODY)


@pytest.mark.parametrize("status", [None, 502])
def test_html(faulty: RunningSandbox, status: int | None) -> None:
    """A proxy's HTML takes the place of the reply; the work is done."""
    faulty.set_faults([{"do": "html", **POST} | ({"status": status} if status else {})])
    reply = faulty.send("POST", "/tokens", json=BODY)
    assert reply.status_code == (status or 201)
    assert reply.headers["Content-Type"].startswith("text/html")
    assert b"<html>" in reply.content
    assert was_made(faulty)


def test_html_in_place_of_nothing(faulty: RunningSandbox) -> None:
    """A reply without a body becomes 200 with HTML, since 204 could not carry it."""
    token = faulty.create("gone")
    faulty.set_faults([{"do": "html"}])
    assert faulty.send("DELETE", f"/tokens/{token['id']}").status_code == 200
    assert faulty.token(token["id"])["status"] == "revoked"


@pytest.mark.parametrize("headers", [True, False])
@pytest.mark.parametrize("retry_after", [None, 7])
def test_rate_limited(faulty: RunningSandbox, retry_after: int | None, *, headers: bool) -> None:
    """An injected 429 does no work, and carries the headers that the fault says."""
    fault: dict[str, Any] = {"do": 429, "headers": headers, **POST}
    faulty.set_faults([fault | ({"retry_after": retry_after} if retry_after else {})])
    reply = faulty.send("POST", "/tokens", json=BODY)
    assert (reply.status_code, reply.json()["error"]) == (429, "rate_limited")
    assert reply.headers.get("X-RateLimit-Remaining") == ("0" if headers else None)
    assert reply.headers.get("Retry-After") == (str(retry_after) if retry_after else None)
    assert not was_made(faulty)


def test_delay(faulty: RunningSandbox) -> None:
    """A delay holds one request up and no other."""
    faulty.set_faults([{"do": "delay", "seconds": 0.5, **POST}])
    started = time.monotonic()
    assert faulty.send("POST", "/tokens", json=BODY).status_code == 201
    assert time.monotonic() - started >= 0.5


def test_impatient_client(faulty: RunningSandbox) -> None:
    """A client that leaves during the delay gets nothing, its work is done all the same, and the server lives."""
    faulty.set_faults([{"do": "delay", "seconds": 0.4, **POST}])
    with pytest.raises(ReadTimeout):
        faulty.send("POST", "/tokens", json=BODY, timeout=0.1)
    while faulty.requests()[-1]["status"] is None:
        pass
    assert was_made(faulty)


@pytest.mark.parametrize(
    ("fault", "hit"),
    [
        ({}, [1, 2, 3, 4, 5]),
        ({"n": 3}, [3]),
        ({"occurrence": 2}, [2]),
        ({"times": 2}, [1, 2]),
        ({"method": "delete"}, []),
        ({"method": "get", "occurrence": 4}, [4]),
        ({"path": "/v1/tok"}, []),
        ({"path": "/v1/tok.*"}, [1, 2, 3, 4, 5]),
    ],
)
def test_which_requests_are_hit(faulty: RunningSandbox, fault: dict[str, Any], hit: list[int]) -> None:
    """A fault hits the requests that it names and leaves the others alone."""
    faulty.send("GET", "/tokens")
    before = faulty.requests()[-1]["n"]
    if "n" in fault:
        fault = {"n": before + fault["n"]}
    faulty.set_faults([{"do": "500_before", **fault}])
    statuses = [faulty.send("GET", "/tokens?page=1").status_code for _ in range(5)]
    assert [n for n, status in enumerate(statuses, start=1) if status == 500] == hit


def test_faults_from_a_file(make_sandbox: Callable[..., RunningSandbox], tmp_path: Path) -> None:
    """Faults may come from a YAML file, where 429 is a number, and hold from the first request on."""
    path = tmp_path / "faults.yml"
    path.write_text("- {do: 429, n: 2}\n- {do: 500_before, path: /v1/tok.*, occurrence: 3}\n", encoding="utf-8")
    sandbox = make_sandbox(faults=path)
    assert [sandbox.send("GET", "/tokens").status_code for _ in range(4)] == [200, 429, 500, 200]


def test_the_first_fault_wins(faulty: RunningSandbox) -> None:
    """Where two faults hit one request the first acts, and both have counted it."""
    faulty.set_faults([{"do": "500_before", "status": 502, "times": 1}, {"do": "500_before", "occurrence": 2}])
    assert [faulty.send("GET", "/tokens").status_code for _ in range(3)] == [502, 500, 200]


@pytest.mark.parametrize(
    "faults",
    [
        {},
        ["drop_before"],
        [{}],
        [{"do": "explode"}],
        [{"do": "429", "when": "now"}],
        [{"do": "429", "n": 0}],
        [{"do": "429", "n": "1"}],
        [{"do": "429", "n": True}],
        [{"do": "429", "path": "("}],
        [{"do": "429", "occurrence": 1, "times": 1}],
        [{"do": "html", "status": 99}],
        [{"do": "delay", "seconds": -1}],
    ],
)
def test_refused_faults(faults: Any) -> None:
    """A fault that is none is refused with a reason, not passed over."""
    with pytest.raises(SandboxConfigError):
        parse_faults(faults)


def test_refused_faults_over_http(faulty: RunningSandbox) -> None:
    """The running server refuses faults it does not know, and keeps those it has."""
    with pytest.raises(AssertionError, match="explode"):
        faulty.set_faults([{"do": "explode"}])

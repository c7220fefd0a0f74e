from __future__ import annotations

import http.server
import json
import threading
from typing import TYPE_CHECKING, ClassVar

import pytest
import requests

from tests.tooken.scripted import Scripted
from tests.tooken.support import KEY, MovedClock, make_client, page_body
from tooken_ci.base.errors import ConflictError, NotTheApiError, UnauthorizedError, UnreachableError
from tooken_ci.tooken.model import Status

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.sandbox import RunningSandbox
    from tooken_ci.tooken.client import Client


class Listener(http.server.BaseHTTPRequestHandler):
    """Answers every request alike, with a cookie, and keeps its headers."""

    location: ClassVar[str] = ""
    heard: ClassVar[list[tuple[str, dict[str, str]]]] = []

    def do_GET(self) -> None:
        self.heard.append((self.path, dict(self.headers)))
        body = json.dumps(page_body([], total=0)).encode()
        self.send_response(302 if self.location and self.path.startswith("/v1/") else 200)
        if self.location:
            self.send_header("Location", self.location)
        self.send_header("Set-Cookie", "session=abcdef; Path=/")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def listener(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A bare server on this machine; gives its address."""
    monkeypatch.setattr(Listener, "heard", [])
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Listener) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def client_of(sandbox: RunningSandbox) -> Client:
    return make_client(url=sandbox.url, key=sandbox.api_key)


def test_netrc_is_never_used(listener: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A netrc file that knows the host does not replace the key."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password something\n", encoding="utf-8")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    make_client(url=f"{listener}/v1").active()
    assert [headers["Authorization"] for _, headers in Listener.heard] == [f"Bearer {KEY}"]


def test_cookies_are_never_sent(listener: str) -> None:
    """A cookie that an answer sets is forgotten."""
    client = make_client(url=f"{listener}/v1")
    client.active()
    client.active()
    assert len(Listener.heard) == 2
    assert all("Cookie" not in headers for _, headers in Listener.heard)


def test_the_key_is_never_sent_on(listener: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A redirect is not followed, not even to the same host: the key goes to one address only."""
    monkeypatch.setattr(Listener, "location", f"{listener}/elsewhere")
    with pytest.raises(NotTheApiError, match="not sent on"):
        make_client(url=f"{listener}/v1").active()
    assert [path.partition("?")[0] for path, _ in Listener.heard] == ["/v1/tokens"]


def test_another_host_never_hears_of_it(listener: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A redirect to another server is not followed either: that one gets no request at all."""
    with Scripted([]) as other:
        monkeypatch.setattr(Listener, "location", f"{other.url}/tokens")
        with pytest.raises(NotTheApiError, match="not sent on"):
            make_client(url=f"{listener}/v1").active()
        assert other.connections == 0
    assert [headers["Authorization"] for _, headers in Listener.heard] == [f"Bearer {KEY}"]


def test_time_outs_are_always_passed(monkeypatch: pytest.MonkeyPatch, sound: RunningSandbox) -> None:
    """Every call bounds both the connection and the wait for an answer."""
    passed: list[object] = []
    send = requests.Session.request

    def noted(self: object, method: str, url: str, **options: object) -> object:
        passed.append(options.get("timeout"))
        assert isinstance(self, requests.Session)
        return send(self, method, url, **options)  # type: ignore[arg-type]  # passed on as it came

    monkeypatch.setattr(requests.Session, "request", noted)
    client = client_of(sound)
    token = client.create(name="timed", scopes_wanted=["tokens:read"], expires_at=None)
    client.active()
    client.get(token.token.id)
    client.proves(client.rotate(token.token.id).secret)
    client.probe_write()
    client.probe_revoke()
    client.revoke(token.token.id)
    client.rotations(since=token.token.created_at)
    assert passed == [(10.0, 30.0)] * 9


def test_every_call_against_a_real_server(sound: RunningSandbox) -> None:
    """The whole life of a token, from its making to its end, as a real server sees it."""
    client = client_of(sound)
    scopes = ["tokens:read", "audit:read"]
    minted = client.create(name="whole life", scopes_wanted=scopes, expires_at=None)
    token_id = minted.token.id
    assert sound.authenticates(minted.secret.reveal())
    assert client.proves(minted.secret)
    assert [token.id for token in client.find_active("WHOLE")] == [token_id]
    rotated = client.rotate(token_id)
    assert rotated.token.id == token_id
    assert not client.proves(minted.secret)
    assert client.proves(rotated.secret)
    found_rotations = client.rotations(since=minted.token.created_at)
    assert found_rotations is not None
    assert found_rotations[token_id] >= minted.token.created_at
    client.revoke(token_id)
    client.revoke(token_id)
    found = client.get(token_id)
    assert found is not None
    assert found.status is Status.REVOKED
    assert client.find_active("whole life") == ()
    assert [token.status for token in client.find("whole life")] == [Status.REVOKED]
    assert client.get("tok_nobody") is None
    assert client.sent == len(sound.requests())


def test_the_probes_change_nothing(sound: RunningSandbox) -> None:
    """Both probes succeed for a key that may write and revoke, and leave the workspace as it was."""
    before = sound.tokens()
    client = client_of(sound)
    client.probe_write()
    client.probe_revoke()
    assert sound.tokens() == before
    assert [entry["status"] for entry in sound.requests()] == [400, 404]


def test_a_wrong_key(sound: RunningSandbox) -> None:
    """A key that the workspace does not know is told as such after one request."""
    client = make_client(url=sound.url, key="tok_live_this_is_not_the_key")
    with pytest.raises(UnauthorizedError):
        client.active()
    assert client.sent == 1


LOST = ["drop_after", "truncated", "html", "500_after"]


@pytest.mark.parametrize("kind", LOST)
def test_a_lost_answer_of_create_makes_one_token(sound: RunningSandbox, kind: str) -> None:
    """However the answer of a creation is lost, the repeat meets its own token and makes no second one."""
    sound.set_faults([{"do": kind, "method": "POST", "path": "/v1/tokens", "times": 1}])
    client = client_of(sound)
    with pytest.raises(ConflictError):
        client.create(name=f"lost by {kind}", scopes_wanted=["tokens:read"], expires_at=None)
    assert len(sound.tokens(name=f"lost by {kind}")) == 1
    assert client.sent == 2


@pytest.mark.parametrize("kind", ["drop_before", "500_before", "429"])
def test_a_create_that_did_not_happen_is_repeated(sound: RunningSandbox, kind: str) -> None:
    """Where the server did nothing, the repeat makes the token under the same name."""
    sound.set_faults([{"do": kind, "method": "POST", "path": "/v1/tokens", "times": 1, "headers": False}])
    minted = client_of(sound).create(name=f"not by {kind}", scopes_wanted=["tokens:read"], expires_at=None)
    assert sound.authenticates(minted.secret.reveal())
    assert len(sound.tokens(name=f"not by {kind}")) == 1


@pytest.mark.parametrize("kind", LOST)
def test_a_lost_answer_of_rotate_is_not_repeated(sound: RunningSandbox, kind: str) -> None:
    """A rotation whose answer was lost goes out once, so that no live secret is killed twice."""
    client = client_of(sound)
    minted = client.create(name=f"rotated by {kind}", scopes_wanted=["tokens:read"], expires_at=None)
    sound.clear_requests()
    sound.set_faults([{"do": kind, "method": "POST", "path": "/v1/tokens/.*/rotate"}])
    with pytest.raises((UnreachableError, NotTheApiError)):
        client.rotate(minted.token.id)
    assert [entry["method"] for entry in sound.requests()] == ["POST"]


@pytest.mark.parametrize("kind", [*LOST, "drop_before", "500_before"])
def test_a_lost_answer_of_revoke_is_repeated(sound: RunningSandbox, kind: str) -> None:
    """A revocation whose answer was lost is sent again, and the token is gone."""
    client = client_of(sound)
    minted = client.create(name=f"revoked by {kind}", scopes_wanted=["tokens:read"], expires_at=None)
    sound.set_faults([{"do": kind, "method": "DELETE", "times": 1}])
    client.revoke(minted.token.id)
    assert not sound.authenticates(minted.secret.reveal())


def test_a_cut_listing_is_read_again(sound: RunningSandbox) -> None:
    """A listing that breaks off in its body is read again, not taken as it is."""
    sound.set_faults([{"do": "truncated", "method": "GET", "times": 2}])
    client = client_of(sound)
    assert {token.id for token in client.active()} == {token["id"] for token in sound.active_tokens()}
    assert client.sent == 3


def test_a_429_waits_for_the_servers_reset(sound: RunningSandbox) -> None:
    """After a 429 the client waits until the reset on the server's clock, and no longer."""
    sound.set_faults([{"do": "429", "times": 1}])
    clock = MovedClock()
    client = make_client(url=sound.url, key=sound.api_key, clock=clock)
    client.active()
    assert 0 < sum(clock.slept) <= 62
    assert client.sent == 2


def test_nobody_listens() -> None:
    """An address at which nobody listens ends in an error that says so, after bounded tries."""
    client = make_client(url="http://127.0.0.1:1/v1")
    with pytest.raises(UnreachableError, match="the connection was refused"):
        client.active()
    assert client.sent == 5

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.support.sandbox import RunningSandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

READ = ["tokens:read"]


def in_seconds(sandbox: RunningSandbox, seconds: float) -> str:
    return (datetime.fromtimestamp(sandbox.now(), UTC) + timedelta(seconds=seconds)).isoformat()


def test_create_returns_the_secret_once(shared: RunningSandbox) -> None:
    """The secret stands in the answer of the creation and in no later one."""
    reply = shared.send("POST", "/tokens", json={"name": "made once", "scopes": ["tokens:read", "audit:read"]})
    assert reply.status_code == 201
    issued = reply.json()
    assert re.fullmatch(r"tok_\w{24}", issued["id"])
    assert re.fullmatch(r"tok_[\w-]{40}", issued["token"])
    token = shared.send("GET", f"/tokens/{issued['id']}").json()
    assert token == {key: value for key, value in issued.items() if key != "token"}
    assert token["status"] == "active"
    assert token["scopes"] == ["tokens:read", "audit:read"]
    assert token["expires_at"] is None
    assert token["last_used_at"] is None
    assert "@" in token["created_by"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", token["created_at"])


def test_created_by_a_token(shared: RunningSandbox) -> None:
    """A token that makes another one stands in its created_by."""
    maker = shared.create("maker", "tokens:write")
    made = shared.send("POST", "/tokens", key=maker["token"], json={"name": "made by a token", "scopes": READ}).json()
    assert made["created_by"] == maker["id"]


def test_use_is_dated(shared: RunningSandbox) -> None:
    """Using a token as a credential sets its last_used_at, also where the scope is missing."""
    used, refused, unused = (shared.create(f"use {number}") for number in range(3))
    assert shared.send("GET", "/tokens", key=used["token"]).status_code == 200
    assert shared.send("POST", "/tokens", key=refused["token"], json={}).status_code == 403
    assert shared.token(used["id"])["last_used_at"]
    assert shared.token(refused["id"])["last_used_at"]
    assert shared.token(unused["id"])["last_used_at"] is None


def test_revoked_at_once(shared: RunningSandbox) -> None:
    """A revoked token authenticates no more, and its record stays."""
    doomed = shared.create("doomed")
    assert shared.authenticates(doomed["token"])
    reply = shared.send("DELETE", f"/tokens/{doomed['id']}")
    assert (reply.status_code, reply.content) == (204, b"")
    assert shared.send("GET", "/tokens", key=doomed["token"]).status_code == 401
    assert shared.token(doomed["id"])["status"] == "revoked"
    assert shared.send("DELETE", f"/tokens/{doomed['id']}").status_code == 204


def test_a_token_can_revoke_itself(shared: RunningSandbox) -> None:
    """A token with tokens:revoke may end itself; the same request again is 401."""
    own = shared.create("suicidal", "tokens:revoke")
    assert shared.send("DELETE", f"/tokens/{own['id']}", key=own["token"]).status_code == 204
    assert shared.send("DELETE", f"/tokens/{own['id']}", key=own["token"]).status_code == 401


def test_rotate_kills_the_old_secret(shared: RunningSandbox) -> None:
    """Rotation keeps id, name, scopes and expiry; the old secret is dead at that moment, the new one lives."""
    before = shared.create("rotated", "tokens:read", expires_at="2999-01-01T00:00:00Z")
    reply = shared.send("POST", f"/tokens/{before['id']}/rotate")
    assert reply.status_code == 200
    after = reply.json()
    assert after | {"token": before["token"]} == before
    assert after["token"] != before["token"]
    assert not shared.authenticates(before["token"])
    assert shared.authenticates(after["token"])


def test_rotate_refuses_the_dead(sandbox: RunningSandbox) -> None:
    """Revoked and expired tokens can't be rotated."""
    revoked = sandbox.create("revoked")
    sandbox.delete(f"/tokens/{revoked['id']}")
    expired = sandbox.create("expired", expires_at=in_seconds(sandbox, 60))
    sandbox.advance(61)
    for token in (revoked, expired):
        assert sandbox.send("POST", f"/tokens/{token['id']}/rotate").status_code == 409


def test_expiry_by_the_clock(sandbox: RunningSandbox) -> None:
    """Past its date a token is listed as expired and refused, even if the clock is turned back."""
    token = sandbox.create("short", expires_at=in_seconds(sandbox, 3600))
    sandbox.advance(3590)
    assert sandbox.authenticates(token["token"])
    sandbox.advance(11)
    assert sandbox.send("GET", "/tokens", key=token["token"]).status_code == 401
    assert sandbox.token(token["id"])["status"] == "expired"
    assert [found["id"] for found in sandbox.tokens(status="expired")] == [token["id"]]
    assert sandbox.active_tokens() == []
    sandbox.advance(-3601)
    assert not sandbox.authenticates(token["token"])


@pytest.mark.parametrize("path", ["", "/rotate"])
def test_unknown_ids(shared: RunningSandbox, path: str) -> None:
    """A call on an id that nobody has is 404."""
    method = "POST" if path else "DELETE"
    assert shared.send(method, f"/tokens/tok_000000000000000000000000{path}").status_code == 404
    assert shared.send("GET", "/tokens/n%C3%B6%20%25").status_code == 404


def test_pages(sandbox: RunningSandbox) -> None:
    """Pages hold per_page items, 25 unless said otherwise; together they are everything exactly once."""
    made = {sandbox.create(f"page {number}")["id"] for number in range(30)}
    first = sandbox.send("GET", "/tokens").json()
    assert first["meta"] == {"page": 1, "per_page": 25, "total": 30}
    assert len(first["data"]) == 25
    pages = [sandbox.send("GET", "/tokens", params={"page": page, "per_page": 7}).json() for page in range(1, 7)]
    assert [len(page["data"]) for page in pages] == [7, 7, 7, 7, 2, 0]
    assert {token["id"] for page in pages for token in page["data"]} == made
    assert sandbox.send("GET", "/tokens", params={"page": 10**30}).json()["data"] == []


@pytest.mark.parametrize("query", ["page=0", "page=-1", "page=x", "per_page=0", "per_page=101", "status=dead"])
def test_bad_queries(shared: RunningSandbox, query: str) -> None:
    """A page, page size or status outside what is documented is 400."""
    reply = shared.send("GET", f"/tokens?{query}")
    assert (reply.status_code, reply.json()["error"]) == (400, "bad_request")


def test_filter_by_status(sandbox: RunningSandbox) -> None:
    """The status filter tells active, expired and revoked apart; without it all are listed."""
    ids = {status: sandbox.create(status)["id"] for status in ("active", "revoked")}
    ids["expired"] = sandbox.create("expired", expires_at=in_seconds(sandbox, 5))["id"]
    sandbox.delete(f"/tokens/{ids['revoked']}")
    sandbox.advance(6)
    for status, token_id in ids.items():
        assert [token["id"] for token in sandbox.tokens(status=status)] == [token_id]
    assert {token["id"] for token in sandbox.tokens()} == set(ids.values())


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("deploy", {"Deploy bot", "ci-deploy"}),
        ("DEPLOY", {"Deploy bot", "ci-deploy"}),
        ("%", {"100% odd_name"}),
        ("_", {"100% odd_name"}),
        ("équipe", {"Données ÉQUIPE"}),
        ("ÉQUIPE", {"Données ÉQUIPE"}),
        ("*", set()),
        ("", {"Deploy bot", "ci-deploy", "100% odd_name", "Données ÉQUIPE"}),
    ],
)
def test_filter_by_name(named: RunningSandbox, search: str, found: set[str]) -> None:
    """A name is found by any part of it, whatever the case, also beyond ASCII; nothing is a wildcard."""
    listing = named.send("GET", "/tokens", params={"name": search}).json()
    assert {token["name"] for token in listing["data"]} == found
    assert listing["meta"]["total"] == len(found)


@pytest.fixture(scope="module")
def named() -> Iterator[RunningSandbox]:
    with RunningSandbox() as running:
        for name in ("Deploy bot", "ci-deploy", "100% odd_name", "Données ÉQUIPE"):
            running.create(name)
        yield running


@pytest.mark.parametrize("how", ["revoked", "expired"])
@pytest.mark.parametrize(("revoked_names", "status"), [("reserved", 409), ("free", 201)])
def test_names_of_the_dead(
    make_sandbox: Callable[..., RunningSandbox], revoked_names: str, status: int, how: str
) -> None:
    """Whether a dead token's name can be used again is an option; an active one's never can."""
    sandbox = make_sandbox(revoked_names=revoked_names)
    first = sandbox.create("taken", expires_at=in_seconds(sandbox, 60))
    again = {"name": "taken", "scopes": READ}
    reply = sandbox.send("POST", "/tokens", json=again)
    assert (reply.status_code, reply.json()["error"]) == (409, "conflict")
    if how == "revoked":
        sandbox.delete(f"/tokens/{first['id']}")
    else:
        sandbox.advance(61)
    assert sandbox.send("POST", "/tokens", json=again).status_code == status
    assert sandbox.send("POST", "/tokens", json=again).status_code == 409
    assert len(sandbox.tokens(name="taken")) == (2 if revoked_names == "free" else 1)


def test_observing_leaves_no_trace(sandbox: RunningSandbox) -> None:
    """What a test looks up past the gate is neither logged, counted, nor dated on the token."""
    token = sandbox.create("watched")
    sandbox.set_faults([{"do": "500_before"}])
    assert sandbox.authenticates(token["token"])
    assert sandbox.token(token["id"])["last_used_at"] is None
    assert sandbox.requests() == []
    assert sandbox.send("GET", "/tokens").headers["X-RateLimit-Remaining"] == "999"

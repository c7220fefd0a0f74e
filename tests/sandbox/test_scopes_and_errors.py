from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tooken_ci.sandbox.credentials import SCOPES

if TYPE_CHECKING:
    from tests.support.sandbox import RunningSandbox

NOBODY = "tok_000000000000000000000000"

# Each call is also wrong in its target, its parameters or its body, so that whatever is looked at first shows.
CALLS = [
    ("GET", "/tokens?page=0", "tokens:read", 400),
    ("POST", "/tokens", "tokens:write", 400),
    ("GET", f"/tokens/{NOBODY}", "tokens:read", 404),
    ("DELETE", f"/tokens/{NOBODY}", "tokens:revoke", 404),
    ("POST", f"/tokens/{NOBODY}/rotate", "tokens:rotate", 404),
    ("GET", "/audit-logs?per_page=101", "audit:read", 400),
]


@pytest.fixture(scope="module")
def keyring(shared: RunningSandbox) -> dict[str, str]:
    return {scope: shared.create(f"only {scope}", scope)["token"] for scope in SCOPES}


@pytest.mark.parametrize("held", SCOPES)
@pytest.mark.parametrize("call", CALLS, ids=str)
def test_scope_comes_first(
    shared: RunningSandbox, keyring: dict[str, str], call: tuple[str, str, str, int], held: str
) -> None:
    """A missing scope is refused before anything else is looked at, and no scope implies another."""
    method, path, needed, status = call
    reply = shared.send(method, path, key=keyring[held], json={} if method == "POST" else None)
    assert reply.status_code == (status if held == needed else 403)


@pytest.mark.parametrize("key", ["", "tok_live_wrong", "tok_\xe9"])
@pytest.mark.parametrize(("method", "path"), [call[:2] for call in CALLS])
def test_credential_comes_before_scope(shared: RunningSandbox, method: str, path: str, key: str) -> None:
    """Without a living credential everything is 401, malformed or not."""
    reply = shared.send(method, path, key=key, data=b"{" if method == "POST" else None)
    assert (reply.status_code, reply.json()["error"]) == (401, "unauthorized")


@pytest.mark.parametrize("authorization", ["Basic eDp5", "Bearer", "Bearer ", "tok_live_x"])
def test_only_bearer(shared: RunningSandbox, authorization: str) -> None:
    """Anything but a bearer credential is none."""
    reply = shared.send("GET", "/tokens", key="", headers={"Authorization": authorization})
    assert reply.status_code == 401


GOOD: dict[str, Any] = {"name": "good", "scopes": ["tokens:read"]}


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"name": None}, 400),
        ({"name": 7}, 400),
        ({"name": ""}, 400),
        ({"name": "n" * 101}, 400),
        ({"name": "\ud800"}, 400),
        ({"scopes": None}, 400),
        ({"scopes": []}, 400),
        ({"scopes": "tokens:read"}, 400),
        ({"scopes": ["tokens:read", "tokens:all"]}, 400),
        ({"expires_at": 1893456000}, 400),
        ({"expires_at": "soon"}, 422),
        ({"expires_at": ""}, 422),
        ({"expires_at": "2020-01-01T00:00:00Z"}, 422),
        ({"expires_at": "9999-12-31T23:59:59-14:00"}, 422),
        ({"expires_at": "0001-01-01T00:00:00+14:00"}, 422),
    ],
)
def test_refused_bodies(shared: RunningSandbox, change: dict[str, Any], status: int) -> None:
    """A missing or wrongly typed field is 400, a date that can't be read or is past is 422."""
    reply = shared.send("POST", "/tokens", json=GOOD | change)
    assert reply.status_code == status
    assert reply.json()["status"] == status


@pytest.mark.parametrize(
    ("name", "extra"),
    [
        ("n" * 100, {}),
        ("spaces and ünï ✓", {}),
        ("::error::\r\n\x1b[31m", {}),
        ("with an unknown field", {"colour": "blue"}),
        ("no zone", {"expires_at": "2999-01-01T00:00:00"}),
        ("a day", {"expires_at": "2999-01-01"}),
        ("another zone", {"expires_at": "2999-01-01T00:00:00.5+05:30"}),
        ("explicitly never", {"expires_at": None}),
    ],
)
def test_accepted_bodies(shared: RunningSandbox, name: str, extra: dict[str, Any]) -> None:
    """Names are free text up to 100 characters, unknown fields are ignored, and ISO 8601 has many forms."""
    reply = shared.send("POST", "/tokens", json=GOOD | {"name": name} | extra)
    assert reply.status_code == 201
    assert reply.json()["name"] == name


@pytest.mark.parametrize(
    ("data", "content_type"),
    [
        (b"{", "application/json"),
        (b"", "application/json"),
        (b"\xff\xfe", "application/json"),
        (b"[]", "application/json"),
        (b'{"name": "x", "scopes": ["tokens:read"]}', "text/plain"),
        (b"name=x", "application/x-www-form-urlencoded"),
        (b"[" * 100_000, "application/json"),
    ],
)
def test_malformed_bodies(shared: RunningSandbox, data: bytes, content_type: str) -> None:
    """A body that is no JSON object, or does not say that it is JSON, is 400."""
    reply = shared.send("POST", "/tokens", data=data, headers={"Content-Type": content_type})
    assert (reply.status_code, reply.json()["error"]) == (400, "bad_request")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not_found"),
        ("GET", "/tokens/", 404, "not_found"),
        ("GET", "/tokens/a/b/c", 404, "not_found"),
        ("PATCH", f"/tokens/{NOBODY}", 405, "method_not_allowed"),
        ("PUT", "/tokens", 405, "method_not_allowed"),
    ],
)
def test_no_such_route(shared: RunningSandbox, method: str, path: str, status: int, code: str) -> None:
    """Unknown routes and methods answer in the documented shape too, with the quota's headers."""
    reply = shared.send(method, path)
    assert reply.status_code == status
    assert reply.json() == {"error": code, "message": reply.json()["message"], "status": status}
    assert reply.headers["Content-Type"] == "application/json"
    assert int(reply.headers["X-RateLimit-Remaining"]) > 0


def test_allow_names_every_method(shared: RunningSandbox) -> None:
    """A 405 says which methods the path has, all of them."""
    assert shared.send("PUT", "/tokens").headers["Allow"] == "GET, POST"

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.support.sandbox import RunningSandbox


def entries(sandbox: RunningSandbox, **filters: object) -> list[dict[str, Any]]:
    reply = sandbox.send("GET", "/audit-logs", params=filters)
    assert reply.status_code == 200
    found: list[dict[str, Any]] = reply.json()["data"]
    return found


def test_who_did_what(sandbox: RunningSandbox) -> None:
    """Every change of a token and every use of it stands in the log, newest first, with its actor."""
    soon = datetime.fromtimestamp(sandbox.now() + 60, UTC).isoformat()
    worker = sandbox.create("worker", "tokens:rotate", "tokens:revoke")
    target = sandbox.create("target", expires_at=soon)
    other = sandbox.create("other", expires_at=soon)
    sandbox.send("POST", f"/tokens/{target['id']}/rotate", key=worker["token"])
    sandbox.delete(f"/tokens/{target['id']}")
    sandbox.delete(f"/tokens/{target['id']}")
    sandbox.advance(61)
    found = [(entry["event"], entry["token_name"], entry["actor"]) for entry in entries(sandbox)]
    assert found == [
        ("token.expired", "other", "system"),
        ("token.revoked", "target", "owner@sandbox.example"),
        ("token.rotated", "target", worker["id"]),
        ("token.used", "worker", worker["id"]),
        ("token.created", "other", "owner@sandbox.example"),
        ("token.created", "target", "owner@sandbox.example"),
        ("token.created", "worker", "owner@sandbox.example"),
    ]
    assert {entry["token_id"] for entry in entries(sandbox)} == {worker["id"], target["id"], other["id"]}
    assert entries(sandbox)[0]["created_at"] == sandbox.token(other["id"])["expires_at"]


def test_filters_and_pages(sandbox: RunningSandbox) -> None:
    """The log can be narrowed to a token, an event or both, and comes in pages."""
    made = [sandbox.create(f"token {number}") for number in range(3)]
    sandbox.delete(f"/tokens/{made[0]['id']}")
    assert len(entries(sandbox, token_id=made[0]["id"])) == 2
    assert len(entries(sandbox, event="token.created")) == 3
    (revoked,) = entries(sandbox, event="token.revoked", token_id=made[0]["id"])
    assert revoked["token_name"] == "token 0"
    reply = sandbox.send("GET", "/audit-logs", params={"page": 2, "per_page": 3}).json()
    assert reply["meta"] == {"page": 2, "per_page": 3, "total": 4}
    assert [entry["token_name"] for entry in reply["data"]] == ["token 0"]
    assert entries(sandbox, page=10**30) == []


def test_unknown_event(shared: RunningSandbox) -> None:
    """An event that the API does not know is a bad request."""
    assert shared.send("GET", "/audit-logs", params={"event": "token.eaten"}).status_code == 400

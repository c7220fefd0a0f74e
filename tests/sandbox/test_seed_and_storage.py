from __future__ import annotations

import json
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from tooken_ci.sandbox.database import open_database
from tooken_ci.sandbox.seed import seed
from tooken_ci.sandbox.settings import SandboxConfigError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.sandbox import RunningSandbox


def test_many_unmanaged_tokens(make_sandbox: Callable[..., RunningSandbox]) -> None:
    """A number makes so many active tokens of varied names, scopes, expiries and makers, all with a history."""
    sandbox = make_sandbox(seed=250)
    tokens = sandbox.active_tokens()
    assert len(tokens) == len({token["id"] for token in tokens}) == len({token["name"] for token in tokens}) == 250
    assert len({token["created_by"] for token in tokens}) > 2
    assert len({tuple(token["scopes"]) for token in tokens}) > 5
    assert {token["expires_at"] is None for token in tokens} == {True, False}
    assert sandbox.get("/audit-logs", event="token.created").json()["meta"]["total"] == 250
    assert "Legacy bot 7" in {token["name"] for token in tokens}


def test_a_hundred_thousand_in_seconds() -> None:
    """Seeding a large workspace takes seconds."""
    with closing(open_database(":memory:")) as connection:
        started = time.monotonic()
        seed(connection, "100000", now=time.time())
        assert time.monotonic() - started < 20
        assert connection.execute("SELECT COUNT(*) FROM tokens").fetchone()[0] == 100_000


LISTED: list[dict[str, Any]] = [
    {"name": "plain", "scopes": ["tokens:read"]},
    {"name": "dated", "scopes": ["audit:read"], "expires_at": "2999-01-01", "created_at": "2020-02-02T02:02:02Z"},
    {"name": "short", "scopes": ["tokens:read"], "expires_in_seconds": 60, "last_used_at": "2021-01-01T00:00:00Z"},
    {"name": "plain", "scopes": ["tokens:read"], "status": "revoked"},
    {"name": "over", "scopes": ["tokens:read"], "status": "expired"},
]


def check_listed(sandbox: RunningSandbox) -> None:
    shown = {(token["name"], token["status"]): token for token in sandbox.tokens()}
    assert set(shown) == {
        ("plain", "active"), ("dated", "active"), ("short", "active"), ("plain", "revoked"), ("over", "expired"),
    }  # fmt: skip
    assert shown["dated", "active"]["created_at"] == "2020-02-02T02:02:02Z"
    assert shown["dated", "active"]["expires_at"] == "2999-01-01T00:00:00Z"
    assert shown["short", "active"]["last_used_at"] == "2021-01-01T00:00:00Z"
    sandbox.advance(61)
    assert {token["name"] for token in sandbox.tokens(status="expired")} == {"short", "over"}


def test_listed_tokens_in_json(make_sandbox: Callable[..., RunningSandbox]) -> None:
    """A JSON file gives the tokens one by one."""
    check_listed(make_sandbox(seed=LISTED))


def test_listed_tokens_in_yaml(make_sandbox: Callable[..., RunningSandbox], tmp_path: Path) -> None:
    """A YAML file does as well, also where YAML reads dates by itself."""
    lines = ("- {" + ", ".join(f"{key}: {_plain(value)}" for key, value in item.items()) + "}" for item in LISTED)
    path = tmp_path / "seed.yaml"
    path.write_text("\n".join(lines), encoding="utf-8")
    check_listed(make_sandbox(seed=path))


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


@pytest.mark.parametrize(
    "content",
    [
        "{}",
        "[7]",
        "[{}]",
        "[",
        '[{"name": "x", "scopes": ["all"]}]',
        '[{"name": "x", "scopes": [], "colour": 1}]',
        '[{"name": "x", "scopes": ["tokens:read"], "status": "dead"}]',
        '[{"name": "x", "scopes": ["tokens:read"], "expires_at": "soon"}]',
        '[{"name": "x", "scopes": ["tokens:read"]}, {"name": "x", "scopes": ["tokens:read"]}]',
    ],
)
def test_refused_seeds(tmp_path: Path, content: str) -> None:
    """A seed file that can't be used is refused, by its name."""
    path = tmp_path / "seed.json"
    path.write_text(content, encoding="utf-8")
    with closing(open_database(":memory:")) as connection, pytest.raises(SandboxConfigError, match=r"seed\.json"):
        seed(connection, str(path), now=time.time())


def test_secrets_are_stored_as_hashes(make_sandbox: Callable[..., RunningSandbox], tmp_path: Path) -> None:
    """No secret and no key is anywhere in the database's files, and the id that is there is found."""
    sandbox = make_sandbox(db=tmp_path / "tokens.db")
    issued = sandbox.create("hashed", "tokens:read")
    rotated = sandbox.post(f"/tokens/{issued['id']}/rotate").json()
    sandbox.send("GET", "/tokens", key=rotated["token"])
    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert issued["id"].encode() in stored
    for secret in (issued["token"], rotated["token"], sandbox.api_key):
        assert secret.encode() not in stored
        assert secret.removeprefix("tok_").encode() not in stored


def test_a_file_outlives_the_server(make_sandbox: Callable[..., RunningSandbox], tmp_path: Path) -> None:
    """Tokens in a file are there after a kill, and a second start does not seed them again."""
    first = make_sandbox(db=tmp_path / "tokens.db", seed=3)
    issued = first.create("survivor")
    first.process.kill()
    first.process.wait()
    second = make_sandbox(db=tmp_path / "tokens.db", seed=3)
    assert len(second.active_tokens()) == 4
    assert second.authenticates(issued["token"])
    assert not second.authenticates(first.api_key)

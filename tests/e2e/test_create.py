"""Thirty new entries: thirty tokens, each delivered and alive, and then nothing to do."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.e2e.project import entry, names, spec

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.project import Project

ENTRIES = {f"ci-{number:02}": entry(f"out/ci-{number:02}") for number in range(30)}


@pytest.mark.parametrize(
    ("unmanaged", "revoked_names"),
    [(0, "reserved"), (0, "free"), (70, "free"), (170, "reserved"), (250, "free"), (250, "reserved")],
)
def test_thirty_new_entries(make_project: Callable[..., Project], unmanaged: int, revoked_names: str) -> None:
    """Thirty new entries become exactly thirty living, delivered tokens, and the second plan is empty and cheap."""
    project = make_project(seed=unmanaged, revoked_names=revoked_names)
    theirs = names(project.sandbox)
    project.write(spec(ENTRIES))

    data = project.apply()

    assert data["summary"]["create"] == 30
    assert data["summary"]["unmanaged"] == unmanaged
    assert [result["status"] for result in data["results"]] == ["done"] * 30
    assert names(project.sandbox) == sorted([*ENTRIES, *theirs])
    assert len(project.sandbox.tokens()) == 30 + unmanaged
    secrets = [project.secret(f"out/{name}") for name in ENTRIES]
    assert len(set(secrets)) == 30
    assert all(map(project.sandbox.authenticates, secrets))

    project.sandbox.clear_requests()
    again = project.plan("--detailed-exitcode")
    assert again["actions"] == []
    assert again["summary"]["unchanged"] == 30
    assert again["requests"]["spent"] == len(project.sandbox.requests()) == max(1, math.ceil((unmanaged + 30) / 100))
    assert project.apply()["results"] == []


@pytest.mark.parametrize("revoked_names", ["reserved", "free"])
def test_a_name_that_was_revoked(make_project: Callable[..., Project], revoked_names: str) -> None:
    """A name whose token was revoked is served again, whether or not the workspace lets the name be used again."""
    project = make_project(revoked_names=revoked_names)
    gone = project.sandbox.create("ci")
    project.sandbox.delete(f"/tokens/{gone['id']}")
    project.write(spec({"ci": entry("ci")}))

    result = project.apply()["results"][0]

    assert result["token"] == {"reserved": "ci.g2", "free": "ci"}[revoked_names]
    assert names(project.sandbox) == [result["token"]]
    assert project.sandbox.authenticates(project.secret("ci"))
    project.converge()
    assert project.apply()["results"] == []


def test_what_was_asked_for_is_made(project: Project) -> None:
    """Scopes and expiry of a new token are the entry's, and folders that are missing are made for their owner only."""
    project.write(
        spec(
            {
                "long": entry("long", scopes=["tokens:rotate", "audit:read"], expires_in="30d"),
                "endless": {"scopes": ["tokens:read"], "deliver": [{"file": {"path": "deep/in/folders/endless"}}]},
            }
        )
    )
    project.apply()
    made = {token["name"]: token for token in project.sandbox.active_tokens()}
    assert sorted(made["long"]["scopes"]) == ["audit:read", "tokens:rotate"]
    life = datetime.fromisoformat(made["long"]["expires_at"]) - datetime.fromisoformat(made["long"]["created_at"])
    assert abs(life - timedelta(days=30)) <= timedelta(minutes=1, seconds=5)
    assert made["endless"]["expires_at"] is None
    assert {path.stat().st_mode & 0o777 for path in project.folder.rglob("*") if path.is_dir()} == {0o700}
    project.converge()

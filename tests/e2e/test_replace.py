"""A change of scopes: the next generation is delivered and proven before the old one goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.held import CREATION, LOOK_UP, PROOF, REVOCATION, Point, hold, kill, wait_for
from tests.e2e.project import entry, names, spec
from tests.e2e.watch import Watcher

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.project import Project

OLD = spec({"ci": entry("out/ci")})
NEW = spec({"ci": entry("out/ci", scopes=["tokens:read", "audit:read"])})


def test_the_file_never_holds_a_dead_secret(make_project: Callable[..., Project]) -> None:
    """A consumer that reads the file all the time never reads a dead secret, over several changes in a row."""
    project = make_project(latency_ms=60)
    project.write(OLD)
    project.apply()
    with Watcher(project.sandbox, project.folder / "out/ci") as watcher:
        for number, wanted in ((2, NEW), (3, OLD), (4, NEW)):
            project.write(wanted)
            data = project.apply()
            assert {result["status"] for result in data["results"]} == {"done"}
            assert names(project.sandbox) == [f"ci.g{number}"]
            project.secrets.update(watcher.seen)
    assert watcher.dead == []
    assert watcher.seen[-1] == project.secret("out/ci")
    assert len(watcher.seen) == 4
    assert watcher.reads > 50
    project.converge()


def test_overlap_zero(project: Project) -> None:
    """With an overlap of 0 the new generation replaces the old one, which is gone when the run ends."""
    project.write(OLD)
    project.apply()
    old = project.secret("out/ci")
    project.write(NEW)

    data = project.apply()

    assert [(action["action"], action["token"], action["cause"]) for action in data["actions"]] == [
        ("replace", "ci.g2", "spec"),
        ("revoke", "ci", "spec"),
    ]
    assert data["waiting"] == []
    assert names(project.sandbox) == ["ci.g2"]
    assert sorted(project.sandbox.active_tokens()[0]["scopes"]) == ["audit:read", "tokens:read"]
    assert not project.sandbox.authenticates(old)
    assert project.sandbox.authenticates(project.secret("out/ci"))
    assert "ci.g2" in project.record("out/ci")
    project.converge()


@pytest.mark.parametrize("point", [CREATION, PROOF], ids=["creation", "proof"])
def test_the_old_secret_stays_until_the_new_one_is_proven(project: Project, point: Point) -> None:
    """While the new token is made and proven, the file still holds the old secret, which is alive."""
    project.write(OLD)
    project.apply()
    old = project.secret("out/ci")
    project.write(NEW)
    with hold(project.sandbox, point):
        running = project.start("apply")
        wait_for(project.sandbox, point)
        assert project.secret("out/ci") == old
        assert "mark=create:ci.g2:" in project.record("out/ci")
        assert project.sandbox.authenticates(old)
        kill(project, running)


@pytest.mark.parametrize("point", [LOOK_UP, REVOCATION], ids=["look-up", "revocation"])
def test_the_new_secret_stands_before_the_old_one_goes(project: Project, point: Point) -> None:
    """When the old token is about to be revoked, file and record already hold the new one, and both are alive."""
    project.write(OLD)
    project.apply()
    old = project.secret("out/ci")
    project.write(NEW)
    with hold(project.sandbox, point):
        running = project.start("apply")
        wait_for(project.sandbox, point)
        new = project.secret("out/ci")
        assert new != old
        assert "name=ci.g2 " in project.record("out/ci")
        assert "mark=" not in project.record("out/ci")
        assert project.sandbox.authenticates(old)
        assert project.sandbox.authenticates(new)
        kill(project, running)


def test_overlap_of_an_hour(project: Project) -> None:
    """With an overlap the old generation is listed as waiting until its time, and goes with the next apply after it."""
    tokens = {"ci": entry("out/ci", rotation={"overlap": "1h"})}
    project.write(spec(tokens))
    project.apply()
    old = project.secret("out/ci")
    tokens["ci"]["scopes"] = ["tokens:read", "audit:read"]
    project.write(spec(tokens))

    applied = project.apply()
    assert [action["action"] for action in applied["actions"]] == ["replace"]
    assert applied["actions"][0]["revoke_after"] == applied["waiting"][0]["revoke_after"]
    assert names(project.sandbox) == ["ci", "ci.g2"]
    assert project.sandbox.authenticates(old)

    project.sandbox.advance(3500)
    early = project.apply()
    assert early["actions"] == []
    assert [(waiting["token"], "overlap" in waiting["held_by"]) for waiting in early["waiting"]] == [("ci", True)]
    project.run("plan").says("Waiting to be revoked", "ci, not before", early["waiting"][0]["revoke_after"])

    project.sandbox.advance(200)
    late = project.apply()
    assert [(action["action"], action["token"], action["cause"]) for action in late["actions"]] == [
        ("revoke", "ci", "time")
    ]
    assert names(project.sandbox) == ["ci.g2"]
    assert project.sandbox.authenticates(project.secret("out/ci"))
    project.converge()


def test_an_old_secret_in_use_is_kept(project: Project) -> None:
    """An old generation that somebody still uses outlives its overlap, and the plan says who and when."""
    tokens = {"ci": entry("out/ci", rotation={"overlap": "1h"})}
    project.write(spec(tokens))
    project.apply()
    old = project.secret("out/ci")
    tokens["ci"]["scopes"] = ["tokens:read", "audit:read"]
    project.write(spec(tokens))
    project.apply()
    project.sandbox.advance(3700)
    project.sandbox.send("GET", "/tokens", key=old)

    data = project.apply()

    assert data["actions"] == []
    assert "used" in data["waiting"][0]["held_by"]
    assert any("'ci' is kept" in warning for warning in data["warnings"])
    assert project.sandbox.authenticates(old)

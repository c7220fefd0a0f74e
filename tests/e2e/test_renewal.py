"""What time brings, with the real command against a real server whose clock is moved: renewal, rotation, a new name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.project import entry, names, spec

if TYPE_CHECKING:
    from tests.e2e.project import Project

HOUR, DAY = 3600, 86400
RENEWED = entry("out/ci", expires_in="9d", renew_before="3d", rotation={"overlap": "24h"})
ROTATED = {
    "scopes": ["tokens:read"],
    "rotation": {"every": "30d", "overlap": "24h"},
    "deliver": [{"file": {"path": "out/ci"}}],
}


def done(data: Any) -> list[tuple[str, str, str]]:
    """What was done: kind, token and cause."""
    assert {result["status"] for result in data["results"]} <= {"done"}
    return [(action["action"], action["token"], action["cause"]) for action in data["actions"]]


def replaced_after(project: Project, quiet: float, due: float, reason: str) -> str:
    """Asserts that the token lives in peace for a while, is then replaced in time, and gives the old secret."""
    project.apply()
    old = project.secret("out/ci")
    project.sandbox.advance(quiet)
    project.converge()
    project.sandbox.advance(due - quiet)
    applied = project.apply()
    assert done(applied) == [("replace", "ci.g2", "time")]
    assert reason in applied["actions"][0]["reasons"][0]
    assert [waiting["token"] for waiting in applied["waiting"]] == ["ci"]
    again = project.plan("--detailed-exitcode")
    assert again["actions"] == []
    return old


@pytest.mark.parametrize(
    ("of", "quiet", "due", "reason"),
    [
        (RENEWED, 5.3 * DAY, 6 * DAY, "within renew_before (3d)"),
        (ROTATED, 26.9 * DAY, 30 * DAY, "it is 30d old, and is rotated every 30d"),
    ],
    ids=["renewal", "rotation"],
)
def test_replaced_in_time(project: Project, of: dict[str, Any], quiet: float, due: float, reason: str) -> None:
    """A token is replaced when it is due, the new secret is delivered, and the old one lives for its overlap."""
    project.write(spec({"ci": of}))
    old = replaced_after(project, quiet, due, reason)
    new = project.secret("out/ci")
    assert new != old
    assert project.sandbox.authenticates(old)
    assert project.sandbox.authenticates(new)
    assert names(project.sandbox) == ["ci", "ci.g2"]

    project.sandbox.advance(25 * HOUR)

    assert done(project.apply()) == [("revoke", "ci", "time")]
    assert names(project.sandbox) == ["ci.g2"]
    assert project.sandbox.authenticates(project.secret("out/ci"))
    project.converge()


def test_a_month_of_daily_runs(project: Project) -> None:
    """With a run a day the file holds a living secret all the time, and a new one every sixth or seventh day."""
    project.write(spec({"ci": RENEWED}))
    made = 0
    for _ in range(32):
        made += sum(kind in {"create", "replace"} for kind, _, _ in done(project.apply()))
        assert project.sandbox.authenticates(project.secret("out/ci"))
        project.sandbox.advance(DAY)
        assert project.sandbox.authenticates(project.secret("out/ci"))
    assert made in {5, 6}


def test_renewal_in_a_blocked_plan(project: Project) -> None:
    """A bound that forbids a change does not let another token expire."""
    forbidding = {"max_changes": 0}
    tokens = {"ci": RENEWED, "web": entry("out/web")}
    project.write(spec(tokens, policy=forbidding))
    project.apply()
    project.sandbox.advance(6 * DAY)
    tokens["web"] = entry("out/web", scopes=["audit:read"])
    project.write(spec(tokens, policy=forbidding))

    applied = project.apply(code=5)

    assert [(result["token"], result["status"]) for result in applied["results"]] == [
        ("ci.g2", "done"),
        ("web.g2", "skipped"),
        ("web", "skipped"),
    ]
    assert names(project.sandbox) == ["ci", "ci.g2", "web"]


def test_a_watched_token_that_is_due(project: Project) -> None:
    """A token without a destination is not renewed: the plan warns and asks for one."""
    project.sandbox.create("seen")
    project.write(spec({"seen": {"scopes": ["tokens:read"], "rotation": {"every": "30d"}}}))
    project.sandbox.advance(31 * DAY)
    data = project.plan("--detailed-exitcode")
    assert data["actions"] == []
    assert ["it is 31d old" in warning and "'deliver'" in warning for warning in data["warnings"]] == [True]


def test_a_new_name(project: Project) -> None:
    """A renamed token gets its next generation under the new name; the old one works until its overlap has passed."""
    kept = {"overlap": "1h"}
    project.write(spec({"old": entry("out/ci", rotation=kept)}))
    project.apply()
    secret = project.secret("out/ci")
    project.write(spec({"new": entry("out/ci", previously=["old"], rotation=kept)}, prune=["*"]))

    assert done(project.apply()) == [("replace", "new.g2", "spec")]
    assert names(project.sandbox) == ["new.g2", "old"]
    assert project.sandbox.authenticates(secret)
    assert "name=new.g2 " in project.record("out/ci")
    project.sandbox.advance(2 * HOUR)

    assert done(project.apply()) == [("revoke", "old", "time")]
    assert names(project.sandbox) == ["new.g2"]
    assert project.sandbox.authenticates(project.secret("out/ci"))
    project.converge()


def test_a_new_name_at_once(project: Project) -> None:
    """With an overlap of 0 the generation under the old name goes in the same run, at the price that was told."""
    project.write(spec({"old": entry("out/ci")}))
    project.apply()
    project.write(spec({"new": entry("out/ci", previously=["old"])}))
    told = project.plan()["requests"]
    project.sandbox.clear_requests()

    applied = project.apply()

    assert done(applied) == [("replace", "new.g2", "spec"), ("revoke", "old", "spec")]
    assert told["apply"] == 2 + 2 + len(["new", "old"]) + 1
    assert len(project.sandbox.requests()) == applied["requests"]["spent"] + told["apply"]
    assert names(project.sandbox) == ["new.g2"]
    project.converge()


def test_a_new_name_and_a_lost_secret(project: Project) -> None:
    """A destination that was added gets a copy; one look-up for each name finds the current generation."""
    project.write(spec({"old": entry("out/ci")}))
    project.apply()
    project.write(spec({"new": entry("out/ci", previously=["old"])}))
    project.apply()
    project.write(spec({"new": entry("out/ci", "out/more", previously=["old"])}))
    assert [(kind, token) for kind, token, _ in done(project.apply())] == [("redeliver", "new.g2")]
    assert project.secret("out/more") == project.secret("out/ci")


def test_a_new_name_that_ended_before(project: Project) -> None:
    """Where the next number under the new name was used before, the run goes on with a free one over both names."""
    for name in ("new.g2", "old.g5"):
        project.sandbox.delete(f"/tokens/{project.sandbox.create(name)['id']}")
    project.write(spec({"old": entry("out/ci")}))
    project.apply()
    project.write(spec({"new": entry("out/ci", previously=["old"])}))
    assert [(result["token"], result["status"]) for result in project.apply()["results"]] == [
        ("new.g6", "done"),
        ("old", "done"),
    ]
    assert names(project.sandbox) == ["new.g6"]
    project.converge()

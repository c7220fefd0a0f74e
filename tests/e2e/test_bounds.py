"""The safety bounds: a plan that goes too far is shown in full, and only what time and repair ask for is done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.e2e.held import PROOF, hold, kill, wait_for
from tests.e2e.project import entry, names, spec

if TYPE_CHECKING:
    from tests.e2e.project import Project

BOTS = [f"bot-{number}" for number in range(6)]


def _make(project: Project, *bots: str) -> None:
    for name in bots:
        project.sandbox.create(name)


def _stop_half_way(project: Project, tokens: dict[str, Any]) -> None:
    """Leaves an entry as a run leaves it that was killed before it delivered."""
    project.write(spec(tokens))
    with hold(project.sandbox, PROOF):
        running = project.start("apply")
        wait_for(project.sandbox, PROOF)
        kill(project, running)
    project.sandbox.advance(240)


def test_max_revocations(project: Project) -> None:
    """A plan that prunes too many is shown in full; apply repairs what a run left half done, and nothing else."""
    tokens = {"half": entry("half")}
    _stop_half_way(project, tokens)
    _make(project, *BOTS)
    tokens["new"] = entry("new")
    project.write(spec(tokens, prune=["bot-*"]))

    with project.unchanged():
        shown = project.plan("--detailed-exitcode", code=5)
        project.run("plan", code=5).says("Blocked by max_revocations", *BOTS, "create  new", "policy.max_revocations")
    assert shown["blocked_by"] == ["max_revocations"]
    assert (shown["summary"]["revoke"], shown["summary"]["create"]) == (7, 1)

    data = project.apply(code=5)
    status = {result["token"]: result["status"] for result in data["results"]}
    assert status == {"half.g2": "done", "half": "done", "new": "skipped", **dict.fromkeys(BOTS, "skipped")}
    assert names(project.sandbox) == [*BOTS, "half.g2"]
    assert project.sandbox.authenticates(project.secret("half"))

    project.write(spec(tokens, prune=["bot-*"], policy={"max_revocations": 6}))
    project.apply()
    assert names(project.sandbox) == ["half.g2", "new"]


def test_max_changes(project: Project) -> None:
    """A plan that replaces too many is shown in full; apply revokes what is due by the clock, and nothing else."""
    tokens = {f"ci-{number:02}": entry(f"ci-{number:02}", rotation={"overlap": "1h"}) for number in range(12)}
    project.write(spec(tokens))
    project.apply()
    tokens["ci-00"]["scopes"] = ["audit:read"]
    project.write(spec(tokens))
    project.apply()
    project.sandbox.advance(4000)
    for each in tokens.values():
        each["scopes"] = ["audit:read"]
    project.write(spec(tokens))

    with project.unchanged():
        shown = project.plan(code=5)
    assert shown["blocked_by"] == ["max_changes"]
    assert (shown["summary"]["replace"], shown["summary"]["revoke"]) == (11, 1)
    assert "11 tokens" in shown["problems"][0]["message"]

    data = project.apply(code=5)
    done = [(result["action"], result["token"]) for result in data["results"] if result["status"] == "done"]
    assert done == [("revoke", "ci-00")]
    assert names(project.sandbox) == ["ci-00.g2", *list(tokens)[1:]]
    assert all(project.sandbox.authenticates(project.secret(name)) for name in tokens)

    project.write(spec(tokens, policy={"max_changes": "100%"}))
    assert project.apply()["summary"]["replace"] == 11


def test_protected(project: Project) -> None:
    """A protected entry's scopes do not change, and apply says so with 5; what it lacks otherwise is still done."""
    project.write(spec({"boss": entry("boss", protected=True), "ci": entry("ci")}))
    project.apply()
    project.write(
        spec({"boss": entry("boss", "copy", protected=True, scopes=["audit:read"]), "ci": entry("ci"), "b": entry("b")})
    )
    shown = project.plan(code=5)
    assert shown["blocked_by"] == ["protected"]

    data = project.apply(code=5)

    done = [(result["action"], result["token"]) for result in data["results"] if result["status"] == "done"]
    assert done == [("create", "b"), ("redeliver", "boss")]
    assert data["problems"][0]["entry"] == "boss"
    assert "protected: true" in data["problems"][0]["message"]
    assert names(project.sandbox) == ["b", "boss", "ci"]
    assert project.secret("copy") == project.secret("boss")
    with project.unchanged():
        project.apply(code=5)


def test_the_unmanaged_are_never_touched(project: Project) -> None:
    """What neither an entry, nor absent, nor prune names is counted and left alone."""
    _make(project, "ci", "CI-2", "xci", "ci2", "other.g2", "ci-lease.e-1-1-a")
    project.sandbox.advance(300)
    project.write(spec({"mine": entry("mine")}, absent=["gone"], prune=["ci-*"]))
    data = project.apply()
    assert data["summary"]["unmanaged"] == 6
    assert data["summary"]["revoke"] == 0
    assert len(names(project.sandbox)) == 7


def test_absent(project: Project) -> None:
    """Every generation of a name in absent is revoked, and nothing else that looks like it."""
    _make(project, "old", "old.g2", "old.g3x", "older", "a", "b", "c", "d")
    project.write(spec({}, absent=["old"], policy={"max_revocations": 2}))
    project.apply()
    assert names(project.sandbox) == ["a", "b", "c", "d", "old.g3x", "older"]

"""A token whose secret a destination still holds is not removed, even if its name is absent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.e2e.project import entry, spec

if TYPE_CHECKING:
    from tests.e2e.project import Project


def test_absent_waits_for_the_place_to_be_served(project: Project) -> None:
    """The old token stays while the entry that takes its file over cannot be made, and goes once it was."""
    project.write(spec({"old": entry("shared")}))
    project.run("apply")
    old = project.secret("shared")
    new = {**entry("shared"), "deliver": [{"file": {"path": "shared", "takeover": True}}]}
    project.write(spec({"new": new}, absent=["old"]))
    project.sandbox.set_faults([{"method": "POST", "path": "/v1/tokens", "do": "500_before"}])
    project.run("apply", code=None)
    assert project.secret("shared") == old
    assert project.sandbox.authenticates(old)
    project.sandbox.set_faults([])
    project.sandbox.advance(240)
    project.run("apply")
    assert project.secret("shared") != old
    assert project.sandbox.authenticates(project.secret("shared"))
    assert [token["name"] for token in project.sandbox.active_tokens()] == ["new"]


def test_absent_beside_a_blocked_entry(project: Project) -> None:
    """Without a takeover the entry is blocked, and the old token that its file holds stays alive, as a failure."""
    project.write(spec({"old": entry("shared")}))
    project.run("apply")
    project.write(spec({"new": entry("shared")}, absent=["old"]))
    ended = project.run("apply", "--format", "json", code=5)
    assert [(result["status"], "still holds" in result["error"]) for result in ended.data["results"]] == [
        ("failed", True)
    ]
    assert project.sandbox.authenticates(project.secret("shared"))

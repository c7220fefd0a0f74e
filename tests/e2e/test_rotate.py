"""``rotate`` and ``--only``: a part of what the spec asks for, now."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.project import entry, names, spec

if TYPE_CHECKING:
    from tests.e2e.project import Project

BOTH = {"ci": entry("out/ci"), "bot": entry("out/bot")}
DAY = 86400


def done(data: object) -> list[tuple[str, str]]:
    assert isinstance(data, dict)
    return [(result["action"], result["token"]) for result in data["results"] if result["status"] == "done"]


@pytest.fixture
def served(project: Project) -> Project:
    """A project whose two entries are delivered."""
    project.write(spec(BOTH))
    project.apply()
    return project


def test_a_leaked_token(served: Project) -> None:
    """The entry named gets a new token, delivered and proven, and then the old one is revoked; no other is touched."""
    leaked, other = served.secret("out/ci"), served.secret("out/bot")
    data = served.run("rotate", "ci", "--overlap", "0", "--format", "json").data
    assert done(data) == [("replace", "ci.g2"), ("revoke", "ci")]
    assert served.secret("out/bot") == other
    assert not served.sandbox.authenticates(leaked)
    assert served.sandbox.authenticates(served.secret("out/ci"))
    served.converge()


def test_the_overlap_of_the_spec_holds(served: Project) -> None:
    """Without --overlap the old secret lives on for as long as the spec says."""
    served.write(spec({"ci": entry("out/ci", rotation={"overlap": "24h"}), "bot": entry("out/bot")}))
    old = served.secret("out/ci")
    assert done(served.run("rotate", "ci", "--format", "json").data) == [("replace", "ci.g2")]
    assert served.sandbox.authenticates(old)


def test_in_place_by_hand(served: Project) -> None:
    """--strategy in_place gives the same token a new secret."""
    old, ids = served.secret("out/ci"), [token["id"] for token in served.sandbox.active_tokens()]
    data = served.run("rotate", "ci", "--strategy", "in_place", "--format", "json").data
    assert done(data) == [("rotate", "ci")]
    assert [token["id"] for token in served.sandbox.active_tokens()] == ids
    assert not served.sandbox.authenticates(old)
    assert served.sandbox.authenticates(served.secret("out/ci"))
    served.converge()


def test_what_is_due(served: Project) -> None:
    """Without a name only what is due is done; what the spec asks for beyond that, absent and prune wait for apply."""
    served.sandbox.create("old-bot")
    later = {"ci": entry("out/ci", scopes=["audit:read"]), "bot": entry("out/bot"), "new": entry("out/new")}
    served.write(spec(later, absent=["old-bot"]))
    assert done(served.run("rotate", "--format", "json").data) == []
    served.sandbox.advance(80 * DAY)
    data = served.run("rotate", "--format", "json").data
    assert sorted(done(data))[:2] == [("replace", "bot.g2"), ("replace", "ci.g2")]
    (renewed,) = [token for token in served.sandbox.active_tokens() if token["name"] == "ci.g2"]
    assert renewed["scopes"] == ["tokens:read"]
    assert "old-bot" in names(served.sandbox)
    assert ("create", "new") in done(served.apply())


def test_only_some(served: Project) -> None:
    """--only narrows plan and apply to the entries named; absent and prune are left alone."""
    served.sandbox.create("old-bot")
    both = {name: entry(f"out/{name}", scopes=["audit:read"]) for name in BOTH}
    served.write(spec(both, absent=["old-bot"]))
    planned = served.run("plan", "--only", "ci", "--format", "json").data
    assert [action["token"] for action in planned["actions"]] == ["ci.g2", "ci"]
    applied = served.run("apply", "--only", "ci", "--format", "json").data
    assert done(applied) == [("replace", "ci.g2"), ("revoke", "ci")]
    assert names(served.sandbox) == ["bot", "ci.g2", "old-bot"]


def test_a_saved_plan_of_some(served: Project) -> None:
    """A plan that was narrowed and saved is applied as narrow as it was; another width than it has is refused."""
    served.write(spec({name: entry(f"out/{name}", scopes=["audit:read"]) for name in BOTH}))
    served.run("plan", "--only", "ci", "--out", "plan.json")
    with served.unchanged():
        served.run("apply", "plan.json", "--only", "bot", code=2).says("was not made with this --only")
    assert done(served.run("apply", "plan.json", "--format", "json").data) == [("replace", "ci.g2"), ("revoke", "ci")]
    assert names(served.sandbox) == ["bot", "ci.g2"]


@pytest.mark.parametrize("arguments", [("rotate", "cii"), ("plan", "--only", "cii"), ("apply", "--only", "cii")])
def test_an_unknown_name(served: Project, arguments: tuple[str, ...]) -> None:
    """A name that the spec does not declare is wrong usage, the nearest one is told, and nothing is asked."""
    with served.unchanged():
        ended = served.run(*arguments, code=2)
    ended.says("declares no token 'cii'", "Perhaps you meant 'ci'?")


def test_a_watched_entry(served: Project) -> None:
    """An entry without a destination cannot be rotated: its secret would be lost."""
    served.write(spec({"ci": {"scopes": ["tokens:read"]}}))
    with served.unchanged():
        served.run("rotate", "ci", code=2).says("'ci' is only watched")


@pytest.mark.parametrize("overlap", ["soon", "-1h", "1"])
def test_an_overlap_that_is_none(served: Project, overlap: str) -> None:
    """An overlap is a duration or 0."""
    served.run("rotate", "ci", f"--overlap={overlap}", code=2).says("is no duration")

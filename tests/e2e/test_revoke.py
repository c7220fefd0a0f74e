"""``revoke NAME…``: for the day a token leaks. It tells what breaks, and touches nothing that is not named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.answering import answering
from tests.e2e.project import entry, names, spec

if TYPE_CHECKING:
    from tests.e2e.project import Project

LASTING: Any = {"expires_in": "90d", "rotation": {"overlap": "24h"}}
TOKENS = {"ci": entry("out/ci", **LASTING), "bot": entry("out/bot", protected=True)}


@pytest.fixture
def served(project: Project) -> Project:
    """A project with two generations of one entry, another entry, and a token that nobody declares."""
    project.write(spec(TOKENS))
    project.apply()
    project.run("rotate", "ci", "--yes")
    project.sandbox.create("by-hand")
    assert names(project.sandbox) == ["bot", "by-hand", "ci", "ci.g2"]
    return project


def test_an_entry(served: Project) -> None:
    """The name of an entry means all of its active generations; what held them is told, and apply makes a new one."""
    ended = served.run("revoke", "ci", "--yes")
    ended.says("'file out/ci' holds 'ci.g2'", "rotate ci --overlap 0", "next apply makes")
    assert names(served.sandbox) == ["bot", "by-hand"]
    served.apply()
    assert served.sandbox.authenticates(served.secret("out/ci"))
    served.converge()


@pytest.mark.parametrize(
    ("name", "left"),
    [
        ("ci.g2", ["bot", "by-hand", "ci"]),
        ("ci.g1", ["bot", "by-hand", "ci.g2"]),
        ("by-hand", ["bot", "ci", "ci.g2"]),
        ("bot", ["by-hand", "ci", "ci.g2"]),
    ],
)
def test_one_token(served: Project, name: str, left: list[str]) -> None:
    """The exact name of a token means that token alone, whoever declares it."""
    data = served.run("revoke", name, "--yes", "--format", "json").data
    assert [result["status"] for result in data["results"]] == ["done"]
    assert names(served.sandbox) == left


def test_an_unknown_name(served: Project) -> None:
    """If one of the names is unknown nothing is revoked, and the nearest one is told."""
    with served.unchanged():
        served.run("revoke", "ci", "bott", "--yes", code=1).says("named 'bott'", "Perhaps you meant 'bot'?")


def test_nobody_to_ask(served: Project) -> None:
    """Without a terminal, and without --yes, nothing is revoked."""
    with served.unchanged():
        served.run("revoke", "ci", code=2).says("no terminal", "--yes")


@pytest.mark.parametrize(("answer", "left"), [("n", 4), ("y", 2)])
def test_a_person_is_asked(served: Project, answer: str, left: int) -> None:
    """At a terminal the person sees what breaks, and decides."""
    ended = answering(served, "revoke", "ci", answer=f"{answer}\n".encode(), question="Revoke them now?")
    ended.says("holds")
    assert ended.code == (1 if answer == "n" else 0)
    assert len(names(served.sandbox)) == left


def test_without_a_spec(served: Project) -> None:
    """Where there is no spec it is said what cannot be told, and a name means one token."""
    (served.folder / "tooken.yml").unlink()
    served.run("revoke", "ci", "--yes").says("There is no spec")
    assert names(served.sandbox) == ["bot", "by-hand", "ci.g2"]


def test_a_spec_that_is_asked_for_must_be_there(served: Project) -> None:
    """A spec that was named and is not there is wrong usage."""
    with served.unchanged():
        served.run("revoke", "ci", "--yes", "--spec", "missing.yml", code=2).says("missing.yml")


def test_a_revocation_that_fails(served: Project) -> None:
    """What was revoked before a failure is told as done, and the failure ends with exit code 3."""
    fault = {"do": "500_before", "status": 403, "method": "DELETE", "path": "/v1/tokens/.+", "occurrence": 3}
    served.sandbox.set_faults([fault])
    data = served.run("revoke", "ci", "--yes", "--format", "json", code=3).data
    assert [result["status"] for result in data["results"]] == ["done", "failed"]


def test_the_key_that_runs_it(served: Project) -> None:
    """A token that a record tells to be the running key is not revoked by itself."""
    wide = ["tokens:read", "tokens:write", "tokens:revoke"]
    served.write(spec({"runner": entry("out/runner", scopes=wide, **LASTING)}))
    served.run("apply", "--yes", code=None)
    served.key = served.secret("out/runner")
    with served.unchanged():
        served.run("revoke", "runner", "--yes", code=1).says("'runner' is the token that runs this command")


@pytest.mark.parametrize("name", ["by", "BY-HAND", "by-hand.g2"])
def test_a_name_is_meant_exactly(served: Project, name: str) -> None:
    """A part of a name, another case and a generation that does not live are unknown names."""
    with served.unchanged():
        served.run("revoke", name, "--yes", code=1).says(f"No entry or token is named '{name}'")


def test_a_name_of_two_tokens(served: Project) -> None:
    """NAME.g1 where a token of exactly that name lives beside the first generation is not decided by a guess."""
    served.sandbox.create("ci.g1")
    with served.unchanged():
        served.run("revoke", "ci.g1", "--yes", code=1).says("'ci.g1' may mean two tokens")


def test_what_is_revoked_already(served: Project) -> None:
    """A token that is gone already is nothing to do, and no error."""
    served.run("revoke", "by-hand", "--yes")
    with served.unchanged():
        served.run("revoke", "by-hand", "--yes").says("no active token", "nothing to revoke")

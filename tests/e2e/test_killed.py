"""A run that is killed where it stands: nothing is lost, and the next run finishes the work."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.held import CREATION, FOR_GOOD, LOOK_UP, PROOF, REVOCATION, Point, hold, kill, wait_for
from tests.e2e.project import FOUR_MINUTES, entry, names, spec

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.project import Project

TOKENS = {"ci": entry("out/ci"), "other": entry("out/other")}
CHANGED = {"ci": entry("out/ci", scopes=["audit:read"]), "other": entry("out/other")}
LATE = 1.5
"""Seconds that a request is held whose work the server still does after its client was killed."""


def _killed(project: Project, point: Point, *, late: bool = False) -> None:
    """Applies and kills it at a point; ``late``: what it asked for last is still done afterwards."""
    with hold(project.sandbox, point, seconds=LATE if late else FOR_GOOD):
        running = project.start("apply")
        wait_for(project.sandbox, point)
        kill(project, running)
        if late:
            wait_for(project.sandbox, point, done=True)


def _converges(project: Project) -> None:
    """The next apply leaves one living generation of each entry, delivered, and nothing to do."""
    data = project.apply()
    assert {result["status"] for result in data["results"]} <= {"done"}
    project.converge()
    assert len(project.sandbox.active_tokens()) == len(TOKENS)
    for name in TOKENS:
        assert project.sandbox.authenticates(project.secret(f"out/{name}"))
        record = project.record(f"out/{name}")
        recorded = [token["name"] for token in project.sandbox.active_tokens() if f"id={token['id']} " in record]
        assert [found.split(".")[0] for found in recorded] == [name]


def _busy(project: Project, entry_name: str) -> None:
    """Right after the kill the entry is busy: with no time to wait exit 1, and nothing at all is changed for it."""
    with project.unchanged():
        ended = project.run("apply", "--format", "json", "--deadline", "60s", code=1)
        assert [(problem["code"], problem["entry"]) for problem in ended.data["problems"]] == [("busy", entry_name)]
        assert {result["status"] for result in ended.data["results"]} == {"busy"}
        assert {result["entry"] for result in ended.data["results"]} == {entry_name}


@pytest.mark.parametrize(
    ("point", "late", "revoked_names"),
    [(CREATION, False, "free"), (CREATION, True, "free"), (CREATION, True, "reserved"), (PROOF, False, "reserved")],
    ids=["before the creation", "answer lost, names free", "answer lost, names reserved", "before the proof"],
)
def test_killed_while_creating(
    make_project: Callable[..., Project], point: Point, *, late: bool, revoked_names: str
) -> None:
    """Killed around the first creation, the entry is busy at first and served once its mark has aged."""
    project = make_project(revoked_names=revoked_names)
    project.write(spec({"other": TOKENS["other"]}))
    project.apply()
    project.write(spec(TOKENS))
    _killed(project, point, late=late)
    assert not (project.folder / "out/ci").exists()
    _busy(project, "ci")
    project.sandbox.advance(FOUR_MINUTES)
    _converges(project)


@pytest.mark.parametrize(
    ("point", "late"),
    [(CREATION, True), (PROOF, False)],
    ids=["creation done, its answer lost", "before the proof"],
)
def test_killed_while_replacing(project: Project, point: Point, *, late: bool) -> None:
    """Killed before the delivery, the consumer's old secret goes on working until the next run has replaced it."""
    project.write(spec(TOKENS))
    project.apply()
    old = project.secret("out/ci")
    project.write(spec(CHANGED))
    _killed(project, point, late=late)
    assert project.secret("out/ci") == old
    assert project.sandbox.authenticates(old)
    _busy(project, "ci")
    project.sandbox.advance(FOUR_MINUTES)
    _converges(project)
    assert not project.sandbox.authenticates(old)


@pytest.mark.parametrize(
    ("point", "late"),
    [(LOOK_UP, False), (REVOCATION, False), (REVOCATION, True)],
    ids=["before the look-up", "before the revocation", "revocation done, its answer lost"],
)
def test_killed_after_the_delivery(project: Project, point: Point, *, late: bool) -> None:
    """Killed once the new secret stands, the next run has only the old one to revoke, and nobody to wait for."""
    project.write(spec(TOKENS))
    project.apply()
    old = project.secret("out/ci")
    project.write(spec(CHANGED))
    _killed(project, point, late=late)
    assert project.secret("out/ci") != old
    assert project.sandbox.authenticates(project.secret("out/ci"))
    assert project.plan()["summary"]["revoke"] == (0 if late else 1)
    _converges(project)
    assert names(project.sandbox) == ["ci.g2", "other"]


def test_killed_again_and_again(project: Project) -> None:
    """However often a run is killed, no more than four generations live, and the message tells the way out."""
    project.write(spec(TOKENS))
    project.apply()
    old = project.secret("out/ci")
    project.write(spec(CHANGED))
    for _ in range(3):
        _killed(project, PROOF)
        project.sandbox.advance(FOUR_MINUTES)
    assert names(project.sandbox) == ["ci", "ci.g2", "ci.g3", "ci.g4", "other"]

    data = project.apply(code=1)

    assert [problem["code"] for problem in data["problems"]] == ["cap"]
    assert names(project.sandbox) == ["ci", "ci.g2", "ci.g3", "ci.g4", "other"]
    assert project.secret("out/ci") == old
    assert project.sandbox.authenticates(old)

    message = data["problems"][0]["message"]
    assert "'tooken-ci revoke ci.g2' or 'tooken-ci revoke ci.g3' or 'tooken-ci revoke ci.g4' would" in message
    lost = next(token for token in project.sandbox.active_tokens() if token["name"] == "ci.g3")
    project.sandbox.delete(f"/tokens/{lost['id']}")
    _converges(project)
    assert names(project.sandbox) == ["ci.g5", "other"]


@pytest.mark.parametrize("point", [CREATION, PROOF], ids=["before the creation", "before the proof"])
def test_the_next_run_waits_and_mends(project: Project, point: Point) -> None:
    """Right after a kill an apply waits, says for how long and why, and finishes the work all the same."""
    project.write(spec(TOKENS))
    project.apply()
    project.write(spec(CHANGED))
    _killed(project, point)
    ended = project.run("apply", "--format", "json", "--busy-grace", "3s")
    assert {result["status"] for result in ended.data["results"]} <= {"done"}
    ended.says("waiting ", "for 'ci': another run may be at work")
    assert "--busy-grace is 3 s" in ended.data["warnings"][0]
    project.converge()
    assert project.sandbox.authenticates(project.secret("out/ci"))


def test_nothing_counts_as_busy_if_the_user_says_so(project: Project) -> None:
    """Who knows that the other run is dead need not wait for its traces to age."""
    project.write(spec(TOKENS))
    project.apply()
    project.write(spec(CHANGED))
    _killed(project, PROOF)
    assert project.run("apply", "--busy-grace", "0").err.lower().count("waiting ") == 0
    project.converge()

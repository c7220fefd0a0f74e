"""At a terminal apply asks; without one it does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.answering import answering
from tests.e2e.project import entry, names, spec

if TYPE_CHECKING:
    from tests.e2e.project import Project

QUESTION = "Apply this plan?"
ONE = spec({"ci": entry("ci")})


@pytest.fixture
def one(project: Project) -> Project:
    """Gives a project with one entry to create."""
    project.write(ONE)
    return project


@pytest.mark.parametrize(
    ("answer", "form"),
    [(b"n\n", "text"), (b"n\n", "json"), (b"\n", "json"), (b"\x04", "json")],
    ids=["no", "no, as json", "nothing", "end of input"],
)
def test_no(still_project: Project, answer: bytes, form: str) -> None:
    """Whoever does not say yes gets exit code 1, and nothing is changed."""
    still_project.write(ONE)
    with still_project.unchanged():
        ended = answering(still_project, "apply", "--format", form, answer=answer)
    assert ended.code == 1
    ended.says(QUESTION, "nothing was changed")
    if form == "json":
        assert ended.data["error"]["code"] == "declined"
        assert ended.data["results"] == []


@pytest.mark.parametrize("form", ["text", "json"])
def test_yes(one: Project, form: str) -> None:
    """Whoever says yes has seen the plan before, and it is applied."""
    ended = answering(one, "apply", "--format", form, answer=b"y\n")
    assert ended.code == 0
    assert names(one.sandbox) == ["ci"]
    if form == "json":
        assert ended.data["results"][0]["status"] == "done"
    before = ended.err.split(QUESTION)[0]
    assert "create ci" in before
    assert "scopes  tokens:read" in before


def test_nobody_is_asked(one: Project) -> None:
    """Nobody is asked with --yes, nor for a plan, nor where there is nothing to do."""
    for arguments in (["plan"], ["apply", "--yes"], ["apply"]):
        ended = answering(one, *arguments, answer=b"n\n")
        assert ended.code == 0
        assert QUESTION not in ended.err
    assert names(one.sandbox) == ["ci"]


def test_a_saved_plan_is_not_asked_about(one: Project) -> None:
    """Nobody is asked about a saved plan, which was reviewed: it is applied, or refused."""
    one.run("plan", "--out", "tokens.plan")
    for code in (0, 1):
        ended = answering(one, "apply", "tokens.plan", answer=b"n\n")
        assert ended.code == code
        assert QUESTION not in ended.err
        assert names(one.sandbox) == ["ci"]


def test_without_a_terminal(one: Project) -> None:
    """Without a terminal apply asks nothing and needs no flag."""
    ended = one.run("apply")
    assert QUESTION not in ended.err
    assert names(one.sandbox) == ["ci"]

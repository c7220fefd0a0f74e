"""At a terminal apply asks; without one it does not."""

from __future__ import annotations

import os
import pty
import subprocess
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from tests.e2e.project import TIMEOUT, Ended, command, entry, names, spec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.project import Project

QUESTION = "Apply this plan?"
ONE = spec({"ci": entry("ci")})


def _read(terminal: int) -> Iterator[str]:
    """What the terminal shows, until the last process has left it."""
    while True:
        try:
            shown = os.read(terminal, 4096)
        except OSError:  # Linux tells the end so
            return
        if not shown:
            return
        yield shown.decode()


def _at_terminal(project: Project, *arguments: str, answer: bytes) -> Ended:
    """Runs the command with a person at the terminal, who answers as soon as the question stands there."""
    terminal, theirs = pty.openpty()
    with ExitStack() as stack:
        stack.callback(os.close, terminal)
        try:
            running = subprocess.Popen(
                [*command(), *arguments],
                cwd=project.folder,
                env=project.environment({"TERM": "dumb"}),
                stdin=theirs,
                stdout=subprocess.PIPE,
                stderr=theirs,
                text=True,
                start_new_session=True,
            )
        finally:
            os.close(theirs)
        stack.callback(running.kill)
        shown, asked = "", False
        for part in _read(terminal):
            shown += part
            if QUESTION in shown and not asked:
                asked = True
                os.write(terminal, answer)
        assert running.stdout is not None
        out = running.stdout.read()
        running.stdout.close()
        ended = Ended(code=running.wait(timeout=TIMEOUT), out=out, err=shown.replace("\r\n", "\n"))
    project.scan({"standard output": ended.out.encode(), "the terminal": ended.err.encode()})
    return ended


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
        ended = _at_terminal(still_project, "apply", "--format", form, answer=answer)
    assert ended.code == 1
    ended.says(QUESTION, "nothing was changed")
    if form == "json":
        assert ended.data["error"]["code"] == "declined"
        assert ended.data["results"] == []


@pytest.mark.parametrize("form", ["text", "json"])
def test_yes(one: Project, form: str) -> None:
    """Whoever says yes has seen the plan before, and it is applied."""
    ended = _at_terminal(one, "apply", "--format", form, answer=b"y\n")
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
        ended = _at_terminal(one, *arguments, answer=b"n\n")
        assert ended.code == 0
        assert QUESTION not in ended.err
    assert names(one.sandbox) == ["ci"]


def test_a_saved_plan_is_not_asked_about(one: Project) -> None:
    """Nobody is asked about a saved plan, which was reviewed: it is applied, or refused."""
    one.run("plan", "--out", "tokens.plan")
    for code in (0, 1):
        ended = _at_terminal(one, "apply", "tokens.plan", answer=b"n\n")
        assert ended.code == code
        assert QUESTION not in ended.err
        assert names(one.sandbox) == ["ci"]


def test_without_a_terminal(one: Project) -> None:
    """Without a terminal apply asks nothing and needs no flag."""
    ended = one.run("apply")
    assert QUESTION not in ended.err
    assert names(one.sandbox) == ["ci"]

"""A run whose deadline leaves no time ends by itself, as one does that a signal asks to end."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.e2e.held import CREATION, hold
from tests.e2e.project import spec
from tests.e2e.stopped import MANY, finished_by_the_next_run, true_report

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.project import Project


def test_a_deadline_in_the_midst(make_project: Callable[..., Project]) -> None:
    """A deadline before the reset ends an apply where it would begin to wait, as a signal does."""
    project = make_project(limit=20, window=60)
    project.write(spec(MANY))
    data = project.apply("--deadline", "25s", code=3)
    assert data["error"]["code"] == "partial"
    assert re.search(r"deadline is 25 s, and a wait of \d+ s would go past it", data["error"]["message"])
    assert len(true_report(project, data, "The run's deadline is 25 s")) == 8
    finished_by_the_next_run(project)


@pytest.mark.parametrize("command", ["plan", "apply"])
def test_a_deadline_before_any_change(make_project: Callable[..., Project], command: str) -> None:
    """A deadline before the listing is complete ends the run with exit code 1, and says what to do."""
    project = make_project(limit=5, window=60, seed=800)
    project.write(spec(MANY))
    with project.unchanged():
        ended = project.run(command, "--format", "json", env={"TOOKEN_DEADLINE": "25s"}, code=1)
    assert ended.data["error"]["code"] == "deadline"
    ended.says("deadline is 25 s", "more time with --deadline")


def test_a_deadline_that_passes(make_project: Callable[..., Project]) -> None:
    """A deadline that passes while there is work lets what is under way be finished, and begins nothing more."""
    project = make_project(latency_ms=250)
    project.write(spec(MANY))
    data = project.apply("--deadline", "2s", "--workers", "1", code=3)
    assert data["error"]["code"] == "partial"
    assert 1 <= len(true_report(project, data, "The run's deadline is 2 s, and it has passed")) < len(MANY)
    finished_by_the_next_run(project)


def test_a_deadline_bounds_what_hangs(project: Project) -> None:
    """A request that hangs past the deadline is not waited for: the run ends some seconds later and tells of it."""
    project.write(spec(MANY))
    with hold(project.sandbox, CREATION):
        data = project.apply("--deadline", "3s", "--workers", "1", code=3)
    assert data["error"]["code"] == "partial"
    assert "under way when the run had to end" in data["results"][0]["error"]
    assert {result["status"] for result in data["results"][1:]} == {"skipped"}
    project.sandbox.advance(240)
    finished_by_the_next_run(project)

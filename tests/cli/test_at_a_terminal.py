"""The whole command, slow enough to show how far it has come."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.cli.terminal import at_terminal, screen
from tests.e2e.project import entry, spec

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.project import Project


@pytest.mark.parametrize("in_ci", [False, True])
def test_a_long_plan(make_project: Callable[..., Project], *, in_ci: bool) -> None:
    """Reading 3,000 tokens shows a bar at a person's terminal and none in CI; standard output is one JSON object."""
    project = make_project(seed=3000, latency_ms=150)
    project.write(spec({"ci": entry("ci")}))
    env = {"CI": "true"} if in_ci else {}
    ended = at_terminal(project, "plan", "--format", "json", "--workers", "3", env=env)
    assert ended.code == 0
    assert json.loads(ended.out)["summary"]["unmanaged"] == 3000
    assert ("of 3000" in ended.shown) != in_ci
    assert ("\x1b" in ended.shown) != in_ci
    assert screen(ended.shown) == []


def test_a_long_apply(make_project: Callable[..., Project]) -> None:
    """Each result that is told while the bar stands is on the screen in the end, once, and the bar is not."""
    project = make_project(latency_ms=80)
    every = [f"ci-{number:02}" for number in range(12)]
    project.write(spec({name: entry(f"out/{name}") for name in every}))
    ended = at_terminal(project, "apply", "--yes", "--workers", "1")
    assert ended.code == 0
    assert "actions done" in ended.shown
    left = screen(ended.shown)
    assert [line.split()[-1] for line in left if "done" in line.split()] == every
    assert not any("actions done" in line for line in left)

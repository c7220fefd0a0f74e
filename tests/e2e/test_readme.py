"""What the README shows is what its reader sees."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.project import Project

TOP = Path(__file__).resolve().parents[2]
INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z")


def test_the_plan_that_the_readme_shows(make_project: Callable[..., Project]) -> None:
    """The plan in the README is, its dates apart, what the demo prints after its change of scopes."""
    project = make_project(seed=30)
    demo = (TOP / "examples/demo/tooken.yml").read_text(encoding="utf-8")
    project.write(demo)
    for name in ("ci-deploy", "nightly-report", "old-bot"):
        project.delivers(f"secrets/{name}")
    project.run("apply")
    project.write(demo.replace("scopes: [tokens:read]", "scopes: [tokens:read, tokens:rotate]", 1))

    printed = project.run("plan").err

    readme = (TOP / "README.md").read_text(encoding="utf-8")
    shown = readme.partition("$ tooken-ci plan\n")[2].partition("```")[0]
    assert INSTANT.sub("T", shown) == INSTANT.sub("T", printed)

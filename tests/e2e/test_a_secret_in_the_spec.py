"""A delivered secret that somebody wrote into the spec too: no run that looks at its destination shows it."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.project import entry, spec

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.project import Project

PLACES: dict[str, Callable[[str], dict[str, Any]]] = {
    "a name": lambda secret: {"tokens": {secret: entry("out/other")}},
    "a path": lambda secret: {"tokens": {"other": entry(f"out/{secret}/other")}},
    "what is absent": lambda secret: {"absent": [secret]},
    "what is pruned": lambda secret: {"prune": [f"{secret}*"]},
}


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_it_is_masked(project: Project, place: Callable[[str], dict[str, Any]]) -> None:
    """Wherever it stands, in every format, at debug level, in the summary, the report and among the annotations."""
    project.write(spec({"ci": entry("out/ci")}))
    project.run("apply")
    secret = project.secret("out/ci")
    project.sandbox.create(secret, "tokens:read")
    more = place(secret)
    project.write(spec({"ci": entry("out/ci"), **more.pop("tokens", {})}, **more))
    (project.folder / "tooken.yml").rename(project.folder.parent / "tooken.yml")  # it may show the secret
    summary = project.folder / "summary.md"
    env = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(summary)}
    for form in ("text", "markdown", "json"):
        plan = ("--debug", "plan", "--spec", "../tooken.yml", "--format", form, "--report-file", "report.json")
        ended = project.run(*plan, env=env)  # which searches all of it
        assert "***" in html.unescape(ended.err + ended.out)
        assert {"summary.md", "report.json"} < {path.name for path in project.folder.iterdir()}

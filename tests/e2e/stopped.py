"""What holds for a run that ended before all was done: its report is true, and the next one finishes the work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.e2e.project import entry, names

if TYPE_CHECKING:
    from tests.e2e.project import Project

MANY = {f"ci-{number:02}": entry(f"out/ci-{number:02}") for number in range(14)}
"""A window of 20, less 2 for others, holds the listing, the probe and 8 of them; the next one holds the rest."""


def true_report(project: Project, data: Any, reason: str) -> list[str]:
    """What the report says of each entry is so: done and delivered, or skipped and untouched. Gives who is done."""
    assert sorted(result["entry"] for result in data["results"]) == sorted(MANY)
    done = sorted(result["entry"] for result in data["results"] if result["status"] == "done")
    assert done == names(project.sandbox)
    for result in data["results"]:
        path = f"out/{result['entry']}"
        if result["entry"] in done:
            assert project.sandbox.authenticates(project.secret(path))
            assert "mark=" not in project.record(path)
        else:
            assert result["status"] == "skipped"
            assert reason in result["error"]
            assert list((project.folder / "out").glob(f"*{result['entry']}*")) == []
    assert (project.folder / "out").is_dir() or not done
    return done


def finished_by_the_next_run(project: Project) -> None:
    """In the next window an apply does the rest, and then nothing is left to do."""
    project.sandbox.advance(62)
    assert {result["status"] for result in project.apply()["results"]} == {"done"}
    project.converge()
    assert names(project.sandbox) == sorted(MANY)
    assert all(project.sandbox.authenticates(project.secret(f"out/{name}")) for name in MANY)

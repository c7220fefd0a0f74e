"""What holds for every workflow: those of this repository and those that users paste."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.support.workflow import OURS, ROOT
from tests.workflows.conftest import EXAMPLES
from tooken_ci import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OWN = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PASTED = sorted(EXAMPLES.glob("*.yml"))
EVERY = [*OWN, *PASTED]
CHANGING = {"apply", "rotate"}
WRITING = {
    "drift.yml": {"issues"},
    "plan-apply.yml": {"pull-requests"},
    "release.yml": {"attestations", "contents", "id-token", "packages"},
    "scan.yml": {"security-events"},
}
"""What a workflow may write; no other may write anything."""

every_workflow = pytest.mark.parametrize("path", EVERY, ids=lambda path: f"{path.parent.name}/{path.name}")
every_example = pytest.mark.parametrize("path", PASTED, ids=lambda path: path.name)


def _read(path: Path) -> dict[str, Any]:
    workflow: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return workflow


def _steps(workflow: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for job in workflow["jobs"].values():
        yield from job.get("steps", ())


@every_workflow
def test_nothing_is_permitted_by_default(path: Path) -> None:
    """Each job says what it may do, and how long; what may be written is listed, and no token is left in a checkout."""
    workflow = _read(path)
    assert workflow["permissions"] == {}
    written = set()
    for job in workflow["jobs"].values():
        assert job["timeout-minutes"] > 0
        assert set(job["permissions"].values()) <= {"read", "write"}
        written |= {name for name, access in job["permissions"].items() if access == "write"}
    assert written == WRITING.get(path.name, set())
    for step in _steps(workflow):
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


@every_workflow
def test_foreign_actions_are_pinned(path: Path) -> None:
    """Foreign actions are pinned by SHA with their version beside it; of ours users get the release by its tag."""
    text = path.read_text(encoding="utf-8")
    uses = [line.strip().removeprefix("- ") for line in text.splitlines() if re.match(r"\s*(- )?uses:", line)]
    ours = r"\./" if path in OWN else re.escape(f"{OURS}v{__version__}")
    pinned = re.compile(rf"uses: ({ours}|[\w.-]+/[\w./-]+@[0-9a-f]{{40}} # v\d+\.\d+\.\d+)")
    assert [line for line in uses if not pinned.fullmatch(line)] == []


def test_an_action_is_pinned_once() -> None:
    """All workflows, those of the tests as well, use the same release of an action."""
    found: dict[str, set[str]] = {}
    for path in [*EVERY, *sorted((ROOT / "tests" / "container").glob("*.yml"))]:
        for name, pin in re.findall(r"uses: ([\w.-]+/[\w.-]+)[\w./-]*@([0-9a-f]{40} # \S+)", path.read_text("utf-8")):
            found.setdefault(name, set()).add(pin)
    assert {name: pins for name, pins in found.items() if len(pins) != 1} == {}
    assert len(found) > 5


@every_workflow
def test_no_expression_in_a_script(path: Path) -> None:
    """What comes from elsewhere reaches a script as a variable, never as a part of it."""
    for step in _steps(_read(path)):
        assert "${{" not in step.get("run", "")


@every_example
def test_inputs_and_outputs_are_those_of_the_action(path: Path) -> None:
    """An example gives no input that the action lacks, and reads no output that it lacks."""
    action = _read(ROOT / "action.yml")
    workflow = _read(path)
    ours = {step.get("id"): step for step in _steps(workflow) if step.get("uses", "").startswith(OURS)}
    for step in ours.values():
        assert set(step["with"]) <= set(action["inputs"])
        assert "api-key" in step["with"] or step["with"].get("command") == "validate"
    for name, output in re.findall(r"steps\.([\w-]+)\.outputs\.([\w-]+)", path.read_text(encoding="utf-8")):
        if name in ours:
            assert output in action["outputs"]


@every_example
def test_one_changes_a_workspace_at_a_time(path: Path) -> None:
    """Jobs that change a workspace wait for each other, whatever workflow they are of, and none is cancelled."""
    workflow = _read(path)
    for job in workflow["jobs"].values():
        commands = {step["with"].get("command") for step in job["steps"] if step.get("uses", "").startswith(OURS)}
        if commands & CHANGING:
            concurrency = job.get("concurrency", workflow.get("concurrency"))
            assert concurrency["group"].startswith("tooken-production")
            assert concurrency["cancel-in-progress"] is False


def test_the_document_names_every_example() -> None:
    """The table in docs/ci.md has each example, and no other."""
    text = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
    assert set(re.findall(r"\(\.\./examples/github/([\w.-]+\.yml)\)", text)) == {path.name for path in PASTED}

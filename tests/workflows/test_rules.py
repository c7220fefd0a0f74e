"""What holds for every workflow: those of this repository and those that users paste."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.support.shop import EXAMPLES
from tests.support.workflow import OURS, ROOT
from tooken_ci import __version__
from tooken_ci.destinations.interface import Surroundings
from tooken_ci.destinations.registry import Registry
from tooken_ci.spec.load import load

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OWN = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PASTED = sorted(EXAMPLES.glob("*.yml"))
EVERY = [*OWN, *PASTED]
CHANGING = {"apply", "rotate"}
READS = {"contents": "read"}
PERMITTED = {
    "drift.yml/drift": {**READS, "issues": "write"},
    "plan-apply.yml/approve": {},
    "plan-apply.yml/preview": {**READS, "pull-requests": "write"},
    "release.yml/build": {**READS, "attestations": "write", "id-token": "write", "packages": "write"},
    "release.yml/publish": {"contents": "write"},
    "scan.yml/codeql": {**READS, "actions": "read", "security-events": "write"},
}
"""What a job may do; any other may read the repository, and nothing else."""

GROUPS = {
    "deploy.yml": "deploy-production",
    "fleet.yml": "tooken-${{ github.event_name == 'pull_request' && github.ref || 'apply' }}/${{ matrix.workspace }}",
    "leak.yml": "tooken-leak/${{ inputs.name }}",
    "plan-apply.yml": "tooken-production",
    "rotate.yml": "tooken-production",
}
"""Where the jobs of an example that change a workspace wait; no other example has such jobs."""

REPLACEABLE = {"plan-apply.yml", "rotate.yml"}
"""What a later job of another workflow makes good."""

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
    """Each job says how long it may run and what it may do, which is as listed; no token is left in a checkout."""
    workflow = _read(path)
    assert workflow["permissions"] == {}
    for name, job in workflow["jobs"].items():
        assert job["timeout-minutes"] > 0
        assert job["permissions"] == PERMITTED.get(f"{path.name}/{name}", READS)
    for step in _steps(workflow):
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


def test_every_exception_is_of_a_job() -> None:
    """What is listed as an exception is there."""
    jobs = {f"{path.name}/{name}" for path in EVERY for name in _read(path)["jobs"]}
    assert set(PERMITTED) <= jobs


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
    """Jobs that change a workspace wait in the group that is listed for them, and none that has begun is cancelled."""
    workflow = _read(path)
    changing = [job for job in workflow["jobs"].values() if _changes(job)]
    groups = [job.get("concurrency", workflow.get("concurrency")) for job in changing]
    wanted = [{"group": GROUPS[path.name], "cancel-in-progress": False}] if path.name in GROUPS else []
    assert groups == wanted


def _changes(job: dict[str, Any]) -> bool:
    """Whether a step changes a workspace; a command that is an expression may be any that stands in it."""
    ours = [step["with"] for step in job["steps"] if step.get("uses", "").startswith(OURS)]
    return any(set(re.findall(r"\w+", given.get("command", ""))) & CHANGING for given in ours)


def test_who_shares_a_group() -> None:
    """A job whose work no other run does waits in a group of its workflow's own: GitHub cancels one that waits."""
    for name, group in GROUPS.items():
        sharing = {other for other, its in GROUPS.items() if its == group}
        assert sharing == {name} or sharing <= REPLACEABLE


@every_example
def test_an_approval_holds_no_group(path: Path) -> None:
    """The job that waits for reviewers has no secret and no group, nor has its workflow; apply needs it."""
    workflow = _read(path)
    waiting = [name for name, job in workflow["jobs"].items() if job.get("environment") == "approval"]
    assert bool(waiting) == (path.name == "plan-apply.yml")
    for name in waiting:
        assert "concurrency" not in workflow
        assert "concurrency" not in workflow["jobs"][name]
        assert "secrets." not in str(workflow["jobs"][name])
        assert [other for other, job in workflow["jobs"].items() if _changes(job)] == ["apply"]
        assert workflow["jobs"]["apply"]["needs"] == name
        assert workflow["jobs"]["apply"]["environment"] != "approval"


@every_example
def test_the_head_names_what_it_takes(path: Path) -> None:
    """Each secret and each variable of an example stands in the comment at its head."""
    text = path.read_text(encoding="utf-8")
    head = "\n".join(itertools.takewhile(lambda line: line.startswith("#"), text.splitlines()))
    taken = set(re.findall(r"\b(?:secrets|vars)\.(\w+)", text))
    assert taken
    assert taken - set(re.findall(r"\w+", head)) == set()


@every_example
def test_an_example_knows_its_name(path: Path) -> None:
    """A filter of paths that names a workflow names the one that it stands in, under the file's own name."""
    events: Any = dict[Any, Any](_read(path))[True]  # YAML reads 'on' as true
    paths = [one for event in events.values() if isinstance(event, dict) for one in event.get("paths", ())]
    assert {one for one in paths if one.startswith(".github/")} <= {f".github/workflows/{path.name}"}


def test_the_spec_of_the_examples_is_clean() -> None:
    """The spec that the examples go with has no fault, and nothing about it is worth a warning."""
    assert load([str(EXAMPLES / "spec")], kinds=Registry(Surroundings()).kinds).warnings == ()


def test_the_document_names_every_example() -> None:
    """The table in docs/ci.md has each example, and no other."""
    text = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
    assert set(re.findall(r"\(\.\./examples/github/([\w.-]+\.yml)\)", text)) == {path.name for path in PASTED}

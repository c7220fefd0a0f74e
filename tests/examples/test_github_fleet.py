"""examples/github/fleet.yml: its list is made by its own steps, and each row is run as the action would be."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

import entrypoint
from tests.e2e.project import Project
from tests.examples.fleets import NUMBER, Fleet, running
from tests.support.expressions import filled, holds
from tests.support.runner import values

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.support.sandbox import RunningSandbox

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "github" / "fleet.yml"
WORKFLOW: Any = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))
JOBS: Any = WORKFLOW["jobs"]


@pytest.fixture(scope="module")
def workspaces() -> Iterator[list[RunningSandbox]]:
    """Gives twenty workspaces."""
    with running(NUMBER) as sandboxes:
        yield sandboxes


def event(name: str, *, part: str = "", **payload: Any) -> dict[str, Any]:
    """What expressions know of the event that started a run."""
    github = {"event_name": name, "ref": "refs/heads/main", "repository": "acme/tokens", "event": payload}
    return {"github": github, "inputs": {"part": part}, "status": {"success": True}}


def night(number: int) -> dict[str, Any]:
    return event("schedule", schedule=WORKFLOW[True]["schedule"][number]["cron"])  # YAML reads 'on' as true


def listed(fleet: Fleet, started_by: Mapping[str, Any]) -> Any:
    """What the job 'list' hands on: its step is run as it stands, with what the event gives in its variables."""
    step = next(step for step in JOBS["list"]["steps"] if step.get("id") == "list")
    output = fleet.repository.folder.parent / "output"
    output.unlink(missing_ok=True)
    given = {name: filled(value, started_by) for name, value in step["env"].items()}
    github = {"GITHUB_ACTIONS": "true", "CI": "true", "GITHUB_OUTPUT": str(output)}
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
    environment = {**_path(), **github, **given}
    ended = subprocess.run(command, cwd=fleet.repository.folder, env=environment, capture_output=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert JOBS["list"]["outputs"] == {"matrix": "${{ steps.list.outputs.matrix }}"}
    return json.loads(values(output.read_text(encoding="utf-8"))["matrix"])


def _path() -> dict[str, str]:
    """Where the command is found, as the step 'Install' would have installed it."""
    kept = {name: value for name, value in os.environ.items() if name.startswith("COV")}
    return {**kept, "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])}


def job(fleet: Fleet, row: Mapping[str, str], started_by: Mapping[str, Any]) -> tuple[list[str], dict[str, str]]:
    """What the action makes of the example's inputs for one row, with the secret of the environment that it names."""
    step = next(step for step in JOBS["workspace"]["steps"] if "tooken-ci@" in step["uses"])
    command, _, name = filled(JOBS["workspace"]["environment"], {**started_by, "matrix": row}).partition("/")
    sandbox = fleet.sandboxes[name]
    key = sandbox.api_key if command == "apply" else sandbox.create(f"reader-{fleet.out.parent.name}")["token"]
    known = {**started_by, "matrix": row, "secrets": {"TOOKEN_API_KEY": key}}
    inputs = {f"INPUT_{name.upper()}": filled(value, known) for name, value in step["with"].items()}
    github = {"GITHUB_ACTIONS": "true", "CI": "true", "TOOKEN_API_URL": sandbox.url}
    return entrypoint.translate({**_path(), **github, **inputs})


def test_a_fleet_is_applied_by_its_jobs(tmp_path: Path, workspaces: list[RunningSandbox]) -> None:
    """The night's two parts are all twenty, and their jobs serve every workspace, each with its own key alone."""
    fleet = Fleet(tmp_path / "work", workspaces)
    parts = [listed(fleet, night(number))["include"] for number in (0, 1)]
    assert [len(part) for part in parts] == [NUMBER // 2, NUMBER // 2]
    for row in (row for part in parts for row in part):
        arguments, environment = job(fleet, row, night(0))
        assert arguments == ["apply"]
        project = Project(fleet.repository.folder, fleet.sandboxes[row["workspace"]])
        project.delivers(fleet.out / row["workspace"])
        ended = project.run(*arguments, env=environment)
        ended.says(f"Workspace '{row['workspace']}': 1 to create")
    assert fleet.served() == sorted(fleet.sandboxes)
    for name, sandbox in fleet.sandboxes.items():
        assert {request["status"] for request in sandbox.requests()} <= {200, 201, 400, 403, 404}, name

    # an environment that was given the key of another workspace, once something has been delivered
    other = fleet.sandboxes["team-01"]
    arguments, environment = job(fleet, parts[0][0], night(0))
    environment |= {"TOOKEN_API_KEY": other.api_key, "TOOKEN_API_URL": other.url}
    Project(fleet.repository.folder, other).run(*arguments, env=environment, code=5)
    assert fleet.served() == sorted(fleet.sandboxes)


def test_a_pull_request_plans_what_it_changes(tmp_path: Path, workspaces: list[RunningSandbox]) -> None:
    """Two changed specs of twenty make two jobs, which plan with a key that only reads; the merge lists both too."""
    fleet = Fleet(tmp_path / "work", workspaces)
    for name in ("team-03.yml", "group-4/team-04/tooken.yml"):
        path = fleet.repository.folder / "workspaces" / name
        path.write_text(path.read_text(encoding="utf-8").replace("90d", "80d"), encoding="utf-8")
    before, after = fleet.repository.first, fleet.repository.commit()
    pull = event("pull_request", pull_request={"base": {"sha": before}})
    rows = listed(fleet, pull)["include"]
    assert [row["workspace"] for row in rows] == ["team-03", "team-04"]
    arguments, environment = job(fleet, rows[0], pull)
    assert arguments == ["plan"]
    project = Project(fleet.repository.folder, fleet.sandboxes["team-03"])
    with project.unchanged():
        project.run(*arguments, env=environment, code=None).says("Workspace 'team-03': 1 to")
    assert listed(fleet, event("push", before=before))["include"] == rows
    assert listed(fleet, event("push", before=after)) == {"include": []}
    assert len(listed(fleet, event("push", before="0" * 40))["include"]) == NUMBER


def test_a_spec_that_is_not_valid_fails_the_list(tmp_path: Path, workspaces: list[RunningSandbox]) -> None:
    """The step fails, and hands on nothing, so that no job is started."""
    fleet = Fleet(tmp_path / "work", workspaces)
    (fleet.repository.folder / "workspaces" / "broken.yml").write_text("tokens: [\n", encoding="utf-8")
    with pytest.raises(AssertionError, match=r"broken\.yml:2:1"):
        listed(fleet, night(0))
    assert not (tmp_path / "output").exists()


@pytest.mark.parametrize(
    ("started_by", "part"),
    [(night(0), "1/2"), (night(1), "2/2"), (event("push"), "1/1"), (event("workflow_dispatch", part="2/3"), "2/3")],
)
def test_the_part_that_each_event_takes(started_by: dict[str, Any], part: str) -> None:
    """The night's schedules take a half each, a merge takes all that it changed, and a person whatever they ask for."""
    (given,) = [step["env"]["PART"] for step in JOBS["list"]["steps"] if step.get("id") == "list"]
    assert filled(given, started_by) == part
    assert len(WORKFLOW[True]["schedule"]) == 2


@pytest.mark.parametrize(
    ("started_by", "runs"),
    [
        (night(0), True),
        (event("pull_request", pull_request={"head": {"repo": {"full_name": "acme/tokens"}}}), True),
        (event("pull_request", pull_request={"head": {"repo": {"full_name": "stranger/tokens"}}}), False),
    ],
)
def test_which_jobs_are_started(started_by: dict[str, Any], runs: bool) -> None:  # noqa: FBT001  # a parameter of the test
    """None for the pull request of a fork, which gets no secrets, and none where the list is empty."""
    some = "fromJSON(needs.list.outputs.matrix).include[0] != null"  # what 'expressions' does not read
    condition = JOBS["workspace"]["if"]
    assert condition.startswith(f"{some} &&")
    assert holds(condition.replace(some, "true"), started_by) is runs


def test_one_run_a_workspace() -> None:
    """Whatever applies to a workspace waits for the run before; a plan waits for that of the same pull request."""
    group = JOBS["workspace"]["concurrency"]["group"]
    row = {"matrix": {"workspace": "eu"}}
    assert {filled(group, {**started, **row}) for started in (night(0), night(1), event("push"))} == {"tooken-apply/eu"}
    assert filled(group, {**event("pull_request"), **row}) == "tooken-refs/heads/main/eu"

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


def listed(fleet: Fleet, since: str, part: str = "1/1") -> Any:
    """What the job 'list' hands on: its step is run as it stands, with what the event gives in its variables."""
    step = next(step for step in JOBS["list"]["steps"] if step.get("id") == "list")
    assert set(step["env"]) == {"SINCE", "PART"}
    output = fleet.repository.folder.parent / "output"
    output.unlink(missing_ok=True)
    github = {"GITHUB_ACTIONS": "true", "CI": "true", "GITHUB_OUTPUT": str(output), "SINCE": since, "PART": part}
    environment = {**_path(), **github}
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
    ended = subprocess.run(command, cwd=fleet.repository.folder, env=environment, capture_output=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert JOBS["list"]["outputs"] == {"matrix": "${{ steps.list.outputs.matrix }}"}
    return json.loads(values(output.read_text(encoding="utf-8"))["matrix"])


def _path() -> dict[str, str]:
    """Where the command is found, as the step 'Install' would have installed it."""
    kept = {name: value for name, value in os.environ.items() if name.startswith("COV")}
    return {**kept, "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])}


def job(fleet: Fleet, row: Mapping[str, str], event: str) -> tuple[list[str], dict[str, str]]:
    """What the action makes of the example's inputs for one row, whose expressions are put in by hand."""
    step = next(step for step in JOBS["workspace"]["steps"] if "tooken-ci@" in step["uses"])
    way = "github.event_name == 'pull_request' && 'plan' || 'apply'"
    assert JOBS["workspace"]["environment"] == f"${{{{ {way} }}}}/${{{{ matrix.workspace }}}}"
    sandbox = fleet.sandboxes[row["workspace"]]  # the environment of that name has the key
    known = {
        "${{ matrix.spec }}": row["spec"],
        "${{ secrets.TOOKEN_API_KEY }}": sandbox.api_key,
        f"${{{{ {way} }}}}": event,
    }
    inputs = {f"INPUT_{name.upper()}": known[value] for name, value in step["with"].items()}
    github = {"GITHUB_ACTIONS": "true", "CI": "true", "TOOKEN_API_URL": sandbox.url}
    return entrypoint.translate({**_path(), **github, **inputs})


def test_a_fleet_is_applied_by_its_jobs(tmp_path: Path, workspaces: list[RunningSandbox]) -> None:
    """The night's two parts are all twenty, and their jobs serve every workspace, each with its own key alone."""
    fleet = Fleet(tmp_path / "work", workspaces)
    parts = [listed(fleet, "", part)["include"] for part in ("1/2", "2/2")]
    assert [len(part) for part in parts] == [NUMBER // 2, NUMBER // 2]
    for row in (row for part in parts for row in part):
        arguments, environment = job(fleet, row, "apply")
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
    arguments, environment = job(fleet, parts[0][0], "apply")
    environment |= {"TOOKEN_API_KEY": other.api_key, "TOOKEN_API_URL": other.url}
    Project(fleet.repository.folder, other).run(*arguments, env=environment, code=5)
    assert fleet.served() == sorted(fleet.sandboxes)


def test_a_merge_lists_what_it_changed(tmp_path: Path, workspaces: list[RunningSandbox]) -> None:
    """A change of two of twenty specs makes two jobs; one of none makes an empty list, which the condition knows."""
    fleet = Fleet(tmp_path / "work", workspaces)
    for name in ("team-03.yml", "group-4/team-04/tooken.yml"):
        path = fleet.repository.folder / "workspaces" / name
        path.write_text(path.read_text(encoding="utf-8").replace("90d", "80d"), encoding="utf-8")
    before, after = fleet.repository.first, fleet.repository.commit()
    assert [row["workspace"] for row in listed(fleet, before)["include"]] == ["team-03", "team-04"]
    assert listed(fleet, after) == {"include": []}
    assert "fromJSON(needs.list.outputs.matrix).include[0] != null" in JOBS["workspace"]["if"]


def test_a_spec_that_is_not_valid_fails_the_list(tmp_path: Path, workspaces: list[RunningSandbox]) -> None:
    """The step fails, and hands on nothing, so that no job is started."""
    fleet = Fleet(tmp_path / "work", workspaces)
    (fleet.repository.folder / "workspaces" / "broken.yml").write_text("tokens: [\n", encoding="utf-8")
    with pytest.raises(AssertionError, match=r"broken\.yml:2:1"):
        listed(fleet, "")
    assert not (tmp_path / "output").exists()


def test_the_parts_fit_the_schedules() -> None:
    """Each cron line of the example has its part, and the parts are of as many as there are lines."""
    crons = [line["cron"] for line in WORKFLOW[True]["schedule"]]  # YAML reads 'on' as true
    part = next(step for step in JOBS["list"]["steps"] if step.get("id") == "list")["env"]["PART"]
    for number, cron in enumerate(crons, 1):
        assert f"github.event.schedule == '{cron}' && '{number}/{len(crons)}'" in part
    assert WORKFLOW[True]["workflow_dispatch"]["inputs"]["part"]["default"] == "1/1"

"""examples/gitlab/fleet.yml, run by gitlab-ci-local: the list, the child pipeline that it writes, and twenty jobs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.examples.fleets import NUMBER, SECRET, Fleet, running
from tests.examples.schemas import faults
from tests.support.needs import cannot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.sandbox import RunningSandbox

    Run = Callable[..., subprocess.CompletedProcess[str]]

pytestmark = [pytest.mark.gitlab, pytest.mark.timeout(240)]

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples" / "gitlab"
SOURCE = "tooken-ci[all] @ git+https://github.com/OWNER/tooken-ci@v0.1.0"
PROGRAM = ROOT / "build" / "npm" / "node_modules" / "gitlab-ci-local" / "src" / "index.js"


class _Gitlab(yaml.SafeLoader):
    """Reads ``!reference``, which only GitLab knows."""


_Gitlab.add_constructor("!reference", lambda loader, node: [{"if": "$CI"}])


def read(name: str) -> Any:
    return yaml.load((EXAMPLES / name).read_text(encoding="utf-8"), Loader=_Gitlab)  # noqa: S506  # a safe one and a tag


@pytest.fixture(scope="module")
def workspaces() -> Iterator[list[RunningSandbox]]:
    """Gives twenty workspaces."""
    with running(NUMBER) as sandboxes:
        yield sandboxes


@pytest.fixture
def fleet(tmp_path: Path, workspaces: list[RunningSandbox]) -> Fleet:
    """Gives a project with the example, whose variables are those of the environments alone."""
    if not PROGRAM.exists():
        cannot("gitlab-ci-local is not installed: 'make npm' installs it, and needs node")
    for tool in ("node", "git", "rsync"):
        if shutil.which(tool) is None:
            cannot(f"gitlab-ci-local needs {tool}, which is not installed")
    folder = tmp_path / "work"
    (folder / ".gitlab").mkdir(parents=True)
    shutil.copy(EXAMPLES / "fleet.yml", folder / ".gitlab-ci.yml")
    shutil.copy(EXAMPLES / "fleet-workspace.yml", folder / ".gitlab")
    fleet = Fleet(folder, workspaces)
    of_each: dict[str, dict[str, str]] = {"TOOKEN_API_KEY": {}, "TOOKEN_API_URL": {}}
    for name, sandbox in fleet.sandboxes.items():
        reader = sandbox.create(f"reader-{fleet.out.parent.name}")
        of_each["TOOKEN_API_KEY"] |= {f"apply/{name}": sandbox.api_key, f"plan/{name}": reader["token"]}
        of_each["TOOKEN_API_URL"] |= {f"*/{name}": sandbox.url}
    scoped = {name: {"type": "variable", "values": values} for name, values in of_each.items()}
    (folder / ".gitlab-ci-local-variables.yml").write_text(yaml.safe_dump(scoped), encoding="utf-8")
    return fleet


@pytest.fixture
def run(tmp_path: Path, fleet: Fleet) -> Run:
    """Gives a function that runs the pipeline, or another program; pip only sees what it is to fetch, and no key."""
    (tmp_path / "bin").mkdir()
    script = f'#!/bin/sh -e\ntest "$*" = "install --quiet {SOURCE}"\ntest -z "${{TOOKEN_API_KEY+x}}"\n'
    (tmp_path / "bin" / "pip").write_text(script, encoding="utf-8")
    (tmp_path / "bin" / "pip").chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if name.startswith("COV")}
    path = os.pathsep.join([str(tmp_path / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**kept, "PATH": path, "HOME": str(tmp_path), "LANG": "C.UTF-8"}

    def run(*program: str, **variables: str) -> subprocess.CompletedProcess[str]:
        options = [part for name, value in variables.items() for part in ("--variable", f"{name}={value}")]
        return subprocess.run(
            program or ["node", PROGRAM, "--shell-isolation", "--force-shell-executor", *options],
            cwd=fleet.repository.folder,
            env={**environment, **variables} if program else environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    return run


def child(fleet: Fleet, at: str = ".gitlab-ci-local/artifacts/list/fleet-pipeline.yml") -> dict[str, Any]:
    """The pipeline that the list has written, which follows GitLab's schema."""
    written: dict[str, Any] = yaml.safe_load((fleet.repository.folder / at).read_text(encoding="utf-8"))
    assert faults("gitlab-ci", written) == []
    return written


def test_a_fleet_is_applied_by_its_jobs(run: Run, fleet: Fleet) -> None:
    """On a schedule all twenty are served, each by a job of its own, with the key of its environment alone."""
    ended = run(CI_COMMIT_BEFORE_SHA="0" * 40)
    assert ended.returncode == 0, ended.stdout
    assert fleet.served() == sorted(fleet.sandboxes)
    assert not SECRET.search(ended.stdout)
    jobs = child(fleet)
    parts = [jobs[f"part {number}"]["parallel"]["matrix"] for number in (1, 2, 3)]
    assert [row["WORKSPACE"] for part in parts for row in part] == sorted(fleet.sandboxes)
    assert "nothing changed" not in jobs


def test_a_merge_request_plans_what_it_changes(run: Run, fleet: Fleet) -> None:
    """One spec of twenty differs from where the branch began, so one job plans it, and nothing is made."""
    spec = fleet.repository.folder / "workspaces" / "team-03.yml"
    spec.write_text(spec.read_text(encoding="utf-8").replace("90d", "80d"), encoding="utf-8")
    base = fleet.repository.first
    fleet.repository.commit()
    sandbox = fleet.sandboxes["team-03"]
    before = [token["name"] for token in sandbox.tokens()]
    ended = run(CI_PIPELINE_SOURCE="merge_request_event", CI_MERGE_REQUEST_DIFF_BASE_SHA=base)
    assert ended.returncode == 0, ended.stdout
    assert "Workspace 'team-03': 1 to" in ended.stdout
    assert [token["name"] for token in sandbox.tokens()] == before
    jobs = child(fleet)
    (part,) = [job for name, job in jobs.items() if name.startswith("part ")]
    assert part["parallel"]["matrix"] == [{"WORKSPACE": "team-03", "TOOKEN_SPEC": "workspaces/team-03.yml"}]
    assert jobs["variables"] == {"COMMAND": "plan"}


def listed(run: Run, fleet: Fleet, before: str) -> subprocess.CompletedProcess[str]:
    """Runs the script of the list alone, as GitLab's runner has bash run it."""
    script = read("fleet.yml")["list"]["script"]
    given = {"COMMAND": "apply", "TOOKEN_CI": SOURCE, "CI_COMMIT_BEFORE_SHA": before}
    return run("bash", "-eo", "pipefail", "-c", "\n".join(script), **given)


def test_a_merge_that_changes_no_spec(run: Run, fleet: Fleet) -> None:
    """GitLab fails a pipeline without jobs, so there is one that does nothing."""
    ended = listed(run, fleet, fleet.repository.git("rev-parse", "HEAD"))
    assert ended.returncode == 0, ended.stdout
    written = child(fleet, at="fleet-pipeline.yml")
    assert [name for name in written if not name.startswith(".")] == ["variables", "nothing changed"]
    assert written[".idle"]["script"]


def test_a_spec_that_is_not_valid(run: Run, fleet: Fleet) -> None:
    """The list fails, so that no pipeline is started."""
    (fleet.repository.folder / "workspaces" / "broken.yml").write_text("tokens: [\n", encoding="utf-8")
    ended = listed(run, fleet, "0" * 40)
    assert ended.returncode == 2
    assert "workspaces/broken.yml:2:1" in ended.stdout


@pytest.mark.parametrize("name", ["fleet.yml", "fleet-workspace.yml"])
def test_the_files_follow_the_schema_of_gitlab(name: str) -> None:
    """What GitLab publishes for editors finds nothing wrong."""
    assert faults("gitlab-ci", read(name)) == []

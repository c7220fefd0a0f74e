"""examples/gitlab/fleet.yml, run by gitlab-ci-local: the list, the child pipeline that it writes, and twenty jobs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.examples.fleets import NUMBER, SECRET, Fleet
from tests.support.needs import cannot
from tests.support.sandboxes import sandboxes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.sandbox import RunningSandbox

    Run = Callable[..., subprocess.CompletedProcess[str]]

pytestmark = [pytest.mark.gitlab, pytest.mark.timeout(120)]

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples" / "gitlab"
PROGRAM = ROOT / "build" / "npm" / "node_modules" / "gitlab-ci-local" / "src" / "index.js"


@pytest.fixture(scope="module")
def workspaces() -> Iterator[list[RunningSandbox]]:
    """Gives twenty workspaces."""
    with sandboxes(NUMBER) as running:
        yield [*running]


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
    of_each = {
        "TOOKEN_API_KEY": {name: sandbox.api_key for name, sandbox in fleet.sandboxes.items()},
        "TOOKEN_API_URL": {name: sandbox.url for name, sandbox in fleet.sandboxes.items()},
    }
    scoped = {name: {"type": "variable", "values": values} for name, values in of_each.items()}
    (folder / ".gitlab-ci-local-variables.yml").write_text(yaml.safe_dump(scoped), encoding="utf-8")
    return fleet


@pytest.fixture
def run(tmp_path: Path, fleet: Fleet) -> Run:
    """Gives a function that runs the pipeline; pip, which would fetch the command, finds it there."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "pip").write_text("#!/bin/sh\n", encoding="utf-8")
    (tmp_path / "bin" / "pip").chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if name.startswith("COV")}
    path = os.pathsep.join([str(tmp_path / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**kept, "PATH": path, "HOME": str(tmp_path), "LANG": "C.UTF-8"}

    def run(**variables: str) -> subprocess.CompletedProcess[str]:
        options = [part for name, value in variables.items() for part in ("--variable", f"{name}={value}")]
        return subprocess.run(
            ["node", PROGRAM, "--shell-isolation", "--force-shell-executor", *options],
            cwd=fleet.repository.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    return run


def child(fleet: Fleet) -> dict[str, object]:
    """The pipeline that the list has written."""
    path = fleet.repository.folder / ".gitlab-ci-local" / "artifacts" / "list" / "fleet-pipeline.yml"
    written: dict[str, object] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return written


def test_a_fleet_is_applied_by_its_jobs(run: Run, fleet: Fleet) -> None:
    """On a schedule all twenty are served, each by a job of its own, with the key of its environment alone."""
    ended = run(CI_COMMIT_BEFORE_SHA="0" * 40)
    assert ended.returncode == 0, ended.stdout
    assert fleet.served() == sorted(fleet.sandboxes)
    assert not SECRET.search(ended.stdout)

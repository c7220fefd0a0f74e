"""Jobs of a GitLab project, run by gitlab-ci-local: a lease that ends with its job, and a delivery by a program."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.needs import cannot

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.sandbox import RunningSandbox

pytestmark = [pytest.mark.gitlab, pytest.mark.timeout(120)]

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PROGRAM = ROOT / "build" / "npm" / "node_modules" / "gitlab-ci-local" / "src" / "index.js"
FILES = {
    HERE / "gitlab-ci.yml": ".gitlab-ci.yml",
    HERE / "tooken.yml": "tooken.yml",
    HERE.parent / "container" / "exec-spec.yml": "delivered.yml",
    HERE.parent / "container" / "store.sh": "tests/container/store.sh",
}


@pytest.fixture
def run(tmp_path: Path, sandbox: RunningSandbox) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Gives a function that runs a job of a small project against a workspace of its own."""
    if not PROGRAM.exists():
        cannot("gitlab-ci-local is not installed: 'make npm' installs it, and needs node")
    for tool in ("node", "git", "rsync"):
        if shutil.which(tool) is None:
            cannot(f"gitlab-ci-local needs {tool}, which is not installed")
    project = tmp_path / "project"
    for source, name in FILES.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, project / name)
    kept = {name: value for name, value in os.environ.items() if name.startswith("COV")}
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**kept, "PATH": path, "HOME": str(tmp_path), "LANG": "C.UTF-8"}
    identity = ("-c", "user.name=test", "-c", "user.email=test@example.com")
    for command in (("init", "-q"), ("add", "--all"), (*identity, "commit", "-q", "-m", "project: start")):
        subprocess.run(["git", *command], cwd=project, env=environment, check=True)

    def job(name: str, **variables: str) -> subprocess.CompletedProcess[str]:
        given = {"SANDBOX_URL": sandbox.url, "SANDBOX_KEY": sandbox.api_key, **variables}
        options = [part for key, value in given.items() for part in ("--variable", f"{key}={value}")]
        return subprocess.run(
            ["node", PROGRAM, "--shell-isolation", "--ignore-predefined-vars", "GITLAB_CI", *options, name],
            cwd=project,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    return job


@pytest.mark.parametrize("outcome", ["good", "bad"])
def test_a_lease_ends_with_its_job(
    run: Callable[..., subprocess.CompletedProcess[str]], sandbox: RunningSandbox, outcome: str
) -> None:
    """A job leases, uses the file, and gives the lease back in after_script, whether or not its script succeeds."""
    ended = run("lease", OUTCOME=outcome)
    assert ended.returncode == (0 if outcome == "good" else 1), ended.stdout
    assert "It answers 200" in ended.stdout
    (lease,) = sandbox.tokens()
    assert re.fullmatch(r"preview\.e-[0-9]+-1-[0-9]+", lease["name"])
    assert lease["status"] == "revoked", ended.stdout
    assert f"released '{lease['name']}'" in ended.stdout
    assert not re.search(r"tok_[\w-]{32,}", ended.stdout)


def test_a_delivery_by_a_program(run: Callable[..., subprocess.CompletedProcess[str]], sandbox: RunningSandbox) -> None:
    """A job delivers to a store in its folder, whose program never sees the key; then nothing is left to do."""
    ended = run("deliver")
    assert ended.returncode == 0, ended.stdout
    assert [token["name"] for token in sandbox.active_tokens()] == ["ci-deploy"]
    # the exit code of the second says that nothing is left; titles of sections are not shown here
    assert "The plan took 1 request." in ended.stdout
    assert not re.search(r"tok_[\w-]{32,}", ended.stdout)

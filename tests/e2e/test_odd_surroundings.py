"""Closed and full streams, runners that take no outputs, and files that must not be overwritten."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.e2e.project import command, entry, spec
from tests.e2e.test_lease import ephemeral, github

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.e2e.project import Project

FULL = Path("/dev/full")
LOST = [
    "2>&-",
    "2>&GONE",
    pytest.param("2>/dev/full", marks=pytest.mark.skipif(not FULL.exists(), reason="there is no /dev/full")),
]
"""What can become of standard error: it is closed, a pipe that nobody reads any longer, a file on a full disk."""


def _shell(project: Project, line: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Runs the command by a shell, which can close and turn streams as it likes; GONE is a pipe that nobody reads."""
    program = shlex.join(command())
    read, written = os.pipe()
    os.close(read)
    try:
        return subprocess.run(
            ["bash", "-c", line.replace("tooken-ci", program).replace("&GONE", f"&{written}")],
            cwd=project.folder,
            env=project.environment(env),
            capture_output=True,
            text=True,
            timeout=50,
            check=False,
            pass_fds=(written,),
        )
    finally:
        os.close(written)


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-"])
def test_a_closed_stream(project: Project, closed: str) -> None:
    """An apply whose input or output was closed by its caller does its work, and asks nobody."""
    project.write(spec({"ci": entry("ci")}))
    ended = _shell(project, f"tooken-ci apply {closed}")
    assert ended.returncode == 0, ended.stderr
    assert "Traceback" not in ended.stderr
    assert project.sandbox.authenticates(project.secret("ci"))


@pytest.mark.skipif(not FULL.exists(), reason="there is no /dev/full")
def test_a_full_disk_behind_stdout(project: Project) -> None:
    """An apply whose report could not be written says so in one line, and that something was changed."""
    project.write(spec({"ci": entry("ci")}))
    ended = _shell(project, "tooken-ci apply --format json >/dev/full")
    assert ended.returncode == 3
    assert "The output could not be written: No space left on device." in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.skipif(not FULL.exists(), reason="there is no /dev/full")
def test_a_full_disk_behind_stderr(project: Project) -> None:
    """An apply whose words nobody can read does all its work, and its report for programs is whole."""
    project.write(spec({name: entry(name) for name in ("one", "two")}))
    ended = _shell(project, "tooken-ci apply --format json 2>/dev/full")
    assert ended.returncode == 0
    assert {result["status"] for result in json.loads(ended.stdout)["results"]} == {"done"}
    assert project.sandbox.authenticates(project.secret("two"))


@pytest.mark.parametrize("lost", LOST)
@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("validate", 0),
        ("validate --spec missing.yml", 2),
        ("plan --detailed-exitcode", 4),
        ("plan --out saved.json", 0),
        ("apply", 0),
        ("apply --only nobody", 2),
        ("rotate ci", 0),
        ("lease preview", 0),
        ("release", 0),
        ("revoke ci --yes", 0),
        ("revoke nobody --yes", 1),
        ("nonsense", 2),
    ],
)
def test_a_lost_standard_error(project: Project, line: str, code: int, lost: str) -> None:
    """The exit code is what the work deserves, whatever becomes of standard error."""
    job = {"CI": "true", "GITLAB_CI": "true", "CI_PIPELINE_ID": "7", "CI_JOB_ID": "1"}
    project.write(spec({"ci": entry("ci"), "preview": ephemeral()}))
    if line.startswith(("rotate", "revoke ci")):
        project.run("apply")
    assert _shell(project, f"tooken-ci {line} {lost}", job).returncode == code


@pytest.mark.parametrize("lost", LOST)
@pytest.mark.parametrize("form", ["text", "json", "markdown"])
def test_a_lost_standard_error_and_a_report(project: Project, form: str, lost: str) -> None:
    """In every format the work is done, the report on standard output is whole, and the exit code says so."""
    project.write(spec({"ci": entry("ci")}))
    ended = _shell(project, f"tooken-ci --debug apply --format {form} {lost}")
    assert (ended.returncode, bool(ended.stdout)) == (0, form != "text")
    assert project.sandbox.authenticates(project.secret("ci"))


@pytest.mark.parametrize("lost", LOST)
def test_a_mask_that_does_not_reach_the_runner(project: Project, lost: str) -> None:
    """Where the runner cannot be told to mask a lease's secret, nobody gets it, and the lease is revoked."""
    project.write(spec({"preview": ephemeral(env="TOOKEN_TOKEN")}))
    env = github(project)
    assert _shell(project, f"tooken-ci lease preview {lost}", env).returncode == 3
    assert project.sandbox.active_tokens() == []
    assert (project.folder / "runner-env").read_text(encoding="utf-8") == ""


@pytest.mark.parametrize(("name", "code"), [("plan", 1), ("apply", 3)])
def test_outputs_that_cannot_be_written(project: Project, name: str, code: int) -> None:
    """A runner that takes no outputs fails the step with the reason, and an apply tells that it changed something."""
    project.write(spec({"ci": entry("ci")}))
    runner = {"CI": "true", "GITHUB_ACTIONS": "true", "GITHUB_OUTPUT": "missing/outputs"}
    ended = project.run(name, "--format", "json", code=code, env=runner)
    assert ended.data["error"]["code"] == "output"
    ended.says("GITHUB_OUTPUT", "no such file or directory")


@pytest.mark.parametrize("path", ["tooken.yml", "./x/../tooken.yml", "key"])
def test_what_the_run_reads_is_no_destination(project: Project, path: str) -> None:
    """Neither the spec nor the key's file can be a destination."""
    (project.folder / "key").write_text(project.sandbox.api_key, encoding="utf-8")
    project.write(
        f"version: 1\ntokens:\n  ci:\n    scopes: [tokens:read]\n    deliver:\n      - file: {{path: {path}}}\n"
    )
    before = (project.folder / "tooken.yml").read_bytes()
    ended = _shell(project, "tooken-ci apply --api-key-file key")
    assert ended.returncode == 2
    assert "tooken.yml:6:22: " in ended.stderr
    assert "it would be overwritten" in ended.stderr
    assert (project.folder / "tooken.yml").read_bytes() == before
    assert project.sandbox.active_tokens() == []


def test_a_file_of_somebody_else(project: Project) -> None:
    """A file that no delivery record speaks of is overwritten, but the plan warns of it."""
    project.write(spec({"ci": entry("ci")}))
    (project.folder / "ci").write_text("notes of somebody", encoding="utf-8")
    project.run("plan").says("'file ci' was not delivered by tooken-ci", "it will be overwritten")
    assert (project.folder / "ci").read_text(encoding="utf-8") == "notes of somebody"


def test_debug_tells_each_request(project: Project) -> None:
    """With --debug each request is logged with its answer's status."""
    project.write(spec({"ci": entry("ci")}))
    project.run("--debug", "plan").says("DEBUG GET /tokens: 200")

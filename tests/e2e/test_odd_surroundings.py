"""Closed and full streams, runners that take no outputs, and files that must not be overwritten."""

from __future__ import annotations

import json
import shlex
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.e2e.project import command, entry, spec

if TYPE_CHECKING:
    from tests.e2e.project import Project

FULL = Path("/dev/full")


def _shell(project: Project, line: str) -> subprocess.CompletedProcess[str]:
    """Runs the command by a shell, which can close and turn streams as it likes."""
    program = shlex.join(command())
    return subprocess.run(
        ["sh", "-c", line.replace("tooken-ci", program)],
        cwd=project.folder,
        env=project.environment(),
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )


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

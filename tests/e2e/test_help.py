"""Help and version: there for everything, and quick."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import click
import pytest

import tooken_ci
from tests.e2e.project import command
from tooken_ci.cli import cli

if TYPE_CHECKING:
    from pathlib import Path

HEAVY = {
    "fastapi",
    "jsonschema",
    "jsonschema_rs",
    "logging",
    "pathlib",
    "pydantic",
    "requests",
    "rich",
    "sqlite3",
    "ssl",
    "urllib3",
    "uvicorn",
    "yaml",
}
COMMANDS = sorted(cli.commands)


def _run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(arguments, cwd=folder, capture_output=True, text=True, check=False, timeout=30)


@pytest.mark.parametrize("option", ["--version", "--help"])
def test_help_is_light(tmp_path: Path, option: str) -> None:
    """--version and --help import nothing that is heavy."""
    code = (
        "import sys; before = set(sys.modules); from tooken_ci.cli import run; code = run(sys.argv[1:]);"
        "print(*sorted({name.partition('.')[0] for name in set(sys.modules) - before}), file=sys.stderr);"
        "sys.exit(code)"
    )
    ended = _run(tmp_path, sys.executable, "-c", code, option)
    assert ended.returncode == 0
    assert "tooken_ci" in ended.stderr.split()
    assert not HEAVY & set(ended.stderr.split())


@pytest.mark.parametrize("program", [command(), (sys.executable, "-m", "tooken_ci")], ids=["command", "module"])
def test_version(tmp_path: Path, program: tuple[str, ...]) -> None:
    """The installed command and the module tell the same version."""
    ended = _run(tmp_path, *program, "--version")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, f"tooken-ci, version {tooken_ci.__version__}\n", "")


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_a_command(tmp_path: Path, name: str) -> None:
    """Every command and every option has a text that tells what it is for, and --help shows all of it."""
    ended = _run(tmp_path, *command(), name, "--help")
    shown = " ".join(ended.stdout.split())
    described = cli.commands[name]
    assert (ended.returncode, ended.stderr) == (0, "")
    assert described.help
    assert " ".join(described.help.split()) in shown
    for parameter in described.params:
        if isinstance(parameter, click.Argument):  # has no text of its own: the command's tells of it
            assert parameter.human_readable_name in described.help
            continue
        assert isinstance(parameter, click.Option)
        assert parameter.help, parameter.name
        assert all(option in shown for option in parameter.opts)


def test_help_lists_every_command(tmp_path: Path) -> None:
    """The help of the whole lists every command with what it does."""
    ended = _run(tmp_path, *command(), "--help")
    lines = [line.split(maxsplit=1) for line in ended.stdout.partition("Commands:")[2].splitlines() if line.strip()]
    listed = {line[0]: line[1] for line in lines if len(line) == 2}
    assert {"apply", "plan", "sandbox", "schema", "validate"} <= set(COMMANDS)
    assert set(COMMANDS) <= set(listed)

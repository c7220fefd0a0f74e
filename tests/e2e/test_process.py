"""The process of a run: its memory, its arguments, its environment and its children's keep the secrets in."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.e2e.held import LISTING, hold, wait_for
from tests.e2e.project import entry, spec

if TYPE_CHECKING:
    from tests.e2e.project import Project


@pytest.fixture
def project(project: Project) -> Project:
    """Gives a project whose runs are executed: the process is what this is about."""
    project.executed = True
    return project


def test_no_core_is_dumped(project: Project) -> None:
    """A run may dump no core, and who it runs as may not read its memory or its environment."""
    project.write(spec({"ci": entry("ci")}))
    with hold(project.sandbox, LISTING, seconds=2):
        running = project.start("plan")
        wait_for(project.sandbox, LISTING)
        limits = Path(f"/proc/{running.pid}/limits").read_text(encoding="ascii").splitlines()
        owner = Path(f"/proc/{running.pid}/mem").stat().st_uid
    core = next(line.split() for line in limits if line.startswith("Max core file size"))
    assert core[4:6] == ["0", "0"]
    assert owner == 0
    assert project.end(running).code == 0


def test_the_kernel_was_asked() -> None:
    """The kernel itself says that the process's memory is private."""
    code = (
        "import ctypes\n"
        "from tooken_ci.cli.privacy import keep_memory_private\n"
        "asked = ctypes.CDLL(None).prctl\n"
        "before = asked(3, 0, 0, 0, 0)\n"
        "keep_memory_private()\n"
        "print(before, asked(3, 0, 0, 0, 0))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout == "1 0\n"


def test_version_needs_none_of_it() -> None:
    """What only asks for the version imports nothing for that."""
    code = (
        "import sys\n"
        "from tooken_ci.cli.program import run\n"
        "run(['--version'])\n"
        "print([name for name in ('ctypes', 'resource', 'tooken_ci.cli.privacy') if name in sys.modules])"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.splitlines()[-1] == "[]"


def test_a_child_needs_neither_the_key_nor_others_secrets(project: Project) -> None:
    """A program of the user's gets no key and no credential of another store, but those of a proxy on its own way."""
    program = project.folder / "store"
    script = '#!/bin/sh\nenv > "$STORE/env"\ntr "\\0" " " < /proc/$$/cmdline > "$STORE/argv"\n'
    program.write_text(script, encoding="utf-8")
    program.chmod(0o755)
    programs = {"name": "s", "record": ["./store"], "write": ["./store"]}
    project.write(spec({"ci": {**entry(), "deliver": [{"exec": programs}]}}))
    store = project.folder.parent / "store"
    store.mkdir()
    proxy = "http://me:hunter22hunter@127.0.0.1:9"
    project.run("plan", env={"STORE": str(store), "HTTPS_PROXY": proxy, "COPY": f"x{project.key}y", "OTHER": "kept"})
    given = (store / "env").read_text(encoding="utf-8")
    assert str(project.key) not in given
    assert "TOOKEN_API" not in given
    assert f"HTTPS_PROXY={proxy}\n" in given
    assert "OTHER=kept\n" in given
    assert str(project.key) not in (store / "argv").read_text(encoding="utf-8")

"""Fixtures: a clock moved by hand, a terminal, and projects as the tests of the whole command have them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from tests.cli.breaking import Stage
from tests.cli.terminal import XTERM, Hands, Terminal
from tests.e2e.conftest import make_project
from tests.e2e.project import Project
from tests.support.sandbox import RunningSandbox
from tooken_ci.cli import bar, privacy, progress

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["make_project"]


@pytest.fixture
def hands(monkeypatch: pytest.MonkeyPatch) -> Hands:
    """Gives the clock of both displays."""
    hands = Hands()
    monkeypatch.setattr(bar, "time", hands)
    monkeypatch.setattr(progress, "time", hands)
    return hands


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Gives a terminal of 80 columns, whatever this process runs at."""
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in XTERM.items():
        monkeypatch.setenv(name, value)
    return Terminal()


@pytest.fixture(scope="module")
def workspace() -> Iterator[RunningSandbox]:
    """Gives one workspace for all: each run makes a token of a name of its own."""
    with RunningSandbox(limit=1_000_000) as sandbox:
        yield sandbox


@pytest.fixture
def stage(
    workspace: RunningSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Stage]:
    """Gives a project in whose folder this process stands."""
    monkeypatch.setattr(privacy, "keep_memory_private", lambda: None)  # it would last
    project = Project(tmp_path / "project", workspace)
    monkeypatch.chdir(project.folder)
    for name, value in project.environment({"TOOKEN_BUSY_GRACE": "0"}).items():
        monkeypatch.setenv(name, value)
    root, ours = logging.getLogger(), logging.getLogger("tooken_ci")
    kept = root.handlers[:], root.level, ours.level
    stage = Stage(project, capsys)
    stage.replaced()
    yield stage
    root.handlers[:] = kept[0]
    root.setLevel(kept[1])
    ours.setLevel(kept[2])

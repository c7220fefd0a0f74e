"""Fixtures that make projects."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.project import Project

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.sandbox import RunningSandbox


@pytest.fixture
def project(tmp_path: Path, sandbox: RunningSandbox) -> Project:
    """Gives an empty project with a fresh workspace."""
    return Project(tmp_path / "project", sandbox)


@pytest.fixture
def make_project(tmp_path: Path, make_sandbox: Callable[..., RunningSandbox]) -> Callable[..., Project]:
    """Gives a function that makes a project, with options for its sandbox."""

    def make(**options: object) -> Project:
        return Project(tmp_path / "project", make_sandbox(**options))

    return make

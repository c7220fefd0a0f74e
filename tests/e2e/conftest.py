"""Fixtures that make projects."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.project import Project
from tests.support.sandbox import RunningSandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def project(tmp_path: Path, sandbox: RunningSandbox) -> Project:
    """Gives an empty project with a fresh workspace."""
    return Project(tmp_path / "project", sandbox)


@pytest.fixture(scope="session")
def _empty_sandbox() -> Iterator[RunningSandbox]:
    """Gives an empty workspace for all who leave it empty: to start one takes longer than most of their tests."""
    with RunningSandbox() as sandbox:
        yield sandbox
        assert sandbox.tokens() == []


@pytest.fixture
def still_project(tmp_path: Path, _empty_sandbox: RunningSandbox) -> Project:
    """Gives an empty project for a test that changes nothing in its workspace."""
    return Project(tmp_path / "project", _empty_sandbox)


@pytest.fixture
def make_project(tmp_path: Path, make_sandbox: Callable[..., RunningSandbox]) -> Callable[..., Project]:
    """Gives a function that makes a project, with options for its sandbox."""

    def make(**options: object) -> Project:
        return Project(tmp_path / "project", make_sandbox(**options))

    return make

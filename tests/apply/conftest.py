from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import pytest

from tests.apply.support import World
from tests.support.sandbox import RunningSandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def server() -> Iterator[RunningSandbox]:
    """One real server for the tests of a module; names are unique to each test."""
    with RunningSandbox(limit=1_000_000) as running:
        yield running


@pytest.fixture
def world(server: RunningSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A world whose own entry has a name that no other test uses."""
    monkeypatch.chdir(tmp_path)
    server.set_faults([])
    server.clear_requests()
    yield World(server, tmp_path, f"x{secrets.token_hex(5)}")
    server.set_faults([])

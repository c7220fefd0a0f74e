"""Fixtures: projects, as the tests of the whole command have them, with workspaces that take next to no time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.conftest import project
from tests.support.sandboxes import sandboxes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.sandbox import RunningSandbox

__all__ = ["project"]

ENOUGH = 12


@pytest.fixture(scope="module")
def _fresh_sandboxes() -> Iterator[list[RunningSandbox]]:
    """Gives a workspace for each test of a module that wants one for itself."""
    with sandboxes(ENOUGH) as running:
        yield [*running]


@pytest.fixture
def sandbox(_fresh_sandboxes: list[RunningSandbox]) -> RunningSandbox:
    """Gives one that nobody has used."""
    return _fresh_sandboxes.pop()

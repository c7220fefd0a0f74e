from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.sandbox import RunningSandbox

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def shared() -> Iterator[RunningSandbox]:
    """One sandbox for the tests of a module that do not mind each other's tokens."""
    with RunningSandbox(limit=1_000_000) as running:
        yield running

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.destinations.support import TOKEN_ID, Place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A file destination two folders below one that exists."""
    return Place(tmp_path / "out" / "deep" / "secret")


@pytest.fixture
def full(place: Place) -> Place:
    """The same destination after a delivery."""
    place.deliver(TOKEN_ID)
    return place


@pytest.fixture
def open_umask() -> Iterator[None]:
    """The loosest of all umasks, which hides nothing by itself."""
    before = os.umask(0)
    yield
    os.umask(before)

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.crash.rig import Rig

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    """Gives an empty workspace, an empty folder, and the command."""
    with Rig(tmp_path) as running:
        yield running

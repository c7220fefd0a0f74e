"""What a test needs and cannot have."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


def cannot(reason: str) -> NoReturn:
    """Skips the test, or fails it where TOOKEN_CI_NO_SKIP says that everything must be there."""
    if os.environ.get("TOOKEN_CI_NO_SKIP"):
        pytest.fail(reason)
    pytest.skip(reason)

"""What a test needs from outside, and what it means that it is not there."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


def cannot(reason: str) -> NoReturn:
    """Skips the test; where TOOKEN_CI_NO_SKIP is set, everything is expected to be there, and it fails."""
    if os.environ.get("TOOKEN_CI_NO_SKIP"):
        pytest.fail(reason)
    pytest.skip(reason)

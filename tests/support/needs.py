"""What a test needs that a machine may not have."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest

_HAS_IT_ALL = bool(os.environ.get("TOOKEN_CI_NO_SKIP"))  # read before the tests' own environment is cleared


def cannot(reason: str) -> NoReturn:
    """Skips a test for want of something; where TOOKEN_CI_NO_SKIP is set, as on a machine that has it all, fails."""
    if _HAS_IT_ALL:
        pytest.fail(reason)
    pytest.skip(reason)

"""How much one file is worth: beyond it the file is something else, and nobody reads on."""

from __future__ import annotations

from tooken_ci.base.errors import Fault
from tooken_ci.base.position import Position

MOST_FAULTS = 1000
"""How many faults of one file are told."""


def too_many(file: str) -> Fault:
    """The fault that stands for those that are not told."""
    return Fault(Position(file, 1, 1), "There are more errors in this file than are listed here.")

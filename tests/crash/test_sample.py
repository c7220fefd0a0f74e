"""A sample of the crash matrix, another one in each run of the tests; ``make crash`` tries all of it."""

from __future__ import annotations

import os
import random
from typing import TYPE_CHECKING

import pytest

from tests.crash.campaign import NAMES, Part, parts, tried

if TYPE_CHECKING:
    from pathlib import Path

CASES = 3
"""Of each scenario."""

PARTS = parts()


@pytest.mark.timeout(180)
@pytest.mark.parametrize("number", range(0, len(PARTS), len(NAMES)), ids=lambda number: PARTS[number].name)
def test_nothing_dies_whatever_is_harmed(number: int, tmp_path: Path) -> None:
    """A run that comes to harm leaves no dead secret, no orphan and no leak, and two more runs settle all."""
    seed = os.environ["CRASH_SEED"]
    chance = random.Random(f"{seed} {number}")  # noqa: S311  # chosen by a seed, so as to be repeated
    part: Part = chance.choice(PARTS[number : number + len(NAMES)])
    tally = tried(part, tmp_path, chance=chance, most=CASES)
    assert 0 < tally.cases <= CASES
    assert tally.checks > 0
    assert tally.violations == [], f"CRASH_SEED={seed}"

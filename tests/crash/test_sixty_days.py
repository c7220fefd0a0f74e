"""Sixty days of scheduled runs of the real command, late or missed at times, on a clock that is moved."""

from __future__ import annotations

import math
import os
import random
from typing import TYPE_CHECKING

import pytest

from tests.crash.scenarios import DAY, HOUR, entry, spec, store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.crash.rig import Rig

DAYS = 60
MISSED = 0.1


def runs(every: float, chance: random.Random) -> Iterator[float]:
    """Seconds from the beginning: up to an hour late, one in ten is missed, but never two in a row."""
    missed = True  # the first one takes place
    for number in range(int(DAYS * DAY / every)):
        missed = not missed and chance.random() < MISSED
        if not missed:
            yield number * every + chance.random() * HOUR


@pytest.mark.timeout(180)
@pytest.mark.parametrize(("life", "every"), [(48, 12), (90 * 24, 24)])
def test_no_destination_ever_holds_what_has_expired(rig: Rig, life: int, every: int) -> None:
    """Whenever a run comes the secret still lives, and no more tokens are made than the spec's arithmetic asks for."""
    seed = os.environ["CRASH_SEED"]
    chance = random.Random(f"{seed} {life}")  # noqa: S311  # chosen by a seed, so as to be repeated
    rig.write(spec({"ci": entry(store(rig, "a"), expires_in=f"{life}h", runs_every=f"{every}h")}))
    began = rig.shared.now()
    for at in runs(every * HOUR, chance):
        rig.advance(began + at - rig.shared.now())
        if rig.stage.store.shelves:
            assert rig.lives(rig.stage.store.shelves["a"].value), f"CRASH_SEED={seed}, day {at / DAY:.1f}"
        ended = rig.run("apply")
        assert ended.code == 0, ended.err
    assert rig.watch.violations == []
    renewed = max(life / 3, 2 * every + 2)  # design.md: renew_before is 33 % of the life, or what the runs ask for
    apart = 0.9 * (life - renewed)  # less the jitter, a tenth of that at the most
    made = rig.stage.do(lambda: rig.stage.rows("SELECT name FROM tokens WHERE name LIKE 'ci%'"))
    assert math.ceil(DAYS * 24 / life) <= len(made) <= DAYS * 24 / apart + 1, f"CRASH_SEED={seed}"

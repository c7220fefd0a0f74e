"""The arithmetic of renewal: whoever follows the advice of a message has a spec that is valid."""

from __future__ import annotations

import dataclasses
import re
from datetime import timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tooken_ci.spec.durations import parse
from tooken_ci.spec.life import Times, crowded, renewal, seldom_run, slowest_runs, too_fast, too_short

MINUTES = st.integers(1, 200 * 24 * 60).map(lambda count: timedelta(minutes=count))
BEFORE = st.one_of(MINUTES, st.integers(1, 99).map(lambda percent: Fraction(percent, 100)))


@given(MINUTES, BEFORE, MINUTES)
def test_the_advice_is_right(life: timedelta, before: Fraction | timedelta, runs_every: timedelta) -> None:
    """The advised runs_every would do, an hour or a minute more would not; without advice nothing would."""
    slowest = slowest_runs(life, before)
    advised = slowest if slowest is not None else timedelta(0)
    unit = timedelta(hours=1) if advised >= timedelta(hours=1) else timedelta(minutes=1)
    if advised:
        assert too_short(life, Times(renew_before=before, runs_every=advised)) is None
    assert too_short(life, Times(renew_before=before, runs_every=advised + unit)) is not None
    if too_short(life, Times(renew_before=before, runs_every=runs_every)) is None:
        assert runs_every < advised + unit


@given(MINUTES, BEFORE, MINUTES)
def test_two_runs_fit_before_the_end(life: timedelta, before: Fraction | timedelta, runs_every: timedelta) -> None:
    """A token that may be declared is due early enough for a run to fail, and late enough to have lived."""
    times = Times(renew_before=before, runs_every=runs_every)
    assert renewal(life, times) >= 2 * runs_every + timedelta(hours=2)
    if too_short(life, times) is None:
        assert life - renewal(life, times) >= runs_every


@given(MINUTES, MINUTES, MINUTES)
def test_rotation_is_slower_than_the_overlap(every: timedelta, overlap: timedelta, runs_every: timedelta) -> None:
    """Whatever is rotated outlives the overlap of the one before; what apply runs too seldom for is told."""
    times = Times(every=every, overlap=overlap, runs_every=runs_every)
    assert (too_fast(times) is None) == (every > overlap)
    assert (seldom_run(times) is None) == (every >= runs_every)


def test_what_is_not_rotated_has_no_pace() -> None:
    """Without ``every`` no overlap is too long and no run too seldom."""
    times = Times(overlap=timedelta(days=900), runs_every=timedelta(days=900))
    assert (too_fast(times), seldom_run(times)) == (None, None)


@pytest.mark.parametrize(
    ("life", "overlap", "expected"),
    [(5, 0.0, False), (5, 0.1, True), (5.5, 0.05, False), (5.5, 0.06, True), (6, 48.0, False), (8, 48.0, False)],
)
def test_how_many_are_alive(life: float, overlap: float, *, expected: bool) -> None:
    """A long overlap matters only where the life is so long that the fourth before the current one still lives."""
    times = Times(runs_every=timedelta(hours=1), overlap=timedelta(hours=overlap))
    assert (crowded(timedelta(hours=life), times) is not None) == expected


@given(MINUTES, BEFORE, MINUTES, MINUTES)
def test_the_advised_overlap_is_right(
    life: timedelta, before: Fraction | timedelta, runs_every: timedelta, overlap: timedelta
) -> None:
    """Whoever shortens the overlap to what the warning says is not warned again."""
    times = Times(renew_before=before, runs_every=runs_every, overlap=overlap)
    found = crowded(life, times) if too_short(life, times) is None else None
    if found is not None:
        advised = re.search(r"overlap to (.*),", found[1])
        assert advised is not None
        parts = () if advised[1] == "0" else advised[1].split()
        shorter = sum(map(parse, parts), timedelta(0))
        assert crowded(life, dataclasses.replace(times, overlap=shorter)) is None

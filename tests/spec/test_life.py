"""The arithmetic of renewal: whoever follows the advice of a message has a spec that is valid."""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from tooken_ci.spec.life import Times, renewal, slowest_runs, too_short

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

"""Sixty days of scheduled runs, some late, some missed: nobody is ever left with a secret that has ended."""

from __future__ import annotations

import dataclasses
import datetime as dt
import math
from fractions import Fraction
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.plan.builders import NOW, days, empty, endless, entry, hours, minutes, spec
from tests.plan.simulation import World
from tooken_ci.plan.difference import SPREAD
from tooken_ci.plan.due import renewal_jitter, rotation_jitter
from tooken_ci.spec.life import RENEW_BEFORE, Times, crowded, renewal, too_fast, too_short

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from tooken_ci.spec.model import Entry
    from tooken_ci.tooken.model import Token

PERIOD = days(60)
LATE = minutes(60)
MISSED = 0.1
RUNS = [hours(1), hours(6), hours(12), hours(24), days(7)]
LIVES = [hours(48), hours(74), days(7), days(30), days(90)]
BEFORE: list[Fraction | dt.timedelta] = [Fraction(1, 10), RENEW_BEFORE, Fraction(9, 10), days(30)]
EVERY = [hours(2), hours(25), days(4), days(30)]
OVERLAPS = [hours(0), hours(1), hours(24), days(7)]
NAMES = st.sampled_from([f"ci-{number}" for number in range(50)])
RANDOM = st.randoms(use_true_random=True)
LONG = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@dataclasses.dataclass(frozen=True, kw_only=True)
class Seen:
    """What a simulation came to.

    Attributes:
        made: every token that was made, oldest first.
        ended: how often a destination held a secret that had ended.
        oldest: the greatest age of a current generation when a run had ended.
        period: from the first run that made a token to the end.
    """

    made: tuple[Token, ...]
    ended: int
    oldest: dt.timedelta
    period: dt.timedelta


def runs(every: dt.timedelta, random: Random) -> Iterator[dt.datetime]:
    """When apply runs: up to an hour late, one in ten is missed, but never two in a row."""
    missed = True  # the first one takes place
    for index in range(math.ceil(PERIOD / every)):  # whoever looks at the end finds every run done that was to come
        missed = not missed and random.random() < MISSED
        if not missed:
            yield NOW + index * every + random.random() * LATE


def simulated(of: Entry, random: Random) -> Seen:
    """Runs apply as scheduled; whoever reads the destination uses the secret until the next run."""
    world = World(spec=spec(of), tokens=(), looks={of.deliver[0].place: empty()})
    ended, oldest, began = 0, dt.timedelta(0), NOW
    for now in runs(of.runs_every, random):
        world = used(world.at(now))
        ended += bool(world.tokens) and not held_lives(world)
        began = began if world.tokens else now
        plan = world.planned()
        assert plan.problems == ()
        world, failed = world.applied(plan)
        assert (failed, world.planned().actions) == (frozenset(), ())
        oldest = max(oldest, now - world.tokens[-1].created_at)
    end = NOW + PERIOD
    ended += not held_lives(world.at(end))
    assert len({token.name for token in world.tokens}) == len(world.tokens)
    return Seen(made=world.tokens, ended=ended, oldest=oldest, period=end - began)


def used(world: World) -> World:
    held = {look.held.id for look in world.looks.values() if look.held is not None}
    tokens = (
        dataclasses.replace(token, last_used_at=world.now - minutes(1)) if token.id in held else token
        for token in world.tokens
    )
    return dataclasses.replace(world, tokens=tuple(tokens))


def held_lives(world: World) -> bool:
    living = {token.id for token in world.active}
    return all(look.held is not None and look.held.id in living for look in world.looks.values())


@st.composite
def renewed(draw: st.DrawFn) -> Entry:
    """Any entry that expires, that the spec may declare, and of which renewal does not leave too many alive."""
    life, before = draw(st.sampled_from(LIVES)), draw(st.sampled_from(BEFORE))
    overlap = draw(st.sampled_from(OVERLAPS))
    times = Times(renew_before=before, runs_every=draw(st.sampled_from(RUNS)), overlap=overlap)
    if too_short(life, times) is not None or crowded(life, times) is not None:
        times = Times(runs_every=hours(12))
    ahead = renewal(life, times)
    return entry(draw(NAMES), expires_in=life, renew_before=ahead, runs_every=times.runs_every, overlap=times.overlap)


@st.composite
def rotated(draw: st.DrawFn) -> Entry:
    """Any entry that never ends and is rotated as the spec allows."""
    times = Times(
        every=draw(st.sampled_from(EVERY)),
        runs_every=draw(st.sampled_from(RUNS)),
        overlap=draw(st.sampled_from(OVERLAPS)),
    )
    assume(too_fast(times) is None)
    return endless(draw(NAMES), rotate_every=times.every, runs_every=times.runs_every, overlap=times.overlap)


@LONG
@given(renewed(), RANDOM)
def test_no_destination_ever_holds_what_has_ended(of: Entry, random: Random) -> None:
    """Every secret is renewed in time, and no more often than its life less renew_before and the jitter asks for."""
    seen = simulated(of, random)
    assert of.expires_in is not None
    assert of.renew_before is not None
    apart = of.expires_in - of.renew_before - renewal_jitter(of)
    assert seen.ended == 0
    assert apart >= of.runs_every
    assert math.ceil(seen.period / (of.expires_in + SPREAD)) <= len(seen.made) <= seen.period // apart + 1


@LONG
@given(rotated(), RANDOM)
def test_rotation_keeps_its_pace(of: Entry, random: Random) -> None:
    """After no run is a secret older than ``every``, and each lived for ``every`` less the jitter at least."""
    seen = simulated(of, random)
    assert of.rotate_every is not None
    apart = of.rotate_every - rotation_jitter(of)
    assert seen.ended == 0
    assert seen.oldest < of.rotate_every
    assert len(seen.made) <= seen.period // apart + 1
    assert len(seen.made) >= seen.period // (of.rotate_every + 2 * of.runs_every + LATE)


def test_a_run_that_never_comes_is_noticed() -> None:
    """The simulation itself notices a secret that ended: two weeks without a run are too long for a life of one."""
    of = entry(expires_in=days(7), renew_before=hours(50))
    world = World(spec=spec(of), tokens=(), looks={of.deliver[0].place: empty()})
    world, _ = world.applied(world.planned())
    assert held_lives(world.at(NOW + days(6)))
    assert not held_lives(world.at(NOW + days(14)))

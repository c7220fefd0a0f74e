"""When a generation is due, and the jitter that spreads the dues of many."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.plan.builders import NOW, days, ending, endless, entry, hours, minutes, seconds, token
from tooken_ci.plan.due import Due, due, reasons, renewal_jitter, rotation_jitter
from tooken_ci.spec.life import Times, renewal

if TYPE_CHECKING:
    import datetime as dt

MINUTES = st.integers(1, 200 * 24 * 60).map(minutes)
NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)


def test_the_jitter_is_always_the_same() -> None:
    """The jitter hangs on the name alone, so every run and every machine come to the same due date."""
    assert [renewal_jitter(entry(name)) for name in ("ci-deploy", "web", "é")] == [
        minutes(697),
        minutes(848),
        minutes(839),
    ]
    other = entry("web", scopes=frozenset({"webhooks:write"}), owner="somebody", rotate_every=days(20))
    assert (renewal_jitter(other), rotation_jitter(other)) == (minutes(848),) * 2


def test_due_dates() -> None:
    """A generation is due so long before its end, or after so long a life, less the jitter."""
    of = entry("web", rotate_every=days(20))
    made = token("web", age=days(3))
    jitter = minutes(848)
    assert due(of, made) == Due(renewal=NOW + days(17) - jitter, rotation=NOW + days(17) - jitter)


def test_the_second_in_which_it_is_due() -> None:
    """Whatever its jitter, an entry is due from the second on that its due date names, and not before."""
    for index in range(100):
        of = entry(f"ci-{index}", rotate_every=days(20))
        made = token(age=days(3))
        when = due(of, made)
        assert when.renewal == when.rotation
        assert when.renewal is not None
        assert len(reasons(of, made, when.renewal)) == 2
        assert reasons(of, made, when.renewal - seconds(1)) == []


def test_a_life_too_short_to_be_renewed() -> None:
    """A watched token may live shorter than renew_before: it has no jitter, and is due from its first second on."""
    of = entry(expires_in=hours(1), renew_before=hours(50), deliver=())
    assert due(of, token(expires_at=NOW + hours(50))).renewal == NOW
    assert len(reasons(of, token(expires_at=NOW + hours(50)), NOW)) == 1
    assert reasons(of, token(expires_at=NOW + hours(50) + seconds(1)), NOW) == []


def test_what_is_never_due() -> None:
    """Neither an absolute end nor a token that never ends is renewed, and without ``every`` nothing is rotated."""
    assert due(ending(NOW + days(1)), token(expires_at=NOW + days(1))) == Due(renewal=None, rotation=None)
    assert due(endless(), token(expires_at=None)) == Due(renewal=None, rotation=None)
    assert due(entry(), token(expires_at=None)) == Due(renewal=None, rotation=None)
    assert due(endless("web", rotate_every=days(50)), token(expires_at=None)).rotation is not None
    assert renewal_jitter(endless()) == rotation_jitter(entry()) == minutes(0)


def test_every_minute_is_drawn_alike() -> None:
    """Names are spread evenly over all the minutes that the jitter may take."""
    found = Counter(rotation_jitter(endless(f"ci-{index}", rotate_every=minutes(99), runs_every=minutes(9)))
                    for index in range(5000))  # fmt: skip
    assert set(found) == {minutes(number) for number in range(10)}
    assert max(found.values()) < 1.3 * min(found.values())


@given(NAMES, MINUTES, MINUTES, MINUTES)
def test_bounds_of_the_jitter(name: str, life: dt.timedelta, before: dt.timedelta, runs: dt.timedelta) -> None:
    """The jitter takes at most a tenth, leaves ``runs_every`` at least, and is never negative."""
    of = entry(name, expires_in=life, renew_before=before, runs_every=runs, rotate_every=life)
    for jitter, wait in ((renewal_jitter(of), life - before), (rotation_jitter(of), life)):
        assert minutes(0) <= jitter <= max(minutes(0), wait / 10)
        assert jitter == minutes(0) or wait - jitter >= runs


@given(NAMES, MINUTES, MINUTES, MINUTES, st.integers(0, 59))
def test_a_fresh_token_is_not_due(
    name: str, rest: dt.timedelta, before: dt.timedelta, runs: dt.timedelta, spread: int
) -> None:
    """Whatever a valid spec says, a new token is not due before the next run, nor before its rotation makes sense."""
    least = renewal(before, Times(renew_before=before, runs_every=runs))
    of = entry(name, expires_in=least + runs + rest, renew_before=least, runs_every=runs, rotate_every=rest)
    fresh = token(name, age=minutes(0), expires_at=NOW + least + runs + rest + seconds(spread))
    when = due(of, fresh)
    assert when.renewal is not None
    assert when.rotation is not None
    assert when.renewal >= NOW + runs
    assert when.rotation >= NOW + min(runs, rest)
    assert reasons(of, fresh, NOW) == []


@pytest.mark.parametrize(
    ("life", "every", "runs", "share"),
    [(days(90), None, hours(24), 0.18), (hours(74), None, hours(1), 0.25), (None, days(30), hours(24), 0.36)],
    ids=["90 days", "74 hours", "every 30 days"],
)
def test_a_thousand_names_are_spread(
    life: dt.timedelta | None, every: dt.timedelta | None, runs: dt.timedelta, share: float
) -> None:
    """Of a thousand tokens made together, no run renews or rotates more than a part."""
    before = None if life is None else renewal(life, Times(runs_every=runs))
    found: Counter[int] = Counter()
    for index in range(1000):
        name = f"ci-{index:04}"
        end = None if life is None else NOW + life
        of = entry(name, expires_in=life, renew_before=before, runs_every=runs, rotate_every=every)
        when = due(of, token(name, age=minutes(0), expires_at=end))
        first = min(instant for instant in (when.renewal, when.rotation) if instant is not None)
        found[(first - NOW) // runs] += 1
    assert max(found.values()) <= 1000 * share
    assert sum(found.values()) == 1000


@pytest.mark.parametrize(
    ("left", "told"),
    [
        (days(10), ["it expires at 2026-12-03T19:20:15Z, within renew_before (10d)"]),
        (
            days(10) + minutes(848),
            ["it expires at 2026-12-04T09:28:15Z, within renew_before (10d) and its jitter (14h)"],
        ),
        (days(10) + minutes(848) + seconds(1), []),
    ],
    ids=["due", "by the jitter", "not yet"],
)
def test_what_is_told_of_a_renewal(left: dt.timedelta, told: list[str]) -> None:
    """The reason names the end and what it is held against; where only the jitter makes it due, it says so."""
    found = reasons(entry("web"), token("web", age=days(19), expires_at=NOW + left), NOW)
    assert [reason.text for reason in found] == told
    assert {str(reason.cause) for reason in found} <= {"time"}


@pytest.mark.parametrize(
    ("age", "every", "told"),
    [
        (days(31), days(30), ["it is 31d old, and is rotated every 30d"]),
        (days(30), days(30), ["it is 30d old, and is rotated every 30d"]),
        (days(31) + hours(7) + seconds(5), days(30), ["it is 31d old, and is rotated every 30d"]),
        (hours(48), hours(36), ["it is 2d old, and is rotated every 36h"]),
        (hours(47) + minutes(59), hours(36), ["it is 47h old, and is rotated every 36h"]),
        (minutes(119), minutes(90), ["it is 119m old, and is rotated every 90m"]),
        (
            days(30) - minutes(1272),
            days(30),
            ["it is 29d old, and is rotated every 30d, less its jitter (21h)"],
        ),
        (days(30) - minutes(1272) - seconds(1), days(30), []),
    ],
)
def test_what_is_told_of_a_rotation(age: dt.timedelta, every: dt.timedelta, told: list[str]) -> None:
    """The reason names the age, roughly, and how often it is rotated."""
    found = reasons(endless("web", rotate_every=every), token("web", age=age, expires_at=None), NOW)
    assert [reason.text for reason in found] == told
    assert {str(reason.cause) for reason in found} <= {"time"}

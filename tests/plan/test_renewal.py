"""Replacing what is due: before it ends, and by its age; whatever else the plan says."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pytest

from tests.plan.builders import (
    CI,
    NOW,
    READ,
    UNBOUNDED,
    WRITE,
    codes,
    days,
    edited,
    empty,
    ending,
    endless,
    entry,
    holds,
    hours,
    mark,
    minutes,
    only,
    plan,
    renamed,
    seconds,
    spec,
    target,
    token,
    told,
    unknown,
)
from tooken_ci.plan.model import Cause
from tooken_ci.spec.model import Bound, Policy

if TYPE_CHECKING:
    import datetime as dt

    from tooken_ci.plan.model import Plan
    from tooken_ci.spec.model import Entry

PLAIN = entry(runs_every=days(20))  # no room for a jitter
OLD = token(age=days(25))
NONE_MAY_CHANGE = Policy(max_changes=Bound(number=0))


@pytest.mark.parametrize(
    ("left", "expected"),
    [(days(10), [f"replace {CI}.g2"]), (days(10) + seconds(1), []), (seconds(1), [f"replace {CI}.g2"])],
    ids=["due", "a second before", "nearly over"],
)
def test_renewal(left: dt.timedelta, expected: list[str]) -> None:
    """A token that expires within renew_before is replaced because of the time, and lives on for its overlap."""
    made = plan(PLAIN, [token(age=days(20), expires_at=NOW + left)])
    assert told(made) == expected
    for action in made.actions:
        assert (action.cause, action.expires_at, action.delivery_only) == (Cause.TIME, NOW + days(30), False)
        assert action.reasons[0].endswith("within renew_before (10d)")
        assert [(waiting.token, waiting.revoke_after) for waiting in made.waiting] == [(CI, NOW + hours(24))]


@pytest.mark.parametrize(("age", "due"), [(days(4), True), (days(4) - seconds(1), False)])
def test_rotation(age: dt.timedelta, *, due: bool) -> None:
    """A token that has reached ``every`` is replaced, whether it expires, ends at a fixed time, or never."""
    changes: dict[str, Any] = {"rotate_every": days(4), "runs_every": days(4)}
    for of in (entry(**changes), ending(NOW + days(90), **changes), endless(**changes)):
        end = of.expires_at if of.expires_in is None else NOW - age + of.expires_in
        made = plan(of, [token(age=age, expires_at=end)])
        assert told(made) == ([f"replace {CI}.g2"] if due else [])
        if due:
            assert only(made).cause is Cause.TIME
            assert only(made).reasons == ("it is 4d old, and is rotated every 4d",)


def test_without_every_nothing_is_rotated() -> None:
    """A token that never expires may get as old as it likes."""
    assert told(plan(endless(), [token(age=days(4000), expires_at=None)])) == []


def test_every_longer_than_the_life_never_matters() -> None:
    """What is renewed before it reaches ``every`` is replaced for its end alone."""
    of = dataclasses.replace(PLAIN, rotate_every=days(60))
    assert [reason.split(",")[-1] for reason in only(plan(of, [OLD])).reasons] == [" within renew_before (10d)"]


def test_an_absolute_end_is_never_renewed() -> None:
    """However near an absolute end is, it is a warning and nothing else."""
    of = ending(NOW + hours(1))
    made = plan(of, [token(age=days(30), expires_at=of.expires_at)])
    assert (told(made), len(made.warnings)) == ([], 1)


def test_a_life_shorter_than_asked() -> None:
    """A token whose life is shorter than expires_in is renewed as early as any other, and once only."""
    adopted = token(age=days(1), expires_at=NOW + days(9))
    made = plan(PLAIN, [adopted])
    assert (told(made), only(made).cause) == ([f"replace {CI}.g2"], Cause.TIME)
    new = token(f"{CI}.g2", age=minutes(0))
    assert told(plan(PLAIN, [adopted, new])) == []
    assert told(plan(PLAIN, [token(age=days(1), expires_at=NOW + days(11))])) == []


@pytest.mark.parametrize("of", [PLAIN, endless(rotate_every=days(20))], ids=["renewal", "rotation"])
def test_watched(of: Entry) -> None:
    """What would be due of an entry without a destination is a warning that asks for one."""
    end = None if of.expires_in is None else OLD.expires_at
    made = plan(dataclasses.replace(of, deliver=()), [dataclasses.replace(OLD, expires_at=end)])
    assert (told(made), len(made.warnings)) == ([], 1)
    assert "only watched" in made.warnings[0]
    assert "destination" in made.warnings[0]
    assert ("within renew_before" if of.expires_in else "rotated every 20d") in made.warnings[0]


def test_protected() -> None:
    """A protected entry is renewed all the same, with the scopes that it has."""
    same = dataclasses.replace(PLAIN, protected=True)
    assert told(plan(same, [OLD])) == [f"replace {CI}.g2"]
    other = dataclasses.replace(same, scopes=frozenset({WRITE}))
    made = plan(other, [OLD])
    assert (told(made), codes(made), only(made).cause) == ([f"replace {CI}.g2"], ["protected"], Cause.TIME)
    assert (only(made).scopes, made.permits(only(made)), made.warnings) == ((READ,), True, ())


def test_a_destination_that_cannot_be_asked_does_not_stop_it() -> None:
    """A dead store must not let the healthy ones expire."""
    of = dataclasses.replace(PLAIN, deliver=(target("file a"), target("file b")))
    made = plan(of, [OLD], {"file a": unknown()})
    assert (told(made), only(made).delivery_only, codes(made)) == ([f"replace {CI}.g2"], False, ["unknown"])


def test_a_run_at_work_goes_first() -> None:
    """While another run may be at work on it, a token that is due waits for that run."""
    made = plan(PLAIN, [OLD], holds(OLD, mark(age=minutes(1))))
    assert (codes(made), made.permits(only(made))) == (["busy"], False)


def test_lacking_and_due() -> None:
    """A token that is due is not copied to a destination that lacks it: that gets the next one at once."""
    of = dataclasses.replace(PLAIN, deliver=(target("file a"), target("file b")))
    made = plan(of, [OLD], {"file b": empty()})
    assert (told(made), only(made).delivery_only, len(only(made).reasons)) == ([f"replace {CI}.g2"], False, 2)


def blocked(*due: Entry) -> Plan:
    """A plan that a bound blocks: the scopes of ``web`` were changed, and none may be."""
    of = spec(*due, entry("web", scopes=frozenset({WRITE})), policy=NONE_MAY_CHANGE)
    made = plan(of, [OLD, token("web")])
    assert [block.code for block in made.blocks] == ["max_changes"]
    return made


def test_it_goes_on_in_a_blocked_plan() -> None:
    """Nothing may expire because of a bound, and what is due counts for none."""
    made = blocked(PLAIN)
    assert [(action.token, action.cause, made.permits(action)) for action in made.actions] == [
        (f"{CI}.g2", Cause.TIME, True),
        ("web.g2", Cause.SPEC, False),
    ]
    assert made.warnings == ()
    assert plan(spec(PLAIN, policy=NONE_MAY_CHANGE), [OLD]).blocks == ()


def test_a_due_token_changes_nothing_else_in_a_blocked_plan() -> None:
    """Where a bound forbids the change of a token that is due, it is renewed with the scopes that it has."""
    made = blocked(dataclasses.replace(PLAIN, scopes=frozenset({WRITE}), overlap=hours(0)))
    first, second, other = made.actions
    assert (first.token, first.cause, first.scopes, made.permits(first)) == (f"{CI}.g2", Cause.TIME, (READ,), True)
    assert (second.token, made.permits(second)) == (CI, True)
    assert (other.token, made.permits(other)) == ("web.g2", False)
    assert ["keeps its scopes" in warning for warning in made.warnings] == [True]


def test_a_due_token_that_is_edited_goes_on_in_a_blocked_plan() -> None:
    """Drift beside the time does not make a token wait for a bound either."""
    of = spec(
        dataclasses.replace(PLAIN, deliver=(target("file a"), target("file b"))),
        entry("web", scopes=frozenset({WRITE})),
        policy=NONE_MAY_CHANGE,
    )
    made = plan(of, [OLD, token("web")], {"file b": edited(OLD)})
    assert [(action.token, made.permits(action)) for action in made.actions] == [(f"{CI}.g2", True), ("web.g2", False)]


def test_a_due_and_protected_token_in_a_blocked_plan() -> None:
    """What protection refuses is told once, blocked or not."""
    made = blocked(dataclasses.replace(PLAIN, scopes=frozenset({WRITE}), protected=True))
    assert (codes(made), made.warnings) == (["protected"], ())
    assert [(action.token, made.permits(action)) for action in made.actions] == [(f"{CI}.g2", True), ("web.g2", False)]


def test_a_bound_does_not_change_what_is_not_due() -> None:
    """An action that a bound forbids is told as it would be told without the bound, with its cause and reasons."""
    taking = entry(deliver=(target(takeover=True),), previously=renamed("was"))
    of = spec(taking, entry("web", scopes=frozenset({WRITE})), policy=NONE_MAY_CHANGE)
    looks = {taking.deliver[0].place: holds(token("other"))}
    tokens = [token(), token("web"), token("other")]
    bounded, free = plan(of, tokens, looks), plan(dataclasses.replace(of, policy=UNBOUNDED), tokens, looks)
    assert ([block.code for block in bounded.blocks], free.blocks) == (["max_changes"], ())
    assert bounded.entries == free.entries
    assert [(action.cause, bounded.permits(action)) for action in bounded.actions] == [
        (Cause.DRIFT, False),
        (Cause.SPEC, False),
    ]


def test_what_is_not_due_waits_in_a_blocked_plan() -> None:
    """A change of a token that is not due is shown as it is, and is not done."""
    made = plan(spec(entry(scopes=frozenset({WRITE})), policy=NONE_MAY_CHANGE), [token()])
    assert (only(made).cause, only(made).scopes, made.permits(only(made))) == (Cause.SPEC, (WRITE,), False)
    assert made.warnings == ()


def test_a_change_and_the_time_without_a_bound() -> None:
    """Where nothing forbids it, a token that is due is replaced by what the spec asks, and all reasons are told."""
    made = plan(dataclasses.replace(PLAIN, scopes=frozenset({WRITE})), [OLD])
    assert (only(made).cause, only(made).scopes, len(only(made).reasons)) == (Cause.SPEC, (WRITE,), 2)

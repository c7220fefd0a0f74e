"""The strategy in_place: the same token gets a new secret, and nobody else's rotation goes unnoticed."""

from __future__ import annotations

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
    endless,
    entry,
    holds,
    holds_since,
    hours,
    mark,
    marks_only,
    only,
    plan,
    seconds,
    spec,
    target,
    token,
    told,
    unknown,
)
from tooken_ci.base.record import MarkKind
from tooken_ci.plan.focus import Focus
from tooken_ci.plan.model import Cause
from tooken_ci.spec.model import Bound, Policy

if TYPE_CHECKING:
    import datetime as dt

    from tooken_ci.spec.model import Entry
    from tooken_ci.tooken.model import Token

NOW_CI = Focus(names=frozenset({CI}), forced=True)
NOW_OTHER = Focus(names=frozenset({"other"}), forced=True)
ROTATE, REPLACE = [f"rotate {CI}"], [f"replace {CI}.g2"]
PENDING = mark(CI, kind=MarkKind.ROTATE)


def in_place(**changes: Any) -> Entry:
    """An entry that gets a new secret every ten days, with a jitter of at most one."""
    return endless(rotate_every=days(10), in_place=True, **changes)


def ageless(age: dt.timedelta | None = None) -> Token:
    """A token without an end, made 300 days ago or so."""
    return token(age=days(300) if age is None else age, expires_at=None)


@pytest.mark.parametrize(("age", "expected"), [(days(8.9), []), (days(10), ROTATE)])
def test_the_age_is_that_of_the_secret(age: dt.timedelta, expected: list[str]) -> None:
    """What counts is when the secret was made, as the record tells; not when the token was."""
    old = ageless()
    made = plan(in_place(), [old], holds_since(old, age))
    assert told(made) == expected
    assert {action.cause for action in made.actions} <= {Cause.TIME}


def test_a_rotation_keeps_what_it_does_not_change() -> None:
    """A rotate is of the same token: its name, id, scopes and end stay, and every destination is written."""
    old = ageless()
    (place,) = in_place().deliver
    action = only(plan(in_place(), [old], holds_since(old, days(11))))
    assert (action.token, action.number, action.id) == (CI, 1, old.id)
    assert (action.scopes, action.expires_at, action.revoke_after) == ((READ,), None, None)
    assert (action.destinations, action.held, action.mints) == ((place.place,), True, False)


def test_what_a_rotation_cannot_change_is_replaced() -> None:
    """Other scopes, and an end that comes near, are a replace whatever the strategy, also where a rotation is due."""
    old = ageless()
    assert told(plan(in_place(scopes=frozenset({WRITE})), [old], holds_since(old, days(11)))) == [f"replace {CI}.g2"]
    ends = entry(rotate_every=days(10), in_place=True)
    near = token(age=days(25))
    assert told(plan(ends, [near], holds_since(near, days(1)))) == REPLACE


@pytest.mark.parametrize(
    ("look", "cause"),
    [
        (empty(), Cause.SPEC),
        (edited(ageless()), Cause.DRIFT),
        (marks_only(mark(CI)), Cause.REPAIR),
        (holds(ageless(days(1)), PENDING), Cause.REPAIR),
    ],
    ids=["empty", "edited", "marks only", "pending"],
)
def test_a_secret_that_is_needed_is_made_anew(look: Any, cause: Cause) -> None:
    """Where no destination can give the secret, the token is rotated, and the plan says why."""
    made = plan(in_place(), [ageless(days(1))], look, rotations={})
    assert told(made) == ROTATE
    assert only(made).cause is cause


def test_a_secret_that_can_be_copied() -> None:
    """A destination that was added gets a copy from one that holds the secret."""
    old, both = ageless(), in_place(deliver=(target("file a"), target("file b")))
    made = plan(both, [old], {"file a": holds_since(old, days(1)), "file b": empty()})
    assert told(made) == [f"redeliver {CI}"]
    assert only(made).destinations == ("file b",)


def test_an_unfinished_rotation_is_done_again_everywhere() -> None:
    """While a rotate mark is open nothing is copied: nobody knows which secret is alive."""
    old, both = ageless(), in_place(deliver=(target("file a"), target("file b")))
    made = plan(both, [old], {"file a": holds_since(old, days(0)), "file b": holds_since(old, days(9), PENDING)})
    assert told(made) == ROTATE
    assert only(made).cause is Cause.REPAIR
    assert only(made).destinations == ("file a", "file b")


def test_an_unfinished_rotation_of_an_entry_that_replaces_now() -> None:
    """Where the strategy has changed since, what an unfinished rotation left is replaced."""
    old = ageless()
    assert told(plan(endless(overlap=hours(1)), [old], holds(old, PENDING))) == REPLACE


@pytest.mark.parametrize(("later", "expected"), [(hours(5), ROTATE), (seconds(5), []), (-hours(1), [])])
def test_a_rotation_of_somebody_elses(later: dt.timedelta, expected: list[str]) -> None:
    """A rotation in the dashboard killed the secret that was delivered, so it is rotated again; its own is known."""
    old = ageless()
    made = plan(in_place(), [old], holds_since(old, days(2)), rotations={old.id: NOW - days(2) + later})
    assert told(made) == expected
    assert {action.cause for action in made.actions} <= {Cause.DRIFT}


def test_a_place_that_was_restored_from_a_backup() -> None:
    """A destination whose record is older than another's holds a dead secret, and gets the living one."""
    old, both = ageless(), in_place(deliver=(target("file a"), target("file b")))
    made = plan(both, [old], {"file a": holds_since(old, days(1)), "file b": holds_since(old, days(5))})
    assert told(made) == [f"redeliver {CI}"]
    assert only(made).destinations == ("file b",)


def test_a_secret_of_unknown_age() -> None:
    """A token that is adopted is not rotated where neither a record nor the audit log tells of it; named, it is."""
    made = plan(in_place(), [ageless()], empty())
    assert (told(made), codes(made)) == ([], ["age"])
    assert told(plan(in_place(), [ageless()], empty(), rotations={})) == ROTATE
    assert told(plan(in_place(), [ageless()], empty(), focus=NOW_CI)) == ROTATE


def test_rotations_count_as_changes() -> None:
    """Rotations that drift causes are bounded as replaces are; those that are due are not."""
    policy = Policy(max_changes=Bound(number=0))
    old = ageless()
    both = in_place(deliver=(target("file a"), target("file b")))
    looks = {"file a": holds_since(old, days(1), readable=False), "file b": edited(old)}
    drifted = plan(spec(both, policy=policy), [old], looks)
    assert told(drifted) == ROTATE
    assert not any(map(drifted.permits, drifted.actions))
    aged = plan(spec(in_place(), policy=policy), [old], holds_since(old, days(11)))
    assert told(aged) == ROTATE
    assert all(map(aged.permits, aged.actions))


def test_a_blocked_plan_rotates_what_is_due() -> None:
    """Under a bound a rotation that is due goes on, and the change of scopes that is asked for waits."""
    old, other = ageless(), token("other", scopes=frozenset({WRITE}))
    both = spec(in_place(scopes=frozenset({WRITE})), entry("other"), policy=Policy(max_changes=Bound(number=1)))
    made = plan(both, [old, other], {f"file out/{CI}": holds_since(old, days(11))})
    assert told(made) == [f"rotate {CI}", "replace other.g2"]
    assert [made.permits(action) for action in made.actions] == [True, False]


def test_forced_entries_are_rotated_now() -> None:
    """A name that is given is rotated by its strategy, whatever its age; no other is."""
    tokens = [ageless(days(1)), token("other")]
    whole = spec(in_place(), entry("other"), policy=UNBOUNDED)
    assert told(plan(whole, tokens, focus=NOW_CI)) == ROTATE
    assert told(plan(whole, tokens, focus=NOW_OTHER)) == ["replace other.g2"]
    assert only(plan(whole, tokens, focus=NOW_OTHER)).cause is Cause.TIME


def test_an_unknown_place_does_not_make_it_rotate() -> None:
    """A destination that cannot be asked is no reason to rotate, and tells no age; the run says so."""
    made = plan(in_place(), [ageless()], unknown())
    assert (told(made), codes(made)) == ([], ["unknown", "age"])
    assert told(plan(in_place(), [ageless(days(1))], unknown(), rotations={})) == []

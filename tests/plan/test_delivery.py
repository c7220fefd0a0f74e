"""Rule 3: what is not delivered is copied from another destination, or replaced; and what that has as its cause."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.plan.builders import (
    CI,
    PLACE,
    WRITE,
    codes,
    damaged,
    edited,
    empty,
    entry,
    holds,
    mark,
    marks_only,
    only,
    plan,
    target,
    token,
    told,
    unknown,
)
from tooken_ci.plan.difference import Reason, strongest
from tooken_ci.plan.model import ActionKind, Cause
from tooken_ci.tooken.model import Status

if TYPE_CHECKING:
    from tooken_ci.base.record import Look

CURRENT = token()
REVOKED = token(f"{CI}.g7", status=Status.REVOKED)
TWO = entry(deliver=(target("file a"), target("file b")))
THREE = entry(deliver=(target("file a"), target("file b"), target("file c")))
NOT_HELD = [
    ("never written", empty(), Cause.SPEC),
    ("edited or emptied", edited(CURRENT), Cause.DRIFT),
    ("record damaged", damaged(), Cause.DRIFT),
    ("edited while marked", edited(CURRENT, mark()), Cause.REPAIR),
    ("only marks", marks_only(mark()), Cause.REPAIR),
    ("a revoked generation held", holds(REVOKED), Cause.REPAIR),
]
CASES = pytest.mark.parametrize(
    ("look", "cause"), [case[1:] for case in NOT_HELD], ids=[case[0] for case in NOT_HELD]
)  # fmt: skip


@CASES
def test_replaced_where_no_copy_is(look: Look, cause: Cause) -> None:
    """What the only destination does not hold is made anew; the reason names the place."""
    action = only(plan(entry(), [CURRENT], look, facts=[REVOKED]))
    assert (action.kind, action.cause, action.delivery_only, action.held) == (ActionKind.REPLACE, cause, True, False)
    (reason,) = action.reasons
    assert PLACE in reason


@CASES
def test_redelivered_where_a_copy_is(look: Look, cause: Cause) -> None:
    """What another destination holds and gives is copied from there, to those places only that lack it."""
    action = only(plan(THREE, [CURRENT], {"file b": look}, facts=[REVOKED]))
    assert (action.kind, action.token, action.id) == (ActionKind.REDELIVER, CI, CURRENT.id)
    assert (action.cause, action.destinations, action.scopes) == (cause, ("file b",), ("tokens:read",))
    assert (action.expires_at, action.number, action.revoke_after) == (CURRENT.expires_at, 1, None)


def test_replaced_where_the_copy_gives_nothing() -> None:
    """A destination that holds the secret but cannot be read is no source: everything is made anew."""
    looks = {"file a": holds(CURRENT, readable=False), "file b": empty()}
    action = only(plan(TWO, [CURRENT], looks))
    assert (action.kind, action.destinations, action.held) == (ActionKind.REPLACE, ("file a", "file b"), True)
    assert (action.cause, action.delivery_only) == (Cause.SPEC, True)


def test_older_generation_is_no_source() -> None:
    """The secret of an older generation is never copied; whoever holds it gets the current one."""
    tokens = [token(), token(f"{CI}.g2")]
    looks = {"file a": holds(tokens[0]), "file b": empty()}
    assert told(plan(TWO, tokens, looks))[0] == f"replace {CI}.g3"
    action = plan(TWO, tokens, {"file a": holds(tokens[0])}).actions[0]
    assert (action.kind, action.destinations, action.cause) == (ActionKind.REDELIVER, ("file a",), Cause.REPAIR)
    assert action.reasons == (f"'file a' still holds '{CI}'",)


def test_difference_outranks_a_copy() -> None:
    """A token that is to be replaced anyway is not copied first."""
    looks = {"file a": empty()}
    assert told(plan(TWO, [token(scopes=frozenset({WRITE}))], looks)) == [f"replace {CI}.g2"]


def test_marks_beside_a_held_secret() -> None:
    """Old marks of a run that ended do not make a held secret count as not delivered."""
    assert told(plan(entry(), [CURRENT], holds(CURRENT, mark()))) == []


def test_unknown_alone() -> None:
    """A destination that cannot be asked is no cause for a change, but its entry is not served either."""
    made = plan(entry(), [CURRENT], unknown())
    assert (told(made), codes(made), made.unchanged) == ([], ["unknown"], 0)
    (problem,) = made.problems
    assert not problem.stops
    assert "could not be asked" in problem.message
    assert "permission denied" in problem.message


def test_unknown_beside_one_that_lacks() -> None:
    """Only the place that surely lacks the secret is written by a copy."""
    looks = {"file a": unknown(), "file b": empty()}
    action = only(plan(THREE, [CURRENT], looks))
    assert (action.kind, action.destinations) == (ActionKind.REDELIVER, ("file b",))


def test_unknown_is_no_source() -> None:
    """Where the only other place cannot be asked, there is nothing to copy from."""
    action = only(plan(TWO, [CURRENT], {"file a": unknown(), "file b": empty()}))
    assert (action.kind, action.delivery_only, action.cause) == (ActionKind.REPLACE, True, Cause.SPEC)


@pytest.mark.parametrize(
    ("first", "second", "cause"),
    [
        (edited(CURRENT), empty(), Cause.SPEC),
        (marks_only(mark()), empty(), Cause.SPEC),
        (marks_only(mark()), edited(CURRENT), Cause.DRIFT),
        (holds(REVOKED), marks_only(mark()), Cause.REPAIR),
    ],
    ids=["spec over drift", "spec over repair", "drift over repair", "repair alone"],
)
def test_strongest_cause_counts(first: Look, second: Look, cause: Cause) -> None:
    """Where several causes hold, the order is spec, drift, time, repair, and every reason is told."""
    for looks in ({"file a": first, "file b": second}, {"file a": second, "file b": first}):
        action = only(plan(TWO, [CURRENT], looks, facts=[REVOKED]))
        assert (action.cause, len(action.reasons)) == (cause, 2)


def test_order_of_causes() -> None:
    """Spec goes before drift, drift before time, time before repair."""
    order = [Cause.SPEC, Cause.DRIFT, Cause.TIME, Cause.REPAIR]
    for first, cause in enumerate(order):
        assert strongest(Reason(other, "") for other in reversed(order[first:])) is cause

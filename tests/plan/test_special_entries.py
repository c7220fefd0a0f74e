"""Entries that are only watched, protected, or that end at a fixed time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.plan.builders import (
    CI,
    NOW,
    READ,
    WRITE,
    codes,
    days,
    edited,
    empty,
    ending,
    entry,
    hours,
    plan,
    seconds,
    spec,
    token,
    told,
)
from tooken_ci.plan.model import Cause

if TYPE_CHECKING:
    import datetime as dt

PROTECTED = entry(protected=True, scopes=frozenset({READ, WRITE}))


def test_watched_is_left_alone() -> None:
    """An entry without a destination keeps all its generations, and what would be due is a warning."""
    tokens = [token(age=days(9)), token(f"{CI}.g2", age=days(5), scopes=frozenset({WRITE}), expires_at=None)]
    made = plan(entry(deliver=(), overlap=hours(0)), tokens)
    assert (told(made), made.waiting, codes(made), made.managed) == ([], (), [], 2)
    assert len(made.warnings) == 2
    assert all("deliver" in warning and f"'{CI}'" in warning for warning in made.warnings)
    assert "lack tokens:read" in made.warnings[0]


def test_watched_as_asked() -> None:
    """A watched token that is as its entry asks is not worth a word."""
    made = plan(entry(deliver=()), [token()])
    assert (told(made), made.warnings, made.unchanged) == ([], (), 1)


def test_watched_and_missing() -> None:
    """A watched entry without a token is an error that asks for a destination; nothing is made."""
    made = plan(entry(deliver=()), [])
    assert (told(made), codes(made), made.unchanged) == ([], ["missing"], 0)
    assert "deliver" in made.problems[0].hint
    assert made.blocked_by == ()


def test_protected_keeps_its_scopes() -> None:
    """A change of scopes is refused to a protected entry: nothing is made, and the plan counts as forbidden."""
    made = plan(PROTECTED, [token()])
    assert (told(made), codes(made), made.blocked_by, made.blocks) == ([], ["protected"], ("protected",), ())
    assert "[tokens:read]" in made.problems[0].message
    assert "[tokens:read, tokens:write]" in made.problems[0].message


@pytest.mark.parametrize(
    ("changes", "expected"),
    [({"expires_at": None}, f"replace {CI}.g2"), ({"name": f"{CI}.g2"}, f"replace {CI}.g3")],
    ids=["endless", "endless second"],
)
def test_protected_is_still_served(changes: dict[str, Any], expected: str) -> None:
    """What else is due for a protected entry goes on, with the scopes that it has."""
    old = token(**{"expires_at": None, **changes})
    made = plan(PROTECTED, [old])
    assert (told(made), codes(made)) == ([expected], ["protected"])
    assert made.actions[0].scopes == (READ,)
    assert made.permits(made.actions[0])


def test_protected_delivery_is_mended() -> None:
    """A lost secret of a protected entry is made anew with the scopes that it has."""
    made = plan(PROTECTED, [token()], edited(token()))
    assert [(action.cause, action.scopes) for action in made.actions] == [(Cause.DRIFT, (READ,))]


def test_protected_retires_its_older_generations() -> None:
    """Protection does not keep older generations alive."""
    same = entry(protected=True)
    tokens = [token(age=days(9)), token(f"{CI}.g2", age=days(5))]
    made = plan(same, tokens)
    assert (told(made), codes(made)) == ([f"revoke {CI}"], [])


def test_protected_is_created_as_asked() -> None:
    """A protected entry without a token gets one with the scopes of the spec."""
    made = plan(PROTECTED, [])
    assert (told(made), codes(made), made.actions[0].scopes) == ([f"create {CI}"], [], (READ, WRITE))


@pytest.mark.parametrize(
    ("end", "expected"),
    [(NOW, ["expired"]), (NOW - days(1), ["expired"]), (NOW + seconds(1), [])],
    ids=["now", "yesterday", "in a second"],
)
def test_past_its_expiry(end: dt.datetime, expected: list[str]) -> None:
    """Once the absolute end has come that entry alone fails, whether it is delivered or watched; the others go on."""
    for of in (ending(end), ending(end, deliver=())):
        made = plan(spec(of, entry("web")), [token(expires_at=end)])
        assert (codes(made), "create web" in told(made)) == (expected, True)
        assert (made.blocked_by, made.blocks) == ((), ())
        assert [action for action in made.actions if action.entry == CI] == []


def test_past_its_expiry_makes_nothing() -> None:
    """Neither a lost delivery nor a missing token is mended for an entry that has ended."""
    assert told(plan(ending(NOW - days(1)), [], empty())) == []
    assert told(plan(ending(NOW - days(1)), [token(), token(f"{CI}.g2")], empty())) == []


@pytest.mark.parametrize(("left", "warned"), [(days(7), 1), (days(7) + seconds(1), 0), (seconds(1), 1)])
def test_soon_over(left: dt.timedelta, warned: int) -> None:
    """The coming end of an absolute expiry is a warning for a week, and no cause to replace."""
    for of in (ending(NOW + left), ending(NOW + left, deliver=())):
        made = plan(of, [token(expires_at=NOW + left)])
        assert (told(made), codes(made), len(made.warnings)) == ([], [], warned)
        assert all("is not renewed" in warning for warning in made.warnings)

"""How long tokens live, and which of them the next run will see to."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.plan import builders as b
from tooken_ci.plan.due import due
from tooken_ci.plan.timeline import LifeKind, due_soon, timeline


def test_generations_and_what_is_planned() -> None:
    """An entry's older generations retire, its newest is current, and what the plan makes begins with the plan."""
    entry = b.entry(scopes=frozenset({b.WRITE}))
    tokens = [b.token(age=b.days(5)), b.token("ci-deploy.g2", age=b.days(3))]
    lives = timeline(b.spec(entry), tokens, b.plan(entry, tokens), most=50)
    assert [(life.token, life.kind, life.starts, life.ends) for life in lives] == [
        ("ci-deploy", LifeKind.RETIRING, b.NOW - b.days(5), b.NOW + b.days(25)),
        ("ci-deploy.g2", LifeKind.CURRENT, b.NOW - b.days(3), b.NOW + b.days(27)),
        ("ci-deploy.g3", LifeKind.PLANNED, b.NOW, b.NOW + b.days(30)),
    ]
    assert [life.due is not None for life in lives] == [False, True, False]


def test_one_that_never_ends() -> None:
    """A token without an end is never due, and has none."""
    entry = b.endless()
    (life,) = timeline(b.spec(entry), [b.token(expires_at=None)], b.plan(entry, [b.token(expires_at=None)]), most=50)
    assert (life.ends, life.due, life.due_soon) == (None, None, "")


@pytest.mark.parametrize(("entries", "tokens", "found"), [(2, 2, 2), (3, 0, 0), (2, 3, 0)])
def test_no_more_than_can_be_drawn(entries: int, tokens: int, found: int) -> None:
    """Of more entries, or more tokens, than there may be none is given."""
    names = ["a", "b", "c"][:entries]
    spec = b.spec(*(b.entry(name) for name in names))
    every = [b.token(name) for name in ("a", "b", "b.g2")[:tokens]]
    assert len(timeline(spec, every, b.plan(spec, every), most=2)) == found


@given(age=st.floats(0, 29), name=st.from_regex(r"[a-z]{1,8}", fullmatch=True))
def test_due_soon_is_what_the_next_run_replaces(age: float, name: str) -> None:
    """A token is told exactly where this run leaves it, and one that comes a ``runs_every`` later does not."""
    entry, token = b.entry(name), b.token(name, age=b.days(age))
    made = b.plan(entry, [token])
    renewal = due(entry, token).renewal
    assert renewal is not None
    soon = due_soon(b.spec(entry), [token], made)
    assert bool(soon) == (b.NOW < renewal <= b.NOW + entry.runs_every)
    assert not (soon and made.actions)


def test_sooner_ones_come_first() -> None:
    """They are told in the order in which they fall due; what is watched, or seen to by this plan, is not told."""
    entries = [b.entry("a"), b.entry("b"), b.entry("c", scopes=frozenset({b.WRITE})), b.entry("d", deliver=())]
    tokens = [b.token("a", age=b.days(18.1)), b.token("b", age=b.days(18.9)), *map(b.token, "cd")]
    spec = b.spec(*(dataclasses.replace(entry, runs_every=b.days(5)) for entry in entries))
    found = due_soon(spec, tokens, b.plan(spec, tokens))
    assert {life.token for life in found} <= {"a", "b"}
    assert [life.due for life in found] == sorted(life.due for life in found if life.due)


def test_in_place_is_told_by_its_end_alone() -> None:
    """Nothing here tells how old the secret of a token is that is rotated in place."""
    entry = b.entry(rotate_every=b.days(3), in_place=True)
    token = b.token(age=b.days(2.5))
    assert due_soon(b.spec(entry), [token], b.plan(entry, [token], rotations={})) == ()

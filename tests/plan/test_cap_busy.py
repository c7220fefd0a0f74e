"""The cap on living generations, and another run at work on the same entry."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.plan.builders import (
    CI,
    NOW,
    OTHER_RUN,
    PLACE,
    RUN,
    WRITE,
    codes,
    days,
    edited,
    empty,
    entry,
    holds,
    hours,
    mark,
    marks_only,
    minutes,
    plan,
    seconds,
    spec,
    target,
    token,
    told,
    unknown,
)
from tooken_ci.plan.model import Cause
from tooken_ci.plan.terms import Terms

if TYPE_CHECKING:
    import datetime as dt

    from tooken_ci.base.record import Look
    from tooken_ci.tooken.model import Token

CHANGED = entry(scopes=frozenset({WRITE}))
YOUNG = minutes(3) - seconds(1)


def generations_after(number: int, *, age: dt.timedelta) -> list[Token]:
    """Two more generations, the older one of that age."""
    return [token(f"{CI}.g{number + more}", age=age - minutes(more)) for more in (1, 2)]


def generations(number: int) -> list[Token]:
    """So many generations, each a minute younger than the one before, none of them due."""
    return [
        token(CI if index == 1 else f"{CI}.g{index}", age=hours(2) - minutes(index)) for index in range(1, number + 1)
    ]


@pytest.mark.parametrize(
    ("alive", "actions", "problems"),
    [(3, [f"replace {CI}.g4"], []), (4, [], ["cap"]), (5, [], ["cap"])],
)
def test_cap(alive: int, actions: list[str], problems: list[str]) -> None:
    """At four living generations nothing more is minted, and the entry fails."""
    made = plan(CHANGED, generations(alive))
    assert (told(made), codes(made)) == (actions, problems)


def test_cap_names_what_could_go() -> None:
    """At the cap the message names the generations that no record names, and only those."""
    tokens = generations(4)
    of = entry(scopes=frozenset({WRITE}), deliver=(target("file a"), target("file b")))
    made = plan(of, tokens, {"file a": holds(tokens[3]), "file b": edited(tokens[1])})
    (problem,) = made.problems
    assert f"'tooken-ci revoke {CI}.g1' or 'tooken-ci revoke {CI}.g3' would free a place" in problem.hint
    assert f"{CI}.g2" not in problem.hint
    assert f"{CI}.g4" not in problem.hint
    assert "4 generations" in problem.message


def test_cap_with_all_recorded() -> None:
    """Where every generation is recorded somewhere, the message advises to revoke none."""
    tokens = generations(4)
    of = entry(scopes=frozenset({WRITE}), deliver=tuple(target(f"file {place}") for place in "abcd"))
    made = plan(of, tokens, {f"file {place}": holds(held) for place, held in zip("abcd", tokens, strict=True)})
    assert "tooken-ci revoke" not in made.problems[0].hint
    assert "names each of them" in made.problems[0].hint


def test_cap_never_advises_what_goes_anyway() -> None:
    """A generation that the same run revokes is told as going, and not as what to revoke by hand."""
    tokens = [token(CI, age=days(9)), token(f"{CI}.g2", age=days(8)), *generations_after(2, age=hours(2))]
    made = plan(CHANGED, tokens)
    assert (told(made), codes(made)) == ([f"revoke {CI}"], ["cap"])
    (problem,) = made.problems
    assert f"This run revokes '{CI}'" in problem.hint
    assert "revoke ci-deploy.g1'" not in problem.hint
    assert f"'tooken-ci revoke {CI}.g2' or 'tooken-ci revoke {CI}.g3' would" in problem.hint


@pytest.mark.parametrize(
    "look",
    [
        holds(token(f"{CI}.g4"), mark(f"{CI}.g3"), readable=False),
        edited(token(f"{CI}.g4"), mark(f"{CI}.g3")),
        unknown(),
    ],
    ids=["a mark names it", "a mark names it beside another value", "a destination cannot be asked"],
)
def test_cap_advises_nothing_that_may_be_held(look: Look) -> None:
    """What a mark names may stand at that destination; and where one cannot be asked, everything may."""
    made = plan(entry(scopes=frozenset({WRITE}), overlap=days(30)), generations(4), look)
    problem = next(problem for problem in made.problems if problem.code == "cap")
    assert f"revoke {CI}.g3" not in problem.hint


def test_cap_advises_what_surely_was_not_written() -> None:
    """Where the value itself is seen to be the recorded one, the mark of a run that died names nothing that stands."""
    made = plan(CHANGED, generations(4), holds(generations(1)[0], mark(f"{CI}.g3")))
    assert f"'tooken-ci revoke {CI}.g3'" in made.problems[0].hint


def test_cap_where_marks_name_all() -> None:
    """Where runs that did not finish may have left each of them somewhere, the way out is told with its risk."""
    tokens = generations(4)
    of = entry(scopes=frozenset({WRITE}), deliver=(target("file a"), target("exec b")))
    marked = holds(tokens[0], *(mark(f"{CI}.g{number}") for number in (2, 3, 4)), readable=False)
    (problem,) = plan(of, tokens, {"file a": holds(tokens[3]), "exec b": marked}).problems
    assert f"'tooken-ci revoke {CI}.g2' or 'tooken-ci revoke {CI}.g3' would free a place" in problem.hint
    assert "may have left its secret at 'exec b'; apply right afterwards" in problem.hint


def test_cap_advises_nothing_young() -> None:
    """A generation that another run may just have made is none to revoke by hand."""
    tokens = [*generations(3), token(f"{CI}.g4", age=minutes(1))]
    made = plan(CHANGED, tokens, edited(tokens[0], value_newer=False))
    problem = next(problem for problem in made.problems if problem.code == "cap")
    assert f"'tooken-ci revoke {CI}.g2' or 'tooken-ci revoke {CI}.g3' would" in problem.hint


def test_cap_does_not_stop_a_copy() -> None:
    """A redeliver makes no generation, so it goes on at the cap."""
    tokens = generations(4)
    of = entry(deliver=(target("file a"), target("file b")))
    made = plan(of, tokens, {"file b": empty()})
    assert (told(made), codes(made)) == ([f"redeliver {CI}.g4"], [])


def test_cap_lets_the_old_ones_go() -> None:
    """What is due for revocation goes at the cap too, so that the next run finds room; what may be held stays."""
    tokens = [token(CI if age == 9 else f"{CI}.g{10 - age}", age=days(age)) for age in (9, 8, 7, 6)]
    made = plan(CHANGED, tokens, edited(tokens[1], value_newer=False))
    assert (told(made), codes(made)) == ([f"revoke {CI}", f"revoke {CI}.g3"], ["cap"])
    assert [(waiting.token, waiting.held_by) for waiting in made.waiting] == [
        (f"{CI}.g2", "the current generation is not delivered everywhere")
    ]
    assert all(made.permits(action) and action.cause is Cause.TIME for action in made.actions)


@pytest.mark.parametrize(
    ("look", "busy"),
    [
        (edited(token(), mark(age=YOUNG)), True),
        (edited(token(), mark(age=minutes(3))), False),
        (edited(token(), mark(age=-minutes(1))), True),
        (edited(token(), mark(age=YOUNG, run=RUN)), False),
        (edited(token(), mark(age=hours(1)), mark(age=YOUNG)), True),
        (holds(token(), mark(age=YOUNG)), True),
        (marks_only(mark(age=YOUNG)), True),
        (empty(), False),
    ],
    ids=[
        "young", "three minutes old", "ahead of the clock", "our own", "old and young", "beside a held secret",
        "alone", "none",
    ],
)  # fmt: skip
def test_marks(look: Look, *, busy: bool) -> None:
    """Another run's mark younger than three minutes makes an entry busy that has something to do."""
    made = plan(CHANGED, [token()], look)
    assert codes(made) == (["busy"] if busy else [])
    assert told(made) == [f"replace {CI}.g2"]
    assert made.permits(made.actions[0]) is not busy


def test_mark_stops_revocations_too() -> None:
    """Nothing at all is done for a busy entry."""
    tokens = [token(age=days(9)), token(f"{CI}.g2", age=days(5))]
    made = plan(entry(), tokens, holds(tokens[1], mark(age=YOUNG)))
    assert (told(made), codes(made)) == ([f"revoke {CI}"], ["busy"])
    assert not made.permits(made.actions[0])


def test_busy_with_nothing_to_do() -> None:
    """Where nothing is to be done, nobody is in the way."""
    made = plan(entry(), [token()], holds(token(), mark(age=YOUNG)))
    assert (told(made), codes(made), made.unchanged) == ([], [], 1)


def test_busy_tells_who_and_when() -> None:
    """The message names the newest run, and the hint tells from when on another try makes sense."""
    look = edited(token(), mark(f"{CI}.g2", age=minutes(2), run="older"), mark(f"{CI}.g3", age=minutes(1)))
    (problem,) = plan(entry(), [token()], look).problems
    assert OTHER_RUN in problem.message
    assert f"{CI}.g3" in problem.message
    assert "older" not in problem.message
    assert "2026-11-23T19:22:15Z" in problem.hint


@pytest.mark.parametrize(
    ("age", "look", "busy"),
    [
        (YOUNG, empty(), True),
        (minutes(3), empty(), False),
        (YOUNG, holds(token()), True),
        (YOUNG, unknown(), True),
        (YOUNG, edited(token(f"{CI}.g2")), False),
    ],
    ids=["young", "three minutes old", "older one held", "nobody can tell", "delivered before"],
)
def test_young_generation(age: dt.timedelta, look: Look, *, busy: bool) -> None:
    """A generation that is younger than three minutes and that no record names may be another run's."""
    made = plan(CHANGED, [token(age=days(1)), token(f"{CI}.g2", age=age)], look)
    assert (told(made), "busy" in codes(made)) == ([f"replace {CI}.g3"], busy)


def test_busy_stops_only_its_entry() -> None:
    """A busy entry keeps no other from being served, and does not count as forbidden."""
    made = plan(spec(entry(), entry("web")), [token()], {PLACE: edited(token(), mark(age=YOUNG))})
    assert [(action.entry, made.permits(action)) for action in made.actions] == [(CI, False), ("web", True)]
    assert (made.blocked_by, made.now) == ((), NOW)


@pytest.mark.parametrize(
    ("grace", "age", "busy"),
    [(0, 0, False), (0, -1, False), (60, 59, True), (60, 60, False), (600, 599, True)],
    ids=["none", "none, ahead of the clock", "younger", "as old", "a long one"],
)
def test_busy_grace(grace: float, age: float, *, busy: bool) -> None:
    """What the user sets is the age that counts, for marks and for generations; 0 = nothing counts as busy."""
    terms = Terms(busy_grace=seconds(grace))
    marked = plan(CHANGED, [token()], edited(token(), mark(age=seconds(age))), terms=terms)
    made = plan(CHANGED, [token(age=days(1)), token(f"{CI}.g2", age=seconds(age))], holds(token()), terms=terms)
    assert [codes(marked), codes(made)] == ([["busy"]] * 2 if busy else [[]] * 2)
    if busy:
        assert marked.problems[0].until == made.problems[0].until == NOW + seconds(grace - age)
        assert str((NOW + seconds(grace - age)).time()) in marked.problems[0].hint

"""Whose record stands at a destination: what is somebody else's is never overwritten on a guess."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.plan.builders import (
    CI,
    PLACE,
    WRITE,
    codes,
    edited,
    empty,
    entry,
    holds,
    hours,
    mark,
    marks_only,
    minutes,
    only,
    plan,
    record,
    spec,
    target,
    token,
    told,
)
from tooken_ci.base.record import Look, State
from tooken_ci.plan.model import ActionKind, Cause
from tooken_ci.plan.view import recorded_ids
from tooken_ci.tooken.model import Status

if TYPE_CHECKING:
    import datetime as dt

    from tooken_ci.tooken.model import Token

WEB = token("web")
GONE = token("web.g2", status=Status.REVOKED)
TAKING = entry(deliver=(target(takeover=True),))
CHANGED = entry(scopes=frozenset({WRITE}))


@pytest.mark.parametrize(
    "look",
    [
        holds(token(), workspace="staging"),
        Look(state=State.ABSENT, record=record(token(), workspace="staging"), reason="its value was emptied"),
        Look(state=State.ABSENT, record=record(None, mark(), workspace="staging"), reason="only its mark"),
        Look(state=State.ABSENT, record=record(None, workspace="staging"), reason="nothing"),
    ],
    ids=["held", "edited", "only a mark", "empty record"],
)
@pytest.mark.parametrize("takeover", [True, False], ids=["takeover", "plain"])
def test_another_workspace(look: Look, *, takeover: bool) -> None:
    """A record of another workspace's label blocks the entry, also where it may be taken over."""
    made = plan(entry(deliver=(target(takeover=takeover),), scopes=frozenset({WRITE})), [token()], look)
    assert (told(made), codes(made), made.blocked_by, made.blocks) == ([], ["record"], ("record",), ())
    assert "'staging'" in made.problems[0].message
    assert "'production'" in made.problems[0].message
    assert PLACE in made.problems[0].message


@pytest.mark.parametrize("look", [holds(WEB), edited(WEB)], ids=["held", "edited"])
@pytest.mark.parametrize("takeover", [True, False], ids=["takeover", "plain"])
def test_unknown_id(look: Look, *, takeover: bool) -> None:
    """An id that this workspace does not know blocks the entry: probably the key is the wrong one."""
    made = plan(entry(deliver=(target(takeover=takeover),)), [], look, unknown_ids=[WEB.id])
    assert (told(made), codes(made), made.blocked_by) == ([], ["record"], ("record",))
    assert WEB.id in made.problems[0].message
    assert "key" in made.problems[0].hint


def test_id_that_was_not_looked_up() -> None:
    """An id that nobody asked the workspace about counts as unknown, never as known."""
    assert codes(plan(entry(), [], holds(WEB))) == ["record"]


@pytest.mark.parametrize(
    ("tokens", "facts", "name"),
    [([token(), WEB], [], "web"), ([token()], [GONE], "web.g2"), ([token()], [token(f"{CI}.g1")], f"{CI}.g1")],
    ids=["active", "revoked", "looks like a generation"],
)
def test_another_entrys_token(tokens: list[Token], facts: list[Token], name: str) -> None:
    """A record of a token that is no generation of the entry blocks it, and the message names the token."""
    look = holds(facts[0] if facts else WEB)
    made = plan(CHANGED, tokens, look, facts=facts)
    assert (told(made), codes(made), made.blocked_by) == ([], ["record"], ("record",))
    assert f"'{name}'" in made.problems[0].message
    assert "takeover" in made.problems[0].hint


@pytest.mark.parametrize(("tokens", "facts"), [([token(), WEB], []), ([token()], [GONE])], ids=["active", "revoked"])
def test_takeover(tokens: list[Token], facts: list[Token]) -> None:
    """With ``takeover: true`` that destination counts as not holding the entry's secret."""
    made = plan(TAKING, tokens, holds(facts[0] if facts else WEB), facts=facts)
    action = only(made)
    assert (action.kind, action.cause, action.held, codes(made)) == (ActionKind.REPLACE, Cause.DRIFT, False, [])
    assert "taken over" in action.reasons[0]


def test_takeover_needs_no_number_of_the_others() -> None:
    """The number of the other entry's generation does not count for this one's."""
    made = plan(TAKING, [token()], holds(token("web.g9")), facts=[token("web.g9")])
    assert told(made) == [f"replace {CI}.g2"]


@pytest.mark.parametrize(("age", "problems"), [(minutes(1), ["busy"]), (minutes(3), [])], ids=["young", "old"])
def test_takeover_sees_other_runs(age: dt.timedelta, problems: list[str]) -> None:
    """A young mark beside what is to be taken over makes the entry busy like any other."""
    made = plan(TAKING, [token(), WEB], holds(WEB, mark(age=age)))
    assert (codes(made), told(made)) == (problems, [f"replace {CI}.g2"])


def test_takeover_keeps_what_may_be_there() -> None:
    """Generations stay alive as long as the taken-over destination may hold them by an open mark."""
    old, new = token(age=hours(90)), token(f"{CI}.g2", age=hours(60))
    tokens = [old, new, token(f"{CI}.g3", age=hours(50)), token(f"{CI}.g4", age=hours(40)), WEB]
    made = plan(TAKING, tokens, holds(WEB, mark(CI)))
    assert (codes(made), CI in [waiting.token for waiting in made.waiting]) == (["cap"], True)


def test_own_generations_are_nobodys_else() -> None:
    """Records of the entry's own generations, alive, revoked or expired, block nothing."""
    for known in (token(f"{CI}.g5", status=Status.REVOKED), token(f"{CI}.g5", status=Status.EXPIRED)):
        made = plan(entry(), [token()], edited(known), facts=[known])
        assert (told(made), codes(made)) == ([f"replace {CI}.g6"], [])


def test_the_token_counts_not_the_record() -> None:
    """Whose record it is tells the token's name in the workspace, not the name that the record gives."""
    claimed = token(CI, id=WEB.id)
    assert codes(plan(entry(), [token(), WEB], holds(claimed))) == ["record"]


def test_ids_to_look_up() -> None:
    """Each recorded id that is not active is to be looked up once, also beside a value that is not the recorded one."""
    looks = [holds(WEB), edited(GONE), holds(GONE), holds(token()), marks_only(mark()), empty()]
    assert recorded_ids(looks, [token()]) == recorded_ids(looks, frozenset({token().id})) == (WEB.id, GONE.id)


def test_record_blocks_only_its_entry() -> None:
    """The other entries go on, and the blocked one's older generations stay."""
    tokens = [token(age=hours(90)), token(f"{CI}.g2", age=hours(60)), WEB]
    made = plan(spec(entry(), entry("api")), tokens, {PLACE: holds(WEB)})
    assert (told(made), codes(made), made.waiting) == (["create api"], ["record"], ())
    assert made.permits(made.actions[0])


def test_every_foreign_record_is_told() -> None:
    """All destinations with somebody else's record are named, not only the first."""
    of = entry(deliver=(target("file a"), target("file b"), target("file c")))
    look = Look(state=State.ABSENT, record=record(None, mark(), workspace="staging"), reason="only its mark")
    made = plan(of, [token(), WEB], {"file a": holds(WEB), "file b": look, "file c": marks_only(mark())})
    assert codes(made) == ["record", "record"]
    assert [name for name in "abc" for problem in made.problems if f"'file {name}'" in problem.message] == ["a", "b"]

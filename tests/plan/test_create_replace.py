"""Rules 1 and 2: an entry without a token gets one, and a token that is not as its entry asks is replaced."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.plan.builders import (
    CI,
    NOW,
    PLACE,
    READ,
    WRITE,
    days,
    edited,
    ending,
    endless,
    entry,
    holds,
    hours,
    mark,
    marks_only,
    minutes,
    only,
    plan,
    seconds,
    target,
    token,
    told,
)
from tooken_ci.plan.model import ActionKind, Cause
from tooken_ci.tooken.model import Status

if TYPE_CHECKING:
    from tooken_ci.base.record import Look
    from tooken_ci.spec.model import Entry
    from tooken_ci.tooken.model import Token

END = NOW + days(60)


def dead(name: str = CI, status: Status = Status.REVOKED) -> Token:
    return token(name, status=status)


def test_create() -> None:
    """An entry that nothing is known of gets its first generation, at every place, as the spec says."""
    action = only(plan(entry(scopes=frozenset({WRITE, READ}), deliver=(target("file b"), target("file a")))))
    assert (action.kind, action.token, action.number, action.id) == (ActionKind.CREATE, CI, 1, None)
    assert (action.cause, action.scopes, action.expires_at) == (Cause.SPEC, (READ, WRITE), NOW + days(30))
    assert (action.destinations, action.revoke_after, action.held) == (("file b", "file a"), None, False)


@pytest.mark.parametrize(
    ("of", "expected"),
    [(entry(expires_in=hours(72)), NOW + hours(72)), (ending(END), END), (endless(), None)],
    ids=["in", "at", "never"],
)
def test_expiry_asked_for(of: Entry, expected: object) -> None:
    """A new token ends after ``expires_in``, at ``expires_at``, or never."""
    assert only(plan(of)).expires_at == expected


@pytest.mark.parametrize(
    ("look", "known", "number", "cause"),
    [
        (edited(dead(f"{CI}.g3", Status.EXPIRED)), dead(f"{CI}.g3", Status.EXPIRED), 4, Cause.TIME),
        (edited(dead()), dead(), 2, Cause.DRIFT),
        (holds(dead()), dead(), 2, Cause.DRIFT),
        (marks_only(mark(CI)), None, 1, Cause.REPAIR),
    ],
    ids=["expired", "revoked", "revoked but held", "never made"],
)
def test_create_goes_on(look: Look, known: Token | None, number: int, cause: Cause) -> None:
    """Where the last generation is gone, the number goes on from the record, and the cause says how it went."""
    action = only(plan(entry(), [], look, facts=[known] if known else []))
    assert (action.kind, action.number, action.cause) == (ActionKind.CREATE, number, cause)


def test_nothing_to_do() -> None:
    """A token that is as asked and held everywhere needs nothing."""
    made = plan(entry(), [token()])
    assert (told(made), made.waiting, made.problems, made.warnings) == ([], (), (), ())
    assert (made.unchanged, made.managed, made.unmanaged, made.entries) == (1, 1, 0, ())


@pytest.mark.parametrize(
    ("wanted", "found", "words"),
    [
        ({READ, WRITE}, {READ}, "its scopes lack tokens:write"),
        ({READ}, {READ, WRITE}, "its scopes have tokens:write too many"),
        ({READ}, {WRITE}, "its scopes lack tokens:read and have tokens:write too many"),
    ],
    ids=["missing", "surplus", "both"],
)
def test_scopes_differ(wanted: set[str], found: set[str], words: str) -> None:
    """Other scopes, in either direction, are a reason to replace, and the reason names them."""
    old = token(scopes=frozenset(found))
    action = only(plan(entry(scopes=frozenset(wanted)), [old]))
    assert (action.kind, action.token, action.id) == (ActionKind.REPLACE, f"{CI}.g2", old.id)
    assert (action.cause, action.reasons, action.scopes) == (Cause.SPEC, (words,), tuple(sorted(wanted)))
    assert (action.held, action.delivery_only, action.revoke_after) == (True, False, NOW + hours(24))
    assert action.destinations == (PLACE,)


@pytest.mark.parametrize(
    ("of", "changes", "replaced"),
    [
        (ending(END), {"expires_at": END}, False),
        (ending(END), {"expires_at": END + seconds(60)}, False),
        (ending(END), {"expires_at": END + seconds(61)}, True),
        (ending(END), {"expires_at": END - seconds(1)}, False),
        (ending(END), {"expires_at": END - seconds(2)}, True),
        (ending(END), {"expires_at": None}, True),
        (entry(), {"expires_at": NOW - days(3) + days(30) + minutes(5)}, False),
        (entry(), {"expires_at": NOW - days(3) + days(30) + minutes(5) + seconds(1)}, True),
        (entry(), {"expires_at": NOW + days(12)}, False),
        (entry(), {"expires_at": None}, True),
        (endless(), {"expires_at": None}, False),
        (endless(), {"expires_at": END}, True),
    ],
    ids=[
        "at, exact", "at, with the spread", "at, over the spread", "at, rounded", "at, earlier", "at, but never",
        "in, within the tolerance", "in, over the tolerance", "in, shorter", "in, but never",
        "never", "never, but ends",
    ],
)  # fmt: skip
def test_expiry_differs(of: Entry, changes: dict[str, Any], *, replaced: bool) -> None:
    """Another absolute end, a missing end, or a life over five minutes too long is a reason to replace."""
    made = plan(of, [token(**changes)])
    assert told(made) == ([f"replace {CI}.g2"] if replaced else [])
    assert all(action.cause is Cause.SPEC and not action.delivery_only for action in made.actions)


def test_number_goes_on_over_records() -> None:
    """The next generation counts on from every living one and from every record of the entry's."""
    gone = token(f"{CI}.g6", status=Status.REVOKED)
    tokens = [token(scopes=frozenset({WRITE})), token(f"{CI}.g3", scopes=frozenset({WRITE}))]
    looks = {"file a": holds(tokens[1]), "file b": edited(gone)}
    made = plan(entry(deliver=(target("file a"), target("file b"))), tokens, looks, facts=[gone])
    assert told(made)[0] == f"replace {CI}.g7"


def test_number_of_another_name_does_not_count() -> None:
    """A record that gives the entry's own token another entry's name does not raise its number."""
    assert told(plan(entry(), [token()], edited(token("web.g9", id=token().id)))) == [f"replace {CI}.g2"]


def test_current_is_the_highest_number() -> None:
    """The highest number is the current generation, even where a lower one is younger."""
    tokens = [token(f"{CI}.g10", age=days(9)), token(f"{CI}.g9", age=days(2), scopes=frozenset({WRITE}))]
    assert told(plan(entry(), tokens)) == [f"revoke {CI}.g9"]


def test_one_replace_for_many_reasons() -> None:
    """Scopes, expiry and delivery that are all wrong make one replace that tells all of it."""
    old = token(scopes=frozenset({WRITE}), expires_at=None)
    action = only(plan(entry(), [old], edited(old)))
    assert len(action.reasons) == 3
    assert (action.kind, action.cause, action.delivery_only, action.held) == (
        ActionKind.REPLACE,
        Cause.SPEC,
        False,
        False,
    )


def test_first_generation_is_bare() -> None:
    """``NAME.g1`` is nobody's generation: it neither counts as the entry's token nor is it touched."""
    made = plan(entry(), [token(f"{CI}.g1")])
    assert (told(made), made.unmanaged) == ([f"create {CI}"], 1)

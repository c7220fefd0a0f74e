"""Rule 4: when an older generation may go, what holds it until then, and who is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.plan.builders import (
    CI,
    NOW,
    READ,
    WRITE,
    days,
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
    seconds,
    target,
    token,
    told,
    unknown,
    view,
)
from tooken_ci.plan.entry import due_revocations
from tooken_ci.plan.model import ActionKind, Cause

if TYPE_CHECKING:
    import datetime as dt

    from tooken_ci.base.record import Look

OLD = token(age=days(9))
NEW = token(f"{CI}.g2", age=hours(25))
TWO = entry(deliver=(target("file a"), target("file b")))


def test_revoked_after_the_overlap() -> None:
    """An older generation goes once its successor is delivered and its overlap has passed."""
    action = only(plan(entry(), [OLD, NEW]))
    assert (action.kind, action.token, action.id) == (ActionKind.REVOKE, CI, OLD.id)
    assert (action.cause, action.number, action.scopes) == (Cause.TIME, 1, (READ,))
    assert (action.expires_at, action.destinations) == (OLD.expires_at, ())


@pytest.mark.parametrize(
    ("overlap", "age", "due"),
    [
        (hours(24), hours(24), True),
        (hours(24), hours(24) - seconds(1), False),
        (hours(72), hours(71), False),
        (hours(0), hours(0), True),
        (hours(0), -minutes(1), True),
    ],
    ids=["to the second", "a second early", "a long overlap", "no overlap", "no overlap, clock behind"],
)
def test_overlap_counts_from_the_successor(overlap: dt.timedelta, age: dt.timedelta, *, due: bool) -> None:
    """The overlap begins when the next newer generation was made; with none, there is nothing to wait for."""
    made = plan(entry(overlap=overlap), [OLD, token(f"{CI}.g2", age=age)])
    assert told(made) == ([f"revoke {CI}"] if due else [])
    assert [waiting.id for waiting in made.waiting] == ([] if due else [OLD.id])


def test_waiting() -> None:
    """What is not due yet is listed with its time and what holds it, and the entry counts as unchanged."""
    newer = token(f"{CI}.g2", age=hours(4))
    made = plan(entry(), [OLD, newer])
    (waiting,) = made.waiting
    assert (waiting.entry, waiting.token, waiting.id) == (CI, CI, OLD.id)
    assert (waiting.revoke_after, waiting.held_by) == (NOW + hours(20), "its overlap has not passed")
    assert (made.unchanged, made.actions) == (1, ())


@pytest.mark.parametrize(
    ("overlap", "used", "until"),
    [
        (hours(24), hours(23), hours(1)),
        (hours(24), hours(24), None),
        (hours(24), hours(24) - seconds(1), seconds(1)),
        (hours(72), hours(23), hours(1)),
        (hours(72), hours(25), None),
        (hours(2), hours(1), hours(1)),
        (hours(2), hours(3), None),
        (hours(0), seconds(1), None),
        (hours(24), None, None),
    ],
    ids=[
        "used within the overlap", "used just before it", "used just within it", "a long overlap looks back a day",
        "and no further", "a short overlap looks back as far", "and no further than itself", "no overlap", "never used",
    ],
)  # fmt: skip
def test_still_used(overlap: dt.timedelta, used: dt.timedelta | None, until: dt.timedelta | None) -> None:
    """One that was used during the last ``min(overlap, 24h)`` is kept until then, and the plan warns who and when."""
    old = token(age=days(9), used=used)
    made = plan(entry(overlap=overlap), [old, token(f"{CI}.g2", age=days(4))])
    if until is None:
        assert (told(made), made.waiting, made.warnings) == ([f"revoke {CI}"], (), ())
        return
    (waiting,), (warning,) = made.waiting, made.warnings
    assert (told(made), waiting.revoke_after - NOW) == ([], until)
    assert waiting.held_by.startswith("it was used at 2026-11-")
    assert f"'{CI}' is kept" in warning


def test_several_generations() -> None:
    """Each older generation is judged by its own successor and its own use."""
    tokens = [
        token(age=days(9)),
        token(f"{CI}.g2", age=days(5), used=hours(3)),
        token(f"{CI}.g3", age=hours(30)),
        token(f"{CI}.g4", age=hours(2)),
    ]
    made = plan(entry(), tokens)
    assert told(made) == [f"revoke {CI}"]
    assert [(waiting.token, waiting.revoke_after - NOW) for waiting in made.waiting] == [
        (f"{CI}.g2", hours(21)),
        (f"{CI}.g3", hours(22)),
    ]
    assert len(made.warnings) == 1


def test_order_of_making_against_the_numbers() -> None:
    """The overlap counts from the next newer generation that stays, also where a lower number was made later."""
    first, last = token(age=minutes(2)), token(f"{CI}.g3", age=hours(25))
    assert told(plan(entry(), [first, token(f"{CI}.g2", age=minutes(1)), last])) == [f"revoke {CI}", f"revoke {CI}.g2"]
    used = token(f"{CI}.g2", age=minutes(1), used=seconds(1))
    assert [one.token for one in plan(entry(), [first, used, last]).waiting] == [CI, f"{CI}.g2"]


@pytest.mark.parametrize("look", [empty(), edited(NEW)], ids=["empty", "edited"])
def test_copied_generation_stays(look: Look) -> None:
    """A copy retires what is older than the copied generation, never that one, whatever the overlap."""
    made = plan(entry(overlap=hours(0), deliver=TWO.deliver), [OLD, NEW], {"file b": look})
    assert (told(made), made.waiting) == ([f"redeliver {CI}.g2", f"revoke {CI}"], ())


def test_replaced_one_waits_for_its_overlap() -> None:
    """What a replace retires is listed as waiting until the overlap from now has passed."""
    made = plan(entry(scopes=frozenset({WRITE})), [OLD])
    (waiting,) = made.waiting
    assert (told(made), waiting.id, waiting.revoke_after) == ([f"replace {CI}.g2"], OLD.id, NOW + hours(24))


@pytest.mark.parametrize("look", [holds(OLD), edited(OLD), empty()], ids=["held", "edited", "empty"])
def test_no_overlap_revokes_in_the_same_run(look: Look) -> None:
    """With an overlap of 0 the replaced generation goes in the run that replaces it, for the same cause."""
    made = plan(entry(scopes=frozenset({WRITE}), overlap=hours(0)), [OLD], look)
    assert told(made) == [f"replace {CI}.g2", f"revoke {CI}"]
    assert [action.cause for action in made.actions] == [Cause.SPEC, Cause.SPEC]


def test_older_ones_go_with_a_replace() -> None:
    """A replace lets go, once it is delivered, what is older than what it replaces and past its overlap."""
    made = plan(entry(scopes=frozenset({WRITE})), [OLD, NEW])
    assert told(made) == [f"replace {CI}.g3", f"revoke {CI}"]
    assert [waiting.token for waiting in made.waiting] == [f"{CI}.g2"]
    assert made.actions[1].cause is Cause.TIME


@pytest.mark.parametrize(
    ("looks", "cause"),
    [
        ({"file a": holds(OLD), "file b": empty()}, Cause.SPEC),
        ({"file a": holds(OLD), "file b": holds(NEW)}, Cause.REPAIR),
        ({"file a": holds(NEW), "file b": edited(NEW)}, Cause.DRIFT),
    ],
    ids=["replace", "copy of what is held", "copy of what was edited"],
)
def test_revocation_that_a_delivery_must_precede(looks: dict[str, Look], cause: Cause) -> None:
    """A revocation that only the coming delivery makes safe has its cause: what forbids one forbids both."""
    made = plan(TWO, [OLD, NEW], looks)
    delivery, revocation = made.actions
    assert (delivery.kind is ActionKind.REVOKE, revocation.token) == (False, CI)
    held_back = looks["file a"] == holds(OLD) or looks["file b"].value_newer
    assert (delivery.cause, revocation.cause) == (cause, cause if held_back else Cause.TIME)


@pytest.mark.parametrize("overlap", [hours(0), hours(24)], ids=["no overlap", "overlap passed"])
def test_unknown_destination_holds_everything(overlap: dt.timedelta) -> None:
    """While one destination cannot be asked, no generation of the entry goes, whatever else is due."""
    for of in (entry(overlap=overlap), entry(overlap=overlap, scopes=frozenset({WRITE}))):
        made = plan(of, [OLD, NEW], unknown())
        assert [action for action in made.actions if action.kind is ActionKind.REVOKE] == []
        assert {waiting.held_by for waiting in made.waiting} >= {
            "'file out/ci-deploy' could not be asked what it holds"
        }
        assert OLD.id in [waiting.id for waiting in made.waiting]


@pytest.mark.parametrize(
    ("look", "goes"),
    [
        (holds(NEW), True),
        (empty(), True),
        (edited(NEW, value_newer=False), True),
        (holds(OLD), False),
        (edited(OLD, value_newer=False), False),
        (edited(NEW, value_newer=True), False),
        (edited(NEW, mark(CI), value_newer=False), False),
        (marks_only(mark(f"{CI}.g3")), False),
        (edited(NEW, mark(f"{CI}.g3"), value_newer=False), True),
        (unknown(), False),
    ],
    ids=[
        "delivered", "nothing there", "record names another", "held", "record names it", "value newer than its record",
        "a mark names it", "no record names anything", "a mark names another", "unknown",
    ],
)  # fmt: skip
def test_early_way_out(look: Look, *, goes: bool) -> None:
    """While the current generation is not delivered, only what no destination can hold may go."""
    due = due_revocations(view(TWO, [OLD, NEW], look, empty()))
    assert [action.token for action in due] == ([CI] if goes else [])


def test_early_way_out_keeps_the_other_conditions() -> None:
    """What no destination can hold still waits for its overlap, and while it is used."""
    looks = (empty(), empty())
    assert due_revocations(view(TWO, [OLD, token(f"{CI}.g2", age=hours(23))], *looks)) == ()
    assert due_revocations(view(TWO, [token(age=days(9), used=hours(2)), NEW], *looks)) == ()


def test_fresh_look_finds_another_run() -> None:
    """Right before a revocation, another run's young mark keeps everything."""
    assert [action.token for action in due_revocations(view(entry(), [OLD, NEW], holds(NEW)))] == [CI]
    assert due_revocations(view(entry(), [OLD, NEW], holds(NEW, mark(age=minutes(1))))) == ()


def test_current_never_goes_by_a_fresh_look() -> None:
    """The only generation, or the newest, is never due."""
    assert due_revocations(view(entry(overlap=hours(0)), [NEW], empty())) == ()
    assert [action.token for action in due_revocations(view(entry(overlap=hours(0)), [OLD, NEW], holds(NEW)))] == [CI]

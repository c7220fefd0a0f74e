from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.apply.support import BUSY, DONE, FAILED, REFUSED, TIMED_OUT, only, statuses
from tooken_ci.base.record import MarkKind

if TYPE_CHECKING:
    from tests.apply.support import World


@pytest.fixture
def half(world: World) -> World:
    """A world whose entry is delivered to ``a`` and has just got a second place, ``b``."""
    world.serve(world.entry())
    world.prepare(world.entry(to="a b"))
    return world


def test_a_copy_in_its_order(half: World) -> None:
    """Mark, look the entry up, fetch the secret where it is, write it, read it back, record it; no new token."""
    outcome = half.apply()
    assert half.story == [
        "b: check",
        "b: mark",
        "GET /tokens 200",
        "a: fetch",
        "b: write",
        "b: read back",
        "b: record",
    ]
    assert statuses(outcome) == [("redeliver", half.name, DONE)]
    assert only(outcome).id == half.token_id(half.name)
    assert half.active() == [half.name]
    assert half.store("b").value() == half.store("a").value()
    assert half.store("b").look().held == half.store("a").look().held
    assert half.settled(half.entry(to="a b"))


def test_an_emptied_place_is_filled_again(world: World) -> None:
    """A place that was emptied gets the same secret again."""
    world.serve(world.entry(to="a b"))
    secret = world.store("a").value()
    world.store("b").path.write_text("", encoding="utf-8")
    assert statuses(world.serve(world.entry(to="a b"))) == [("redeliver", world.name, DONE)]
    assert world.store("b").value() == secret


def test_a_newer_generation_appears(half: World) -> None:
    """Where a newer generation lives by the time of the look-up, nothing is copied and the mark is taken back."""
    half.store("b").after["mark"] = lambda: half.sandbox.create(f"{half.name}.g2")
    outcome = half.apply()
    assert only(outcome).status is BUSY
    assert half.story[-1] == "b: withdraw"
    assert half.store("b").value() == ""
    assert half.store("b").runs() == []
    assert not outcome.changed


def test_the_token_is_revoked_meanwhile(half: World) -> None:
    """Where the token was revoked meanwhile, its dead secret is not copied."""
    half.store("b").after["mark"] = lambda: half.sandbox.delete(f"/tokens/{half.token_id(half.name)}")
    outcome = half.apply()
    assert only(outcome).status is BUSY
    assert half.store("b").value() == ""


def test_the_source_is_emptied_meanwhile(half: World) -> None:
    """Where the secret can no longer be read, nothing is written and the mark is taken back."""
    half.store("b").after["mark"] = half.store("a").path.unlink
    outcome = half.apply()
    assert only(outcome).status is FAILED
    assert "can no longer be read" in only(outcome).error
    assert half.store("b").runs() == []
    assert half.store("b").value() == ""
    assert not outcome.changed


def test_another_runs_mark_meanwhile(half: World) -> None:
    """A mark that another run left since the plan makes the entry busy; it stays, and nothing is written."""
    half.store("b").leave_mark(MarkKind.COPY)
    outcome = half.apply()
    assert only(outcome).status is BUSY
    assert half.store("b").runs() == ["another-run"]
    assert half.store("b").value() == ""


def test_an_old_mark_does_not_stop_it(half: World) -> None:
    """A mark that has aged belongs to a run that died, and goes with the next record."""
    half.store("b").leave_mark(age=200)
    assert not half.apply().failed
    assert half.store("b").runs() == []


def test_the_look_up_fails(half: World) -> None:
    """Where the entry cannot be looked up, nothing is copied, the mark is taken back and nothing has changed."""
    half.sandbox.set_faults([{"do": "500_before", "method": "GET"}])
    outcome = half.apply()
    assert only(outcome).status is FAILED
    assert half.store("b").value() == ""
    assert half.store("b").runs() == []
    assert not outcome.changed


@pytest.mark.parametrize("step", ["check", "mark"])
def test_a_place_that_cannot_be_marked(half: World, step: str) -> None:
    """A place that cannot be marked gets nothing else, costs no request, and nothing has changed."""
    half.store("b").before[step] = REFUSED
    outcome = half.apply()
    assert only(outcome).status is FAILED
    assert half.story[-1] == f"b: {step}"
    assert not outcome.changed


def test_one_of_two_places_fails(world: World) -> None:
    """The copies stand on their own: one that fails does not stop the other."""
    world.serve(world.entry())
    world.prepare(world.entry(to="a b c"))
    world.store("b").before["write"] = REFUSED
    outcome = world.apply()
    assert only(outcome).status is FAILED
    assert "the token itself is unchanged" in only(outcome).error.lower()
    assert outcome.changed
    assert world.store("c").value() == world.store("a").value()


@pytest.mark.parametrize(("fault", "changed"), [(REFUSED, False), (TIMED_OUT, True)], ids=["refused", "timed out"])
def test_whether_a_failed_copy_changed_something(half: World, fault: Exception, *, changed: bool) -> None:
    """A copy that was surely refused has changed nothing and leaves no mark; one that timed out may have."""
    half.store("b").before["write"] = fault
    outcome = half.apply()
    assert only(outcome).status is FAILED
    assert outcome.changed is changed
    assert bool(half.store("b").runs()) is changed

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.apply.support import DONE, FAILED, REFUSED, SKIPPED, TIMED_OUT, only, statuses
from tooken_ci.base.errors import DestinationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.apply.support import World

PROBE = "POST /tokens 400"
MADE = "POST /tokens 201"


def empty(world: World, *names: str) -> None:
    for name in names:
        world.store(name).path.unlink()


@pytest.mark.parametrize("step", ["check", "mark"])
def test_a_dead_place_does_not_let_the_others_expire(world: World, step: str) -> None:
    """Where one place cannot be marked, a token that is needed anyhow is made and delivered to the others."""
    world.store("b").before[step] = REFUSED
    world.prepare(world.entry(to="a b"))
    outcome = world.apply()
    result = only(outcome)
    assert result.status is FAILED
    assert "'file b': It said no." in result.error
    assert "Ask it why." in result.error
    assert outcome.changed
    assert world.active() == [world.name]
    assert world.store("a").holds_name() == world.name
    assert not any(line in world.story for line in ("b: write", "b: record"))
    assert not world.store("b").path.exists()


@pytest.mark.parametrize("step", ["check", "mark"])
def test_nothing_is_made_where_no_place_can_be_marked(world: World, step: str) -> None:
    """Where no place can be written, no token is made and nothing has changed."""
    world.store("a").before[step] = REFUSED
    world.store("b").before[step] = REFUSED
    world.prepare(world.entry(to="a b"))
    outcome = world.apply()
    assert only(outcome).status is FAILED
    assert "Nothing was made." in only(outcome).error
    assert not outcome.changed
    assert world.active() == []
    assert MADE not in world.story


@pytest.mark.parametrize("step", ["check", "mark"])
def test_delivery_alone_mints_nothing_where_a_place_is_dead(world: World, step: str) -> None:
    """Where only delivery asks for a new token, a place that cannot be marked stops it; the marks are taken back."""
    world.serve(world.entry(to="a b"))
    empty(world, "a", "b")
    world.store("b").before[step] = REFUSED
    world.prepare(world.entry(to="a b"))
    assert world.survey.plan.actions[0].delivery_only
    outcome = world.apply()
    assert statuses(outcome)[0] == ("replace", f"{world.name}.g2", FAILED)
    assert not outcome.changed
    assert MADE not in world.story
    assert world.active() == [world.name]
    assert world.store("a").runs() == []
    assert world.story[-1] == ("a: withdraw" if step == "mark" else "b: check")


def test_every_write_surely_refused(world: World) -> None:
    """Where every write was surely refused, the new token goes again, the marks too, and the old one lives on."""
    world.serve(world.entry(to="a b"))
    old = world.store("a").value()
    for name in "ab":
        world.store(name).before["write"] = REFUSED
    world.prepare(world.entry(to="a b", scopes="audit:read"))
    outcome = world.apply()
    assert statuses(outcome) == [("replace", f"{world.name}.g2", FAILED), ("revoke", world.name, SKIPPED)]
    assert "was revoked again, nothing was delivered" in outcome.results[0].error
    assert outcome.changed
    assert world.active() == [world.name]
    assert world.sandbox.authenticates(old)
    for name in "ab":
        assert world.store(name).value() == old
        assert world.store(name).runs() == []
        assert world.store(name).holds_name() == world.name


def test_a_write_that_may_have_happened(world: World) -> None:
    """Once a write may have happened nothing is revoked, even if all others were refused; its mark stays."""
    world.serve(world.entry(to="a b"))
    old = world.store("b").value()
    world.store("a").after["write"] = TIMED_OUT
    world.store("b").before["write"] = REFUSED
    world.prepare(world.entry(to="a b", scopes="audit:read"))
    outcome = world.apply()
    assert statuses(outcome) == [("replace", f"{world.name}.g2", FAILED), ("revoke", world.name, SKIPPED)]
    assert "'file a': It timed out; 'file b': It said no." in outcome.results[0].error
    assert world.active() == [world.name, f"{world.name}.g2"]
    assert world.sandbox.authenticates(old)
    assert world.sandbox.authenticates(world.store("a").value())
    assert world.store("a").runs() == [world.run]


def lie(world: World) -> None:
    world.store("a").lies = True


def fail_to_read_back(world: World) -> None:
    world.store("a").before["read back"] = DestinationError("It hung up.")


def fail_to_record(world: World) -> None:
    world.store("a").before["record"] = REFUSED


@pytest.mark.parametrize(
    ("break_it", "words"),
    [
        (lie, "what was read back is not what was written"),
        (fail_to_read_back, "It hung up"),
        (fail_to_record, "It said no"),
    ],
)
def test_after_the_write_nothing_is_revoked(world: World, break_it: Callable[[World], None], words: str) -> None:
    """A secret that was written but not confirmed keeps both generations alive and its mark open."""
    world.serve(world.entry())
    old = world.store("a").value()
    break_it(world)
    world.prepare(world.entry(scopes="audit:read"))
    outcome = world.apply()
    assert [result.status for result in outcome.results] == [FAILED, SKIPPED]
    assert words in outcome.results[0].error
    assert outcome.changed
    assert world.active() == [world.name, f"{world.name}.g2"]
    assert world.sandbox.authenticates(old)
    assert world.store("a").runs() == [world.run]
    assert not any(line.startswith("DELETE /tokens/ID") for line in world.story)


def test_the_second_of_three_fails(world: World) -> None:
    """A place that fails in the middle stops neither the one before nor the one after it, but the old one lives on."""
    world.serve(world.entry(to="a b c"))
    old = world.store("b").value()
    world.store("b").before["write"] = REFUSED
    world.prepare(world.entry(to="a b c", scopes="audit:read"))
    outcome = world.apply()
    assert [result.status for result in outcome.results] == [FAILED, SKIPPED]
    assert "an earlier step for this entry failed" in outcome.results[1].error
    assert [world.store(name).holds_name() for name in "abc"] == [
        f"{world.name}.g2",
        world.name,
        f"{world.name}.g2",
    ]
    assert world.sandbox.authenticates(old)
    assert all(world.sandbox.authenticates(world.store(name).value()) for name in "abc")


@pytest.mark.parametrize("step", ["write", "read back", "record"])
@pytest.mark.parametrize("fault", [REFUSED, TIMED_OUT], ids=["refused", "timed out"])
def test_the_next_run_mends_it(world: World, step: str, fault: DestinationError) -> None:
    """Whatever failed, the run after the marks have aged finishes the work and leaves one generation."""
    world.serve(world.entry(to="a b"))
    world.store("b").after[step] = fault
    world.prepare(world.entry(to="a b", scopes="audit:read"))
    assert world.apply().failed
    world.store("b").after.clear()
    world.sandbox.advance(181)
    world.serve(world.entry(to="a b", scopes="audit:read"))
    assert world.settled(world.entry(to="a b", scopes="audit:read"))
    assert len(world.active()) == 1
    assert world.store("a").value() == world.store("b").value()
    assert world.sandbox.authenticates(world.store("a").value())


def test_one_entry_does_not_stop_the_next(world: World) -> None:
    """An entry that fails leaves the others alone."""
    names = [f"{world.name}-{letter}" for letter in "pqr"]
    world.store(names[1]).before["write"] = REFUSED
    world.prepare(*[world.entry(name, to=name) for name in names])
    outcome = world.apply()
    assert statuses(outcome) == [("create", names[0], DONE), ("create", names[1], FAILED), ("create", names[2], DONE)]
    assert outcome.failed
    assert world.active(names[1]) == []


def test_two_minutes_from_mark_to_write(world: World) -> None:
    """A place that comes to its turn more than two minutes after the first mark is not written any more."""

    def pass_time() -> None:
        world.clock.time += 120.5

    world.store("a").after["record"] = pass_time
    world.prepare(world.entry(to="a b"))
    outcome = world.apply()
    assert "more than 120 s have passed" in only(outcome).error
    assert world.store("a").holds_name() == world.name
    assert "b: write" not in world.story
    assert world.active() == [world.name]
    assert world.store("b").runs() == [world.run]


def test_two_minutes_before_the_first_write(world: World) -> None:
    """Where the two minutes are over before anything was written, the new token is revoked."""

    def pass_time() -> None:
        world.clock.time += 120.5

    world.store("b").after["mark"] = pass_time
    world.prepare(world.entry(to="a b"))
    outcome = world.apply()
    assert only(outcome).status is FAILED
    assert outcome.changed
    assert "a: write" not in world.story
    assert world.active() == []


def test_just_under_two_minutes(world: World) -> None:
    """A delivery that takes two minutes is still in time."""

    def pass_time() -> None:
        world.clock.time += 119.9

    world.store("b").after["mark"] = pass_time
    world.prepare(world.entry(to="a b"))
    assert not world.apply().failed

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.apply.support import DONE, FAILED, REFUSED, TIMED_OUT, only, statuses
from tooken_ci.base.record import MarkKind

if TYPE_CHECKING:
    from tests.apply.support import World
    from tooken_ci.base.errors import DestinationError


def test_a_place_that_can_no_longer_be_asked(world: World) -> None:
    """A place that turns unreadable after its check is not marked, and the others are served."""
    world.store("b").after["check"] = world.store("b").path.mkdir
    world.prepare(world.entry(to="a b"))
    outcome = world.apply()
    assert only(outcome).status is FAILED
    assert "'file b': it cannot be read" in only(outcome).error
    assert "b: mark" not in world.story
    assert world.store("a").holds_name() == world.name


def test_another_runs_create_mark_after_the_token_was_made(world: World) -> None:
    """Only a copy makes this run step back once its token is made: a later create will look at the marks itself."""
    world.store("b").after["mark"] = lambda: world.store("a").leave_mark(MarkKind.CREATE)
    outcome = world.serve(world.entry(to="a b"))
    assert statuses(outcome) == [("create", world.name, DONE)]


def test_a_mark_that_somebody_removed(world: World) -> None:
    """Where the record was removed meanwhile there is no mark to take back, and none is made for it."""
    world.store("a").before["write"] = REFUSED
    world.store("b").before["write"] = REFUSED
    world.store("b").after["mark"] = world.store("a").path.with_name("a.tooken").unlink
    world.prepare(world.entry(to="a b"))
    assert only(world.apply()).status is FAILED
    assert not world.store("a").path.with_name("a.tooken").exists()
    assert "a: withdraw" not in world.story
    assert "b: withdraw" in world.story


def test_a_place_that_fails_when_the_name_changes(world: World) -> None:
    """A place that could be marked once, but not again under the next name, gets nothing else."""
    token = world.sandbox.create(world.name)
    world.sandbox.delete(f"/tokens/{token['id']}")
    b = world.store("b")
    b.after["mark"] = lambda: b.before.update(mark=REFUSED)
    world.prepare(world.entry(to="a b"))
    outcome = world.apply()
    assert only(outcome).status is FAILED
    assert "b: write" not in world.story
    assert world.store("a").holds_name() == f"{world.name}.g2"
    assert b.runs() == [world.run]


def test_a_withdrawal_keeps_another_runs_mark(world: World) -> None:
    """Taking one's own marks back leaves what another run announced in the meantime."""
    world.store("b").before["write"] = REFUSED

    def refuse() -> None:
        world.store("a").leave_mark()
        raise REFUSED

    world.store("a").before["write"] = refuse
    world.prepare(world.entry(to="a b"))
    assert only(world.apply()).status is FAILED
    assert world.active() == []
    assert world.store("a").runs() == ["another-run"]
    assert world.store("b").runs() == []


@pytest.mark.parametrize(("error", "left"), [(REFUSED, False), (TIMED_OUT, True)], ids=["refused", "timed out"])
def test_the_mark_of_a_place_that_was_not_served(world: World, *, error: DestinationError, left: bool) -> None:
    """Where surely nothing was written the mark goes, although another place was served; else it stays and tells."""
    world.store("b").before["write"] = error
    world.prepare(world.entry(to="a b"))
    assert only(world.apply()).status is FAILED
    assert world.store("a").holds_name() == world.name
    assert world.store("b").runs() == ([world.run] if left else [])


def test_a_copy_that_one_place_refuses(world: World) -> None:
    """A redeliver takes the mark back where surely nothing was written, and says why it was not."""
    world.serve(world.entry(to="a"))
    world.store("b").before["write"] = REFUSED
    world.prepare(world.entry(to="a b c"))
    outcome = world.apply()
    assert (only(outcome).status, "It said no" in only(outcome).error) == (FAILED, True)
    assert world.store("c").holds_name() == world.name
    assert world.store("b").runs() == []


def test_a_withdrawal_that_fails(world: World) -> None:
    """A mark that cannot be taken back ages by itself; the token is revoked all the same."""
    world.store("a").before["write"] = REFUSED
    world.store("a").before["withdraw"] = REFUSED
    world.prepare(world.entry())
    outcome = world.apply()
    assert only(outcome).status is FAILED
    assert world.active() == []
    assert world.store("a").runs() == [world.run]
    del world.store("a").before["write"]
    world.sandbox.advance(181)
    world.serve(world.entry())
    assert world.store("a").runs() == []

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest

from tests.apply.support import BUSY, DONE, FAILED, SKIPPED, statuses
from tooken_ci.base.errors import BlockedError, PartialError
from tooken_ci.base.record import DeliveryRecord, Mark, MarkKind
from tooken_ci.destinations.file import FileDestination
from tooken_ci.plan.model import Cause

if TYPE_CHECKING:
    from tests.apply.support import World

BLOCKING = "policy: {max_revocations: 0}\n"


def dead_runs_mark(world: World, store: str, name: str) -> None:
    """Leaves the mark of a run that died long ago, before it made anything."""
    at = dt.datetime.fromtimestamp(int(world.sandbox.now() - 600), dt.UTC)
    mark = Mark(kind=MarkKind.CREATE, name=name, run="died", at=at)
    FileDestination(world.store(store).path).write_record(DeliveryRecord(workspace="test", marks=(mark,)))


def test_a_blocked_plan_goes_on_with_what_is_due_or_unfinished(world: World) -> None:
    """Beyond a bound, what the spec asks for is left out and what time or an unfinished run asks for is done."""
    wanted, unfinished, due, gone = (f"{world.name}-{word}" for word in ("wanted", "unfinished", "due", "gone"))
    short = world.entry(due, to="d", more="expires_in: 3h, runs_every: 5m")
    world.serve(short)
    world.sandbox.create(gone)
    world.sandbox.advance(3 * 3600 + 100)
    dead_runs_mark(world, "u", unfinished)
    world.prepare(
        short, world.entry(wanted, to="w"), world.entry(unfinished, to="u"), more=f"{BLOCKING}absent: [{gone}]\n"
    )
    assert world.survey.plan.blocked_by == ("max_revocations",)
    outcome = world.apply()
    ended = {result.entry: (result.status, result.error) for result in outcome.results}
    assert ended[wanted] == (SKIPPED, "blocked by max_revocations")
    assert ended[gone] == (SKIPPED, "blocked by max_revocations")
    assert ended[unfinished] == (DONE, "")
    assert ended[due] == (DONE, "")
    assert {action.entry: action.cause for action in outcome.plan.actions}[due] is Cause.TIME
    assert world.active(gone) == [gone]
    assert world.active(wanted) == []
    assert world.store("w").look().empty
    assert isinstance(outcome.verdict(), BlockedError)


def test_a_busy_entry_is_left_alone(world: World) -> None:
    """An entry that another run marked before the plan is not touched, and says when to come again."""
    world.store("a").leave_mark()
    world.prepare(world.entry())
    outcome = world.apply()
    assert statuses(outcome) == [("create", world.name, BUSY)]
    assert "Run again after" in outcome.results[0].error
    assert not outcome.changed
    assert world.story == []
    assert world.store("a").runs() == ["another-run"]


@pytest.mark.parametrize("step", ["mark", "write", "read back", "record"])
def test_ctrl_c(world: World, step: str) -> None:
    """Ctrl-C in the middle starts nothing new, says of every action what became of it, and counts as a change."""
    names = [f"{world.name}-{letter}" for letter in "pqr"]
    world.sandbox.create(f"{world.name}-gone")
    world.store("q").before[step] = KeyboardInterrupt()
    more = f"policy: {{max_revocations: 9}}\nabsent: [{world.name}-gone]\n"
    world.prepare(*[world.entry(name, to=name[-1]) for name in names], more=more)
    outcome = world.apply()
    assert outcome.interrupted
    assert outcome.failed
    assert outcome.changed
    assert isinstance(outcome.verdict(), PartialError)
    assert [result.status for result in outcome.results] == [DONE, FAILED, SKIPPED, SKIPPED]
    assert outcome.results[1].error == "interrupted while it was under way"
    assert all(result.error == "the run was interrupted" for result in outcome.results[2:])
    assert world.store("r").look().empty
    assert world.active(f"{world.name}-gone") == [f"{world.name}-gone"]


@pytest.mark.parametrize("step", ["mark", "write", "read back", "record"])
def test_ctrl_c_in_the_only_entry(world: World, step: str) -> None:
    """Even where nothing else was done, an interrupted delivery is never told as 'nothing was changed'."""
    world.store("a").after[step] = KeyboardInterrupt()
    world.prepare(world.entry())
    outcome = world.apply()
    assert outcome.interrupted
    assert outcome.changed
    assert isinstance(outcome.verdict(), PartialError)


@pytest.mark.parametrize("step", ["mark", "write", "read back", "record"])
def test_the_run_after_ctrl_c(world: World, step: str) -> None:
    """After an interruption anywhere the old secret lives, and the next run brings the entry to one generation."""
    world.serve(world.entry(to="a b"))
    old = world.store("b").value()
    world.store("b").before[step] = KeyboardInterrupt()
    world.prepare(world.entry(to="a b", scopes="audit:read"))
    assert world.apply().interrupted
    assert world.sandbox.authenticates(old)
    assert all(world.sandbox.authenticates(world.store(name).value()) for name in "ab")
    del world.store("b").before[step]
    world.sandbox.advance(181)
    world.serve(world.entry(to="a b", scopes="audit:read"))
    assert world.settled(world.entry(to="a b", scopes="audit:read"))
    assert len(world.active()) == 1


def test_an_empty_spec_prunes_nothing(world: World) -> None:
    """A spec that declares no tokens is blocked from pruning, and the tokens live on."""
    world.sandbox.create(f"{world.name}-p-old")
    world.prepare(more=f"policy: {{max_revocations: 100}}\nprune: ['{world.name}-p-*']\n")
    outcome = world.apply()
    assert [(result.status, result.error) for result in outcome.results] == [(SKIPPED, "blocked by empty_tokens")]
    assert world.story == []
    assert world.active(f"{world.name}-p-old") == [f"{world.name}-p-old"]

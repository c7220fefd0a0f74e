from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest

from tests.apply.support import BUSY, DONE, FAILED, SKIPPED, statuses
from tooken_ci.base.errors import BlockedError, PartialError, StoppedError
from tooken_ci.base.record import DeliveryRecord, Mark, MarkKind
from tooken_ci.destinations.file_store import FileDestination
from tooken_ci.plan.model import Cause

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.apply.support import World

STOPPED = "The run was stopped by SIGTERM."


class CrashError(BaseException):
    """Ends the process, wherever it is."""


def stopping(world: World) -> Callable[[object], Any]:
    """Stands for whatever waits when the run is stopped."""

    def wait(_: object) -> None:
        world.clock.stop()
        world.clock.check()

    return wait


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
    assert "run again after" in outcome.results[0].error
    assert not outcome.changed
    assert world.story == ["POST /tokens 400", "a: check"]
    assert world.store("a").runs() == ["another-run"]


@pytest.mark.parametrize("step", ["check", "mark", "write", "read back", "record"])
def test_a_stop_finishes_what_is_under_way(world: World, step: str) -> None:
    """A stop in the middle finishes the entry under way, starts nothing new, and says so of everything else."""
    names = [f"{world.name}-{letter}" for letter in "pqr"]
    world.sandbox.create(f"{world.name}-gone")
    world.store("q").before[step] = world.clock.stop
    more = f"policy: {{max_revocations: 9}}\nabsent: [{world.name}-gone]\n"
    world.prepare(*[world.entry(name, to=name[-1]) for name in names], more=more)
    outcome = world.apply()
    assert outcome.failed
    begun = step != "check"
    assert [result.status for result in outcome.results] == [*[DONE, DONE][: 2 * begun], *[SKIPPED] * (4 - 2 * begun)]
    assert {result.error for result in outcome.results if result.status is SKIPPED} == {STOPPED}
    assert outcome.changed is begun
    verdict = outcome.verdict()
    assert isinstance(verdict, PartialError if begun else StoppedError)
    assert STOPPED in str(verdict)
    assert world.store("r").look().empty
    assert world.active(f"{world.name}-gone") == [f"{world.name}-gone"]


def test_a_stop_while_requests_are_waited_for(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry that must wait for the quota before it is begun is left untouched when the run is stopped."""
    world.prepare(world.entry())
    monkeypatch.setattr(world.client, "hold", stopping(world))
    outcome = world.apply()
    assert statuses(outcome) == [("create", world.name, SKIPPED)]
    assert not outcome.changed
    assert isinstance(outcome.verdict(), StoppedError)
    assert world.store("a").look().empty


@pytest.mark.parametrize("fault", [{"do": "500_after", "path": "/v1/tokens"}, {"do": "429", "path": "/v1/tokens"}])
def test_a_stop_while_a_creation_is_repeated(world: World, fault: dict[str, Any]) -> None:
    """A stop between two tries counts as a change where the first may have made the token, and only there."""
    world.prepare(world.entry())
    world.sandbox.set_faults([fault | {"method": "POST", "occurrence": 2}])  # the first one is the probe
    world.store("a").after["mark"] = world.clock.stop
    outcome = world.apply()
    maybe = fault["do"] == "500_after"
    assert statuses(outcome) == [("create", world.name, FAILED if maybe else SKIPPED)]
    assert outcome.changed is maybe
    assert world.store("a").runs() == ([world.run] if maybe else [])
    world.sandbox.set_faults([])
    world.clock.stopped = False
    world.sandbox.advance(181)
    world.store("a").after.clear()
    world.serve(world.entry())
    assert world.settled(world.entry())
    assert len(world.active()) == 1


def test_a_stop_while_a_secret_is_proven(world: World) -> None:
    """A stop before anything is delivered takes the new token back."""
    world.prepare(world.entry())
    world.sandbox.set_faults([{"do": "500_before", "method": "GET"}])
    world.store("a").after["mark"] = world.clock.stop
    outcome = world.apply()
    assert statuses(outcome) == [("create", world.name, FAILED)]
    assert STOPPED in outcome.results[0].error
    assert "was revoked" in outcome.results[0].error
    assert outcome.changed
    assert world.active() == []
    assert world.store("a").look().empty
    world.sandbox.set_faults([])


def test_a_stop_between_two_revocations(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stop while a revocation is repeated leaves the rest of them for the next run."""
    for number in ("", ".g2"):
        world.sandbox.create(f"{world.name}-gone{number}")
    more = f"policy: {{max_revocations: 9}}\nabsent: [{world.name}-gone]\n"
    world.prepare(world.entry(), more=more)
    world.store("a").after["record"] = lambda: world.sandbox.set_faults(
        [{"do": "429", "method": "DELETE", "retry_after": 3}]
    )
    monkeypatch.setattr(world.clock, "sleep", stopping(world))
    outcome = world.apply()
    assert [result.status for result in outcome.results] == [DONE, SKIPPED, SKIPPED]
    assert outcome.changed
    assert len(world.active(f"{world.name}-gone")) == 2
    world.sandbox.set_faults([])


@pytest.mark.parametrize("step", ["mark", "write", "read back", "record"])
def test_the_run_after_a_crash(world: World, step: str) -> None:
    """After a crash anywhere the old secret lives, and the next run brings the entry to one generation."""
    world.serve(world.entry(to="a b"))
    old = world.store("b").value()
    world.store("b").before[step] = CrashError()
    world.prepare(world.entry(to="a b", scopes="audit:read"))
    with pytest.raises(CrashError):
        world.apply()
    assert world.sandbox.authenticates(old)
    assert all(world.sandbox.authenticates(world.store(name).value()) for name in "ab")
    del world.store("b").before[step]
    world.sandbox.advance(181)
    world.serve(world.entry(to="a b", scopes="audit:read"))
    assert world.settled(world.entry(to="a b", scopes="audit:read"))
    assert len(world.active()) == 1


@pytest.mark.parametrize("workers", [1, 3])
def test_a_fault_of_the_program_itself(world: World, workers: int) -> None:
    """An entry that meets a fault of this program ends alone and unclear; the others are served, and all is told."""
    names = [f"{world.name}-{letter}" for letter in "pqr"]
    world.store("q").before["write"] = ZeroDivisionError("a secret could stand here")
    world.prepare(*[world.entry(name, to=name[-1]) for name in names], workers=workers)
    outcome = world.apply()
    assert [result.status for result in outcome.results] == [DONE, FAILED, DONE]
    assert [result.unclear for result in outcome.results] == [False, True, False]
    assert outcome.results[1].error.startswith("a fault of tooken-ci itself (ZeroDivisionError)")
    assert outcome.changed
    assert [world.store(name).holds_name() for name in "pr"] == [names[0], names[2]]


def test_an_empty_spec_prunes_nothing(world: World) -> None:
    """A spec that declares no tokens is blocked from pruning, and the tokens live on."""
    world.sandbox.create(f"{world.name}-p-old")
    world.prepare(more=f"policy: {{max_revocations: 100}}\nprune: ['{world.name}-p-*']\n")
    outcome = world.apply()
    assert [(result.status, result.error) for result in outcome.results] == [(SKIPPED, "blocked by empty_tokens")]
    assert world.story == []
    assert world.active(f"{world.name}-p-old") == [f"{world.name}-p-old"]

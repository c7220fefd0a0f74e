"""An entry that another run may be at work on: apply waits until what tells so has aged, and looks again."""

from __future__ import annotations

import datetime as dt
import logging
from typing import TYPE_CHECKING

import pytest

from tests.apply.support import BUSY, DONE, FAILED, SKIPPED, PatientClock, only, statuses
from tooken_ci.base.record import DeliveryRecord, Held, MarkKind
from tooken_ci.base.secret import Secret, fingerprint
from tooken_ci.plan.terms import Terms

if TYPE_CHECKING:
    from tests.apply.support import World


def patient(world: World, **options: float) -> PatientClock:
    """From now on the runs of this world have time, and it passes on the server too."""
    world.clock = PatientClock(world, **options)
    return world.clock


def other_run_delivers(world: World, *stores: str, name: str = "", scopes: str = "tokens:read") -> None:
    """Does what another run would: makes a token, and delivers it."""
    ends = dt.datetime.fromtimestamp(world.sandbox.now(), dt.UTC) + dt.timedelta(days=90)
    made = world.sandbox.create(name or world.name, scopes, expires_at=ends.strftime("%Y-%m-%dT%H:%M:%SZ"))
    at = dt.datetime.fromisoformat(made["created_at"])
    held = Held(id=made["id"], name=made["name"], at=at, fingerprint=fingerprint(made["id"], made["token"]))
    for store in stores:
        world.store(store).write(Secret(made["token"]))
        world.store(store).write_record(DeliveryRecord(workspace="test", held=held))


def test_a_dead_runs_mark_is_waited_for(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """Once the mark of a run that died has aged the entry is served, in the same run, and the wait is told."""
    clock = patient(world)
    world.store("a").leave_mark(age=60)
    world.prepare(world.entry())
    with caplog.at_level(logging.WARNING):
        outcome = world.apply()
    assert statuses(outcome) == [("create", world.name, DONE)]
    assert not outcome.failed
    (waited,) = clock.slept
    assert 115 < waited <= 122
    assert [record.message for record in caplog.records if "Waiting" in record.message] == [
        f"Waiting {waited:.0f} s for '{world.name}': {world.survey.plan.problems[0].message}"
    ]
    assert world.settled(world.entry())


def test_what_another_run_did_is_not_done_twice(world: World) -> None:
    """Where the other run delivered meanwhile nothing is left to do, and the run ends well."""
    clock = patient(world)
    world.store("a").leave_mark()
    world.prepare(world.entry())
    clock.meanwhile = [lambda: other_run_delivers(world, "a")]
    outcome = world.apply()
    result = only(outcome)
    assert (result.status, outcome.failed, outcome.changed) == (SKIPPED, False, False)
    assert "does not ask for it any more" in result.error
    assert world.active() == [world.name]
    assert world.settled(world.entry())


def test_what_a_dead_run_left_is_replaced(world: World) -> None:
    """A generation that nobody delivered is followed by the next one, and goes, all in the run that waited."""
    patient(world)
    world.serve(world.entry())
    world.sandbox.create(f"{world.name}.g2", expires_at="2099-01-01T00:00:00Z")
    world.prepare(world.entry())
    assert [problem.code for problem in world.survey.plan.problems] == ["busy"]
    outcome = world.execute()
    assert {result.status for result in outcome.results} == {DONE}
    assert world.active() == [f"{world.name}.g3"]
    assert world.settled(world.entry())


def test_twice_at_most(world: World) -> None:
    """An entry that is busy again after each of two waits fails as busy, with nothing changed."""
    clock = patient(world)
    store = world.store("a")
    store.leave_mark()
    world.prepare(world.entry())
    clock.meanwhile = [store.leave_mark] * 3
    outcome = world.apply()
    assert statuses(outcome) == [("create", world.name, BUSY)]
    assert "looked at again 2 times; run again after" in outcome.results[0].error
    assert (len(clock.slept), outcome.failed, outcome.changed) == (2, True, False)
    assert world.active() == []


def test_busy_only_once_it_is_served(world: World) -> None:
    """An entry that another run marks right after the plan is waited for in the same way."""
    clock = patient(world)

    def mark_once() -> None:
        world.store("a").before.clear()
        world.store("a").leave_mark()

    world.store("a").before["check"] = mark_once
    world.prepare(world.entry())
    assert world.survey.plan.problems == ()
    outcome = world.apply()
    assert statuses(outcome) == [("create", world.name, DONE)]
    assert len(clock.slept) == 1
    assert 180 <= clock.slept[0] <= 182


def test_somebody_elses_token_appears(world: World) -> None:
    """A token of the wanted name that appeared since the plan, and that nobody delivers, is passed over in the end."""
    clock = patient(world)
    world.store("a").after["mark"] = lambda: world.sandbox.create(world.name, expires_at="2099-01-01T00:00:00Z")
    world.prepare(world.entry())
    world.store("a").after["withdraw"] = world.store("a").after.clear
    outcome = world.execute()
    assert not outcome.failed, outcome.results
    assert len(clock.slept) == 1
    assert world.active() == [f"{world.name}.g2"]
    assert world.settled(world.entry())


def test_a_copy_that_is_overtaken(world: World) -> None:
    """A copy stops where a newer generation appears, and is made after all if that has gone once it was waited for."""
    clock = patient(world)
    world.serve(world.entry())
    world.prepare(world.entry(to="a b"))
    newer = f"{world.name}.g2"

    def appear_once() -> None:
        world.store("b").after.clear()
        world.sandbox.create(newer)

    world.store("b").after["mark"] = appear_once
    clock.meanwhile = [lambda: world.sandbox.delete(f"/tokens/{world.token_id(newer)}")]
    outcome = world.apply()
    assert statuses(outcome) == [("redeliver", world.name, DONE)]
    assert world.store("b").holds_name() == world.name


@pytest.mark.parametrize("workers", [1, 4])
def test_the_others_are_served_first(world: World, workers: int) -> None:
    """No other entry waits for a busy one, also where one worker serves them all."""
    clock = patient(world)
    first, second, third = (f"{world.name}-{letter}" for letter in "abc")
    world.store("a").leave_mark()
    world.prepare(*(world.entry(name, to=name[-1]) for name in (first, second, third)), workers=workers)
    served: list[str] = []
    clock.meanwhile = [lambda: served.extend(token["name"] for token in world.sandbox.active_tokens())]
    outcome = world.apply()
    assert {result.status for result in outcome.results} == {DONE}
    assert {second, third} <= set(served)
    assert first not in served


def test_a_deadline_too_near_for_the_wait(world: World) -> None:
    """Where the deadline leaves no time to wait the entry fails as busy at once, and the others are served."""
    patient(world, deadline=60)
    first, second = f"{world.name}-a", f"{world.name}-b"
    world.store("a").leave_mark()
    gone = f"{world.name}-gone"
    world.sandbox.create(gone)
    world.prepare(world.entry(first, to="a"), world.entry(second, to="b"), more=f"absent: [{gone}]\n")
    outcome = world.apply()
    assert sorted(statuses(outcome)) == sorted(
        [("create", first, BUSY), ("create", second, DONE), ("revoke", gone, DONE)]
    )
    assert outcome.ended is None
    assert "deadline leaves no time" in outcome.results[0].error


def test_a_stop_ends_the_wait(world: World) -> None:
    """A stop during the wait ends the run: the entry is busy still, and nothing of it was changed."""
    clock = patient(world)
    world.store("a").leave_mark()
    world.prepare(world.entry())
    clock.meanwhile = [clock.stop]
    outcome = world.apply()
    assert only(outcome).status is BUSY
    assert outcome.ended is not None
    assert not outcome.changed
    assert world.store("a").runs() == ["another-run"]


def test_no_grace_no_wait(world: World) -> None:
    """Without a grace nothing counts as busy: the entry is served at once, whatever another run announced."""
    clock = patient(world)
    world.store("a").leave_mark(age=0)
    world.prepare(world.entry(), terms=Terms(busy_grace=dt.timedelta(0)))
    assert world.survey.plan.problems == ()
    outcome = world.apply()
    assert statuses(outcome) == [("create", world.name, DONE)]
    assert clock.slept == []


def test_a_mark_far_ahead_is_not_waited_for_longer(world: World) -> None:
    """A mark from the future makes the run wait twice as long as any other would, and no longer."""
    clock = patient(world)
    world.store("a").leave_mark(age=-86_400)
    world.prepare(world.entry())
    assert only(world.apply()).status is BUSY
    assert clock.slept == [181.0, 181.0]


def test_a_new_problem_after_the_wait(world: World) -> None:
    """What turns out to be somebody else's after the wait is left alone, and the entry fails with that."""
    clock = patient(world)
    store = world.store("a")
    store.leave_mark()
    world.prepare(world.entry())
    clock.meanwhile = [lambda: store.write_record(DeliveryRecord(workspace="another"))]
    outcome = world.apply()
    assert statuses(outcome) == [("create", world.name, FAILED)]
    assert "workspace 'another'" in outcome.results[0].error
    assert world.active() == []


def test_pruning_waits_for_the_busy(world: World) -> None:
    """A busy entry that is served in the end keeps nothing from being pruned; one that stays busy does."""
    clock = patient(world)
    store, more = world.store("a"), f"policy: {{max_revocations: 9}}\nprune: ['{world.name}-p-*']\n"
    for ending in (SKIPPED, DONE):
        world.sandbox.create(f"{world.name}-p-{ending}")
        store.leave_mark(MarkKind.CREATE)
        world.prepare(world.entry(), more=more)
        clock.meanwhile = [store.leave_mark] * 2 if ending is SKIPPED else []
        outcome = world.apply()
        assert {result.status for result in outcome.results if result.kind == "revoke"} == {ending}


def test_the_price_of_a_wait_is_honest(world: World) -> None:
    """A dead run's mark costs the one look-up more that the plan told."""
    patient(world)
    world.serve(world.entry())
    world.store("a").leave_mark()
    world.prepare(world.entry(scopes="audit:read"))
    price = world.survey.price
    assert not world.apply().failed
    assert world.client.sent - world.spent == price.apply == 2 + 4 + 1
    assert price.apply <= price.at_most

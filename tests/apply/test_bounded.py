"""A run that has to end ends, whatever hangs."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

import pytest

from tests.apply.support import DONE, FAILED, SKIPPED, statuses
from tests.destinations.exec_support import gone
from tests.tooken.support import MovedClock
from tooken_ci.apply.bounded import bounded
from tooken_ci.base.errors import DeadlineError, StoppedError
from tooken_ci.base.times import RunClock, Stop
from tooken_ci.destinations.program import run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.apply.support import World
    from tooken_ci.destinations.program import Ended

PATIENCE = 20.0


class Overdue(MovedClock):
    """A clock on which a stopped run is overdue at once."""

    def overdue(self) -> bool:
        return self.stopped


def pids_in(folder: Path) -> list[int]:
    return [int(pid) for pid in (folder / "pids").read_text(encoding="utf-8").split()]


@pytest.fixture
def released() -> Iterator[threading.Event]:
    """What hangs waits for it; nothing hangs beyond the test."""
    event = threading.Event()
    yield event
    event.set()


def test_what_the_work_makes(released: threading.Event) -> None:
    """Work that ends in time gives its result, or its error."""
    clock = Overdue()
    assert bounded(lambda: 7, clock, lambda: 8) == 7
    with pytest.raises(ValueError, match="none"):
        bounded(lambda: int("none"), clock, lambda: 8)
    assert not released.is_set()


def test_a_deadline_tells_what_hangs(released: threading.Event) -> None:
    """Where the deadline ends what hangs, the error says that something hung."""
    clock = Overdue()
    clock.stop()

    def ended() -> None:
        raise DeadlineError("The run's deadline is 3 s, and it has passed.")

    with pytest.raises(DeadlineError) as caught:
        bounded(lambda: bool(released.wait(PATIENCE)), clock, ended)
    assert caught.value.message.endswith("it has passed. What was under way had no answer even then.")


def test_what_hangs_is_left(released: threading.Event) -> None:
    """Work that hangs when the run is overdue is left alone."""
    clock = Overdue()
    clock.stop()
    assert bounded(lambda: released.wait(PATIENCE), clock, lambda: None) is None
    assert not released.is_set()


def test_what_hangs_in_a_program_of_the_user(tmp_path: Path) -> None:
    """A program that is under way when the run is overdue is killed once that is told, with all that it started."""
    clock = Overdue()
    os.mkfifo(tmp_path / "begun")
    text = f"sleep 60 & echo $! $$ > {tmp_path}/pids; : > {tmp_path}/begun; wait"
    environment = {"PATH": os.environ["PATH"]}

    def work() -> Ended | None:
        return run(["sh", "-c", text], given=None, environment=environment, seconds=PATIENCE)

    def stop() -> None:
        (tmp_path / "begun").read_bytes()
        clock.stop()

    def otherwise() -> None:
        assert not gone(pids_in(tmp_path), within=0)

    stopper = threading.Thread(target=stop)
    stopper.start()
    assert bounded(work, clock, otherwise) is None
    stopper.join()
    assert gone(pids_in(tmp_path))


def test_an_apply_that_hangs_reports_all_the_same(world: World, released: threading.Event) -> None:
    """What was done is told as done, what hangs as unclear, the rest as left out; what hangs adds nothing later."""
    names = [f"{world.name}-{letter}" for letter in "abc"]
    world.clock = Overdue()
    world.prepare(*(world.entry(name, to=name) for name in names))

    def hang() -> None:
        world.clock.stop()
        released.wait(PATIENCE)

    world.store(names[1]).before["write"] = hang
    outcome = world.execute()
    assert statuses(outcome) == [
        ("create", names[0], DONE),
        ("create", names[1], FAILED),
        ("create", names[2], SKIPPED),
    ]
    assert [result.unclear for result in outcome.results] == [False, True, False]
    assert outcome.changed
    assert isinstance(outcome.ended, StoppedError)
    told = list(world.told)
    released.set()
    for thread in threading.enumerate():
        if thread.name == "work":
            thread.join(PATIENCE)
    assert world.told == told


def test_a_plan_that_hangs_changes_nothing(world: World, released: threading.Event) -> None:
    """A look that hangs when the run has to end is told as the stop that it is."""
    world.clock = Overdue()

    def hang() -> None:
        world.clock.stop()
        released.wait(PATIENCE)

    world.store("a").before["look"] = hang
    with pytest.raises(StoppedError, match="SIGTERM"):
        world.prepare(world.entry())


def test_a_run_is_overdue_a_while_after_its_stop() -> None:
    """Nobody is overdue before being told to end, nor at that moment; after the deadline and some seconds, all are."""
    stop = Stop()
    clock = RunClock(stop=stop)
    assert not clock.overdue()
    stop.by = "SIGTERM"
    assert not clock.overdue()
    assert RunClock(deadline=-60).overdue()
    assert not RunClock(deadline=0).overdue()

"""A run that a signal asks to end: it ends by itself, truly reported, and leaves no debts."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.cli.terminal import at_terminal
from tests.e2e.held import CREATION, LISTING, PATIENCE, PAUSE, hold, wait_for
from tests.e2e.project import FOUR_MINUTES, entry, spec
from tests.e2e.stopped import MANY, finished_by_the_next_run, true_report

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.project import Ended, Project

CANCELLATION = ((signal.SIGINT, 7.5), (signal.SIGTERM, 2.5), (signal.SIGKILL, PATIENCE))
"""What GitHub's runner sends to a job that is cancelled, and how long it waits then."""

STORE = """
case $TOOKEN_CI_STEP in
  record-read) if [ -e record ]; then cat record; fi ;;
  record-write) cat >record ;;
  write)
    if [ ! -e healthy ]; then touch hangs; trap '' INT TERM; exec sleep 60; fi
    cat >value
    ;;
  read) if [ -e value ]; then cat value; fi ;;
esac
"""

both_signals = pytest.mark.parametrize("asked", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])


def _stopped_while_waiting(project: Project, asked: signal.Signals) -> Ended:
    """Applies, sends a signal when standard error says that the reset is waited for, and sees it end before that."""
    running = project.start("apply", "--format", "json", "--deadline", "90s")
    assert running.stderr is not None
    assert any("Waiting " in line for line in running.stderr)
    running.send_signal(asked)
    ended = project.end(running)
    requests = project.sandbox.requests()
    assert {request["reset"] for request in requests} == {requests[0]["reset"]}
    assert project.sandbox.now() < requests[0]["reset"]
    return ended


@both_signals
def test_a_signal_in_the_midst(make_project: Callable[..., Project], asked: signal.Signals) -> None:
    """A signal while an apply waits for the reset ends it at once: 8 are done, the others are told as untouched."""
    project = make_project(limit=20, window=60)
    project.write(spec(MANY))
    ended = _stopped_while_waiting(project, asked)
    assert ended.code == 3
    assert ended.data["error"]["code"] == "partial"
    assert asked.name in ended.data["error"]["message"]
    assert len(true_report(project, ended.data, f"stopped by {asked.name}")) == 8
    finished_by_the_next_run(project)


@both_signals
def test_a_signal_before_any_change(make_project: Callable[..., Project], asked: signal.Signals) -> None:
    """A signal while the listing waits ends the run with exit code 1, and nothing was changed."""
    project = make_project(limit=5, window=60, seed=800)
    project.write(spec(MANY))
    with project.unchanged():
        ended = _stopped_while_waiting(project, asked)
    assert ended.code == 1
    assert ended.data["error"]["code"] == "interrupted"
    assert asked.name in ended.data["error"]["message"]
    assert not ended.data.get("results")


@pytest.mark.parametrize("asked", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda asked: asked.name)
def test_what_is_under_way_is_finished(project: Project, asked: signal.Signals) -> None:
    """A signal while a token is being made lets it be made, proven and delivered, and begins nothing more."""
    project.write(spec(MANY))
    with hold(project.sandbox, CREATION, seconds=1):
        running = project.start("apply", "--format", "json", "--workers", "1")
        wait_for(project.sandbox, CREATION)
        running.send_signal(asked)
        ended = project.end(running)
    assert ended.code == 3
    assert true_report(project, ended.data, f"stopped by {asked.name}") == ["ci-00"]
    finished_by_the_next_run(project)


@pytest.mark.parametrize(("asked", "workers"), [(signal.SIGINT, "1"), (signal.SIGTERM, "8")])
def test_what_hangs_is_not_waited_for(project: Project, asked: signal.Signals, workers: str) -> None:
    """A signal while a request hangs ends the run all the same: it is told as unclear, and the next run mends it."""
    project.write(spec(MANY))
    with hold(project.sandbox, CREATION):
        running = project.start("apply", "--format", "json", "--workers", workers)
        wait_for(project.sandbox, CREATION)
        running.send_signal(asked)
        ended = project.end(running)
    assert ended.code == 3
    results = {result["entry"]: result for result in ended.data["results"]}
    assert sorted(results) == sorted(MANY)
    (hung,) = [result for result in results.values() if "had to end" in (result["error"] or "")]
    assert hung["status"] == "failed"
    project.sandbox.advance(240)
    finished_by_the_next_run(project)


@both_signals
def test_a_listing_that_hangs(project: Project, asked: signal.Signals) -> None:
    """A signal while the listing hangs ends the run all the same, with nothing changed."""
    project.write(spec(MANY))
    with project.unchanged(), hold(project.sandbox, LISTING):
        running = project.start("plan", "--format", "json")
        wait_for(project.sandbox, LISTING)
        running.send_signal(asked)
        ended = project.end(running)
    assert ended.code == 1
    assert ended.data["error"]["code"] == "interrupted"


@both_signals
def test_a_second_signal(project: Project, asked: signal.Signals) -> None:
    """A second signal, of either kind, kills a run that still waits for an answer; the next one mends what it left."""
    project.write(spec(MANY))
    other = ({signal.SIGINT, signal.SIGTERM} - {asked}).pop()
    with hold(project.sandbox, CREATION):
        running = project.start("apply", "--workers", "1")
        wait_for(project.sandbox, CREATION)
        running.send_signal(asked)
        end = time.monotonic() + PATIENCE
        while running.poll() is None and time.monotonic() < end:
            try:
                running.wait(timeout=0.2)
            except subprocess.TimeoutExpired:
                running.send_signal(other)  # again, where the first was not yet noticed
        assert project.end(running).code == -other
        assert project.sandbox.requests()[-1]["status"] is None
    project.sandbox.advance(240)
    finished_by_the_next_run(project)


def test_a_job_that_is_cancelled(project: Project) -> None:
    """As GitHub cancels, SIGINT, 7.5 s later SIGTERM, 2.5 s later SIGKILL: a store that hangs is not waited for.

    The run ends by itself and tells what it did, before the second signal; the next one mends it.
    """
    store = project.folder / "store.sh"
    store.write_text(STORE, encoding="utf-8")
    project.delivers("value")
    program = ["sh", "store.sh"]
    exec_to = {"name": "shop", "check": program, "record": program, "write": program, "read": program}
    project.write(spec({"ci": {**entry(), "deliver": [{"exec": exec_to}]}}))
    running = project.start("apply", "--format", "json")
    end = time.monotonic() + PATIENCE
    while not (project.folder / "hangs").exists() and time.monotonic() < end:
        time.sleep(PAUSE)
    sent = []
    for number, patience in CANCELLATION:
        running.send_signal(number)
        sent.append(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            running.wait(timeout=patience)
            break
    assert sent == [signal.SIGINT]
    ended = project.end(running)
    assert ended.code == 3
    assert ended.data["results"][0]["status"] == "failed"
    (project.folder / "healthy").touch()
    project.sandbox.advance(FOUR_MINUTES)
    project.apply()
    project.converge()
    assert len(project.sandbox.active_tokens()) == 1
    assert project.sandbox.authenticates((project.folder / "value").read_text(encoding="utf-8"))


def test_a_signal_at_the_question(project: Project) -> None:
    """A SIGTERM at the question is no yes: nothing is changed."""
    project.write(spec(MANY))

    def interrupt(running: subprocess.Popen[str]) -> None:
        end = time.monotonic() + PATIENCE
        # asleep, so within the read of its standard input: a signal just before that would wait for the answer, in any
        # Python. What it sleeps in is not told of a process that keeps its memory to itself.
        while ") S " not in Path(f"/proc/{running.pid}/stat").read_text(encoding="ascii"):
            assert time.monotonic() < end
        running.send_signal(signal.SIGTERM)

    with project.unchanged():
        ended = at_terminal(project, "apply", at="[y/N]: ", then=interrupt)
    assert ended.code == 1
    assert "The run was stopped by SIGTERM." in ended.shown


@both_signals
def test_a_signal_while_the_report_is_written(project: Project, asked: signal.Signals) -> None:
    """A signal while a slow reader takes the report changes neither the report nor the exit code."""
    project.write(spec({f"ci-{number}": entry(f"out/{number}") for number in range(400)}))
    out, written = os.pipe()
    running = project.start("plan", "--format", "json", stdout=written)
    os.close(written)
    with os.fdopen(out, encoding="utf-8") as reader:
        first = reader.read(1)
        running.send_signal(asked)
        rest = reader.read()
    assert len(json.loads(first + rest)["actions"]) == 400
    assert project.end(running).code == 0


@both_signals
def test_a_stop_that_is_delivered_twice(project: Project, asked: signal.Signals) -> None:
    """The same stop delivered at once to the process and to its group is one stop: the run ends with its report."""
    project.write(spec(MANY))
    with hold(project.sandbox, CREATION, seconds=1):
        running = project.start("apply", "--format", "json", "--workers", "1")
        wait_for(project.sandbox, CREATION)
        running.send_signal(asked)
        running.send_signal(signal.SIGTERM)
        running.send_signal(signal.SIGINT)
        ended = project.end(running)
    assert ended.code == 3
    assert true_report(project, ended.data, "stopped by SIG") == ["ci-00"]
    finished_by_the_next_run(project)

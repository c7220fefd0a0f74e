"""What must come of a run that came to harm: after a few more nothing is left to do, and everybody holds what lives."""

from __future__ import annotations

import dataclasses
import re
import shlex
from typing import TYPE_CHECKING

from tests.crash.scenarios import DAY, HOUR
from tests.crash.watch import half_written

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.crash.rig import Rig
    from tests.crash.scenarios import Scenario
    from tests.crash.zygote import Ended

FURTHER = 2
"""So many further runs at the most, and then the plan is empty."""

WHILE_FAILING = 12
"""So many runs while a destination fails on; then somebody mends it."""

_NOTHING_CHANGED = 1
_FREES = re.compile(r"'tooken-ci (revoke [\w.-]+)'")


@dataclasses.dataclass(kw_only=True)
class Verdict:
    """What came of a case.

    Attributes:
        case: which.
        kills: how often a run was killed.
        faults: how often a request or a write came to another harm.
        checks: how often the invariants were looked at.
        runs: how often the command was run.
        violations: what must not be, and was.
    """

    case: object
    kills: int = 0
    faults: int = 0
    checks: int = 0
    runs: int = 0
    violations: list[str] = dataclasses.field(default_factory=list)


def fingerprint(rig: Rig) -> tuple[object, ...]:
    """All that a run which says that it has changed nothing must not change."""
    rows = rig.stage.do(lambda: rig.stage.rows("SELECT id, status, hex(secret_hash) FROM tokens"))
    values = {name: shelf.value for name, shelf in rig.stage.store.shelves.items() if shelf.value}
    files = {path: _content(rig.folder / path) for entry in rig.watch.entries.values() for path in entry.files}
    return sorted(map(tuple, rows)), values, files


def judge(rig: Rig, verdict: Verdict, ended: Ended, before: tuple[object, ...]) -> None:
    """Holds a run's exit code against what it did."""
    verdict.runs += 1
    if ended.code == _NOTHING_CHANGED and fingerprint(rig) != before:
        verdict.violations.append(f"exit code 1 although something was changed: {ended.err}")


def settle(rig: Rig, scenario: Scenario, verdict: Verdict, ended: Ended | None = None) -> None:
    """Runs again until the plan is empty; then lets time pass, until each entry has one generation.

    Args:
        rig: where.
        scenario: whose run it was.
        verdict: hears what must not be, and is.
        ended: the run that came to harm; where it says that all went well, nothing may be left to do.
    """
    if scenario.failing:
        _while_failing(rig, scenario, verdict)
        ended = None
    if ended is not None and ended.code == 0 and pending(rig):
        verdict.violations.append(f"exit code 0, and yet something is left to do: {rig.plan()}")
    for _ in range(FURTHER):
        rig.advance(scenario.pause)
        if pending(rig):
            _again(rig, scenario, verdict)
    rig.advance(scenario.pause)
    if pending(rig):
        verdict.violations.append(f"not settled after {FURTHER} further runs: {rig.plan()}")
    rig.advance(2 * DAY)
    _again(rig, scenario, verdict)
    verdict.violations.extend(in_the_end(rig))


def release(rig: Rig, scenario: Scenario, verdict: Verdict) -> None:
    """Lets a job end, which releases its leases; one that is not found dies by its expiry."""
    for _ in range(FURTHER):
        _again(rig, scenario, verdict)
    rig.advance(2 * HOUR)
    now = rig.shared.now()
    rows = rig.stage.do(lambda: rig.stage.rows("SELECT name, expires_at FROM tokens WHERE status = 'active'"))
    left = [row["name"] for row in rows if row["expires_at"] is None or row["expires_at"] > now]
    if outlived := [name for name in left if name.startswith("preview.e-77-")]:
        verdict.violations.append(f"leases outlive their job and their expiry: {outlived}")


def pending(rig: Rig) -> bool:
    """Whether a plan has anything to do, or anything to complain of beside what it refuses in every run."""
    plan = rig.plan()
    return bool(plan["actions"]) or any(problem["code"] != "protected" for problem in plan["problems"])


def _again(rig: Rig, scenario: Scenario, verdict: Verdict) -> Ended:
    before = fingerprint(rig)
    ended = rig.run(*scenario.again)
    judge(rig, verdict, ended, before)
    return ended


def _while_failing(rig: Rig, scenario: Scenario, verdict: Verdict) -> None:
    """A destination fails on: nothing dies meanwhile, and whatever is stuck names the way out, which is gone then."""
    ended = None
    for _ in range(WHILE_FAILING):
        ended = _again(rig, scenario, verdict)
        if ended.code == 0:
            break
    rig.stage.store.failing = {}
    if ended is not None and (found := _FREES.search(ended.err)):
        freed = rig.run(*shlex.split(found[1]), "--yes")
        if freed.code != 0:
            verdict.violations.append(f"{found[1]} frees nothing: {freed.err}")


def in_the_end(rig: Rig) -> Iterator[str]:
    """Each entry has exactly one living generation, each of its destinations holds it, and nothing lies about."""
    for name in half_written(rig.folder):
        yield f"in the end {name} is left"
    for name, living in rig.watch.generations(rig.stage).items():
        if len(living) != 1:
            yield f"in the end {name} has {living or 'no generation'}"
    held: Mapping[str, str | None] = {name: shelf.value for name, shelf in rig.stage.store.shelves.items()}
    for name, entry in rig.watch.entries.items():
        values = {place: held.get(place) for place in entry.stores}
        values |= {path: _content(rig.folder / path) for path in entry.files}
        for place, secret in values.items():
            if not rig.lives(secret):
                yield f"in the end {place} of {name} holds no living secret"


def _content(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None

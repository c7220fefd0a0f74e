"""The whole matrix, or a sample of it: what is tried, with what names of revoked tokens, and what came of it."""

from __future__ import annotations

import dataclasses
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from tests.crash.duel import Duel
from tests.crash.matrix import Trial
from tests.crash.rig import Rig
from tests.crash.scenarios import AT_ONCE, SCENARIOS

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

    from tests.crash.scenarios import Scenario
    from tests.crash.settle import Verdict
    from tooken_ci.sandbox.settings import RevokedNames

T = TypeVar("T")

SEEDS = range(24)
"""Of the runs with several workers, for each scenario, in the whole matrix."""

NAMES: tuple[RevokedNames, ...] = ("reserved", "free")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Part:
    """One scenario on one kind of server.

    Attributes:
        scenario: what happens.
        revoked_names: whether the names of revoked tokens can be used again.
        at_once: two runs at once, instead of one that comes to harm.
    """

    scenario: Scenario
    revoked_names: RevokedNames
    at_once: bool

    @property
    def name(self) -> str:
        """What it is called in the report."""
        return f"two runs at once: {self.scenario.name}" if self.at_once else self.scenario.name


@dataclasses.dataclass(kw_only=True)
class Tally:
    """What came of some cases.

    Attributes:
        cases: how many were tried.
        kills: how many runs were killed.
        faults: how many requests and writes came to another harm.
        runs: how often the command was run.
        checks: how often the invariants were looked at.
        violations: what must not be, and was, with the case.
    """

    cases: int = 0
    kills: int = 0
    faults: int = 0
    runs: int = 0
    checks: int = 0
    violations: list[str] = dataclasses.field(default_factory=list)

    def add(self, verdict: Verdict) -> None:
        """Counts a case."""
        self.cases += 1
        self.kills += verdict.kills
        self.faults += verdict.faults
        self.runs += verdict.runs
        self.checks += verdict.checks
        self.violations += [f"{verdict.case}: {told}" for told in verdict.violations]

    def join(self, other: Tally) -> None:
        """Counts what was counted elsewhere."""
        for field in dataclasses.fields(self):
            setattr(self, field.name, getattr(self, field.name) + getattr(other, field.name))


def parts() -> list[Part]:
    """All there is, each part on both kinds of servers."""
    every = [(scenario, False) for scenario in SCENARIOS] + [(one, True) for one in SCENARIOS if one.name in AT_ONCE]
    return [
        Part(scenario=scenario, revoked_names=names, at_once=at_once) for scenario, at_once in every for names in NAMES
    ]


def tried(part: Part, folder: Path, *, chance: random.Random | None = None, most: int = 0) -> Tally:
    """Tries a part.

    Args:
        part: which.
        folder: an empty one.
        chance: chooses the cases; all of them are tried where left out.
        most: how many are chosen.
    """
    tally = Tally()
    with Rig(folder, revoked_names=part.revoked_names) as rig:
        for verdict in _verdicts(part, rig, chance, most):
            tally.add(verdict)
    return tally


def tried_alone(index: int) -> Tally:
    """Tries the whole part of this number, in a process of its own, which a scenario could not be sent to."""
    with tempfile.TemporaryDirectory(prefix="crash-") as folder:
        return tried(parts()[index], Path(folder))


def _verdicts(part: Part, rig: Rig, chance: random.Random | None, most: int) -> Iterator[Verdict]:
    if part.at_once:
        duel = Duel(rig, part.scenario)
        yield from map(duel.attempt, _chosen(duel.cases(), chance, most))
    else:
        trial = Trial(rig, part.scenario)
        cases = [*trial.cases(), *trial.seeded(SEEDS)]
        yield from map(trial.attempt, _chosen(cases, chance, most))


def _chosen(cases: list[T], chance: random.Random | None, most: int) -> list[T]:
    return cases if chance is None or len(cases) <= most else chance.sample(cases, most)

"""The whole matrix, or a sample of it: what is tried, with what names of revoked tokens, and what came of it."""

from __future__ import annotations

import contextlib
import dataclasses
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.crash.duel import Duel
from tests.crash.matrix import Trial
from tests.crash.rig import Rig
from tests.crash.scenarios import AT_ONCE, SCENARIOS, STORES

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable, Iterator

    from tests.crash.scenarios import Scenario
    from tests.crash.settle import Verdict
    from tooken_ci.sandbox.settings import RevokedNames

SEEDS = range(8)
"""Of the runs with several workers, for each scenario, in the whole matrix."""

NAMES: tuple[RevokedNames, ...] = ("reserved", "free")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Part:
    """One scenario on one kind of server.

    Attributes:
        name: what it is called in the report.
        revoked_names: whether the names of revoked tokens can be used again.
        scenario: what happens; None = what is written to a real store comes to harm.
        at_once: two runs at once, instead of one that comes to harm.
    """

    name: str
    revoked_names: RevokedNames
    scenario: Scenario | None = None
    at_once: bool = False

    @contextlib.contextmanager
    def trial(self, rig: Rig) -> Iterator[Any]:
        """Everything prepared, so that its cases can be tried."""
        if self.scenario is None:
            from tests.crash.remote import FarTrial, far_store  # noqa: PLC0415  # what stores need is slow to import

            with far_store(self.name, rig.shared) as far, FarTrial(rig, far) as trial:
                yield trial
        else:
            yield Duel(rig, self.scenario) if self.at_once else Trial(rig, self.scenario, seeds=SEEDS)


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

    @classmethod
    def of(cls, tallies: Iterable[Tally]) -> Tally:
        """All of them together."""
        total = cls()
        for tally in tallies:
            total.join(tally)
        return total

    def join(self, other: Tally) -> None:
        """Counts what was counted elsewhere."""
        for field in dataclasses.fields(self):
            setattr(self, field.name, getattr(self, field.name) + getattr(other, field.name))


def parts() -> list[Part]:
    """All there is, each part on both kinds of servers, one after the other."""
    return [
        Part(name=name, scenario=scenario, at_once=at_once, revoked_names=names)
        for name, scenario, at_once in (
            *((one.name, one, False) for one in SCENARIOS),
            *((f"two runs at once: {one.name}", one, True) for one in SCENARIOS if one.name in AT_ONCE),
            *((store, None, False) for store in STORES),
        )
        for names in NAMES
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
    with Rig(folder, revoked_names=part.revoked_names) as rig, part.trial(rig) as trial:
        cases = list(trial.cases())
        for case in cases if chance is None or len(cases) <= most else chance.sample(cases, most):
            tally.add(trial.attempt(case))
    return tally


def tried_alone(index: int) -> Tally:
    """Tries the whole part of this number, in a process of its own, which a scenario could not be sent to."""
    with tempfile.TemporaryDirectory(prefix="crash-") as folder:
        return tried(parts()[index], Path(folder))

"""Every case of a scenario: each request, each write and each file of its run, spoiled in every way."""

from __future__ import annotations

import dataclasses
import itertools
import random
from typing import TYPE_CHECKING

from tests.crash.settle import Verdict, fingerprint, judge, release, settle
from tests.crash.stage import Harmed, Harms
from tests.crash.store import Harm

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.crash.rig import Rig
    from tests.crash.scenarios import Scenario
    from tests.crash.stage import Request

SHARE = 0.15
"""Of the requests of a seeded run that come to harm."""

_WORKERS = "8"
_FILE_HARMS = (Harm.KILLED_BEFORE, Harm.KILLED_AFTER, Harm.REFUSED)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Case:
    """One way in which a run of a scenario comes to harm.

    Attributes:
        scenario: whose run it is.
        request: which request of the run, from 1, and how.
        write: which write to a destination behind ``exec``, from 1, and how.
        rename: which file that takes another's place, from 1, and how.
        seed: of chance, which harms requests by their method, path and occurrence, with several workers.
    """

    scenario: Scenario
    request: tuple[int, Harmed] | None = None
    write: tuple[int, Harm] | None = None
    rename: tuple[int, Harm] | None = None
    seed: int | None = None

    def __str__(self) -> str:
        harms = {"request": self.request, "write": self.write, "file": self.rename}
        told = [f"{what} {harm[0]} {harm[1]}" for what, harm in harms.items() if harm is not None]
        return f"{self.scenario.name}: {', '.join(told) or f'seed {self.seed}'}"

    @property
    def harm(self) -> Callable[[int, Request], Harmed | None]:
        """What happens to each request of the run."""
        if self.seed is not None:
            return by_chance(self.seed)
        return lambda number, _: self.request[1] if self.request is not None and self.request[0] == number else None

    @property
    def command(self) -> list[str]:
        """What is run."""
        command = list(self.scenario.command)
        if self.seed is not None and "--workers" in command:
            command[command.index("--workers") + 1] = _WORKERS
        return command


class Trial:
    """One scenario, ready to be tried in every way."""

    def __init__(self, rig: Rig, scenario: Scenario, *, seeds: range = range(0)) -> None:
        """Prepares it, and runs it once without harm to count what there is to harm.

        Args:
            rig: where.
            scenario: which.
            seeds: of the cases by chance, with several workers, where the scenario has any use for them.
        """
        self._rig = rig
        self._seeds = seeds if "--workers" in scenario.command else range(0)
        self.scenario = scenario
        scenario.prepare(rig)
        self._kept = rig.keep()
        harms = Harms()
        rig.stage.store.failing = dict(scenario.failing)
        ended = rig.run(*scenario.command, harms=harms)
        assert ended.code == scenario.code, ended.err
        assert not rig.watch.violations, rig.watch.violations
        self._requests = len(harms.seen)
        self._writes = len(rig.stage.store.writes)
        self._renames = rig.renames

    def cases(self) -> Iterator[Case]:
        """Every case, in order."""
        for number, harmed in itertools.product(range(1, self._requests + 1), Harmed):
            yield Case(scenario=self.scenario, request=(number, harmed))
        for number, harm in itertools.product(range(1, self._writes + 1), Harm):
            yield Case(scenario=self.scenario, write=(number, harm))
        for number, harm in itertools.product(range(1, self._renames + 1), _FILE_HARMS):
            yield Case(scenario=self.scenario, rename=(number, harm))
        for seed in self._seeds:
            yield Case(scenario=self.scenario, seed=seed)

    def attempt(self, case: Case) -> Verdict:
        """Tries one case."""
        rig, verdict = self._rig, Verdict(case=case)
        rig.put_back(self._kept)
        rig.stage.store.failing = dict(self.scenario.failing)
        before = fingerprint(rig)
        harms = Harms(harm=case.harm)
        ended = rig.run(*case.command, harms=harms, write=case.write, rename=case.rename)
        judge(rig, verdict, ended, before)
        verdict.kills = int(ended.code < 0)
        verdict.faults = harms.done + (case.write is not None) + (case.rename is not None) - verdict.kills
        if self.scenario.lease:
            release(rig, self.scenario, verdict)
        else:
            settle(rig, self.scenario, verdict, ended)
        verdict.violations.extend(rig.watch.violations)
        verdict.checks = rig.watch.checks
        return verdict


def by_chance(seed: int) -> Callable[[int, Request], Harmed | None]:
    """Harm by method, path and occurrence: what is hit does not depend on the order of the workers' requests."""
    counted: dict[tuple[str, bool], int] = {}

    def harm(_: int, request: Request) -> Harmed | None:
        key = (request.method, request.path == "/tokens")
        counted[key] = counted.get(key, 0) + 1
        chance = random.Random(f"{seed} {key} {counted[key]}")  # noqa: S311  # chosen by a seed, so as to be repeated
        return chance.choice(list(Harmed)) if chance.random() < SHARE else None

    return harm

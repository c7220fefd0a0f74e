"""Two runs at once on the same spec: one is held at each of its requests in turn, and the other does what it can."""

from __future__ import annotations

import dataclasses
import enum
import time
from typing import TYPE_CHECKING

from tests.crash.settle import Verdict, settle
from tests.crash.stage import Harms

if TYPE_CHECKING:
    from tests.crash.rig import Kept, Rig
    from tests.crash.scenarios import Scenario

APPLY = ("apply", "--workers", "1")
"""With the grace that another run's traces have."""

PATIENCE = 30.0
PAUSE = 0.002


class Order(enum.StrEnum):
    """What the second run does while the first one is held."""

    WAITS = "it waits until the first one has ended"
    PASSES = "it takes the first one for dead, and does its work; then the first one goes on, too late"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Held:
    """One way in which two runs meet.

    Attributes:
        scenario: what both do.
        request: at which of its requests the first one is held, from 1.
        order: what the second does meanwhile.
    """

    scenario: Scenario
    request: int
    order: Order

    def __str__(self) -> str:
        return f"two runs at once, {self.scenario.name}: request {self.request}, {self.order}"


class Duel:
    """Two runs of one scenario."""

    def __init__(self, rig: Rig, scenario: Scenario) -> None:
        """Prepares it, and runs it once to count its requests."""
        self._rig = rig
        self.scenario = scenario
        scenario.prepare(rig)
        self._kept: Kept = rig.keep()
        harms = Harms()
        ended = rig.run(*APPLY, harms=harms)
        assert ended.code == 0, ended.err
        self._requests = harms.seen

    def cases(self) -> list[Held]:
        """Every case, in order."""
        numbers = range(1, len(self._requests) + 1)
        return [Held(scenario=self.scenario, request=number, order=order) for number in numbers for order in Order]

    def attempt(self, held: Held) -> Verdict:
        """Tries one case."""
        rig, verdict = self._rig, Verdict(case=held)
        rig.put_back(self._kept)
        rig.stage.begin(Harms(), Harms())
        rig.stage.hold(held.request)
        rig.start(0, *APPLY)
        assert rig.stage.arrived.wait(PATIENCE), "the first run never came to the request"
        if held.order is Order.WAITS:  # only now: on its way there the first one may have had to wait itself
            rig.shared.freeze()
        rig.start(1, *APPLY)
        self._until_it_rests(1, moving=held.order is Order.PASSES)
        seen = len(rig.watch.violations)
        rig.stage.release()
        self._until_it_rests(0, moving=held.order is Order.PASSES)
        if held.order is Order.PASSES and self._requests[held.request - 1].rotates:
            # no client can keep a rotation that is done minutes after it was sent from killing what was delivered
            # meanwhile; but once it knows, the destinations must say that a new secret is to come
            del rig.watch.violations[seen:]
            rig.stage.do(lambda: rig.watch.look(rig.stage, rig.folder, "the late rotation"))
        rig.shared.go_on()
        ended = [rig.end(0), rig.end(1)]
        verdict.runs += 2
        verdict.faults += 1
        for one in ended:
            if one.code not in {0, 1, 3}:
                verdict.violations.append(f"exit code {one.code}: {one.err}")
        settle(rig, self.scenario, verdict)
        verdict.violations.extend(rig.watch.violations)
        verdict.checks = rig.watch.checks
        return verdict

    def _until_it_rests(self, client: int, *, moving: bool) -> None:
        """Waits until a run has ended or, unless time moves, is kept waiting."""
        until = time.monotonic() + PATIENCE
        while self._rig.running(client) and (moving or not self._rig.shared.waits(client)):
            assert time.monotonic() < until, "the run neither ended nor waited"
            time.sleep(PAUSE)

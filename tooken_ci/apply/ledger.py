"""What became of each action of a plan, told as it becomes known. Threads work on many entries side by side."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import threading
from typing import TYPE_CHECKING

from tooken_ci.base.errors import StoppedError, TookenCIError
from tooken_ci.base.text import quoted
from tooken_ci.plan.model import ProblemCode
from tooken_ci.plan.result import Outcome, Result, ResultStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tooken_ci.apply.context import Context
    from tooken_ci.plan.model import Action, Plan

log = logging.getLogger(__name__)


class Ledger:
    """The results of one apply.

    Attributes:
        ended: why the run ended before all was come to; None as long as it goes on.
    """

    def __init__(self, context: Context, plan: Plan) -> None:
        self._context = context
        self._plan = plan
        self._noting = threading.RLock()  # guards what follows, and lets one result be told at a time
        self._results: dict[Action, Result] = {}
        self._instead: dict[Action, Action] = {}  # of an entry that was planned again: what stood in its place
        self._begun: set[str] = set()
        self._abandoned = False
        self._changed = False
        self.ended: StoppedError | None = None

    def begin(self, entry: str) -> None:
        """Note that an entry is being served: from now on something of it may be under way."""
        with self._noting:
            self._begun.add(entry)

    def put_off(self, entry: str) -> None:
        """Note that an entry is not served yet after all."""
        with self._noting:
            self._begun.discard(entry)

    def change(self) -> None:
        """Note that something was changed, although what it was done for failed."""
        with self._noting:
            self._changed = True

    def stand_for(self, instead: Mapping[Action, Action]) -> None:
        """Note that an entry was planned again: which action of the plan each of the new ones stands for."""
        with self._noting:
            self._instead.update(instead)

    def note(self, action: Action, result: Result) -> None:
        """Note what became of an action, and tell it; nothing counts any more once the run was given up."""
        with self._noting:
            if self._abandoned:
                return
            self._context.tell(result)  # first: what could not be told must not pass for something that went well
            self._results[self._planned_as(action)] = result
            total = len(self._plan.actions)
            self._context.progress.step("actions done", min(len(self._results), total), total)

    def note_all(self, results: Iterable[tuple[Action, Result]]) -> None:
        """Note each as it comes."""
        for action, result in results:
            self.note(action, result)

    def knows(self, action: Action) -> bool:
        """Whether the action has its result."""
        return self._planned_as(action) in self._results

    def open_of(self, entry: str) -> list[Action]:
        """What the plan asked for an entry, as far as its bounds permit it, and what has no result yet."""
        of_entry = next((plan.actions for plan in self._plan.entries if plan.entry == entry), ())
        permitted = (action for action in of_entry if self._plan.permits(action, once_aged=True))
        return [action for action in permitted if action not in self._results]

    def end_all(self, entry: str, status: ResultStatus, why: str) -> None:
        """Note that all of an entry's actions that have no result ended in one way."""
        self.note_all((action, Result.of(action, status, why)) for action in self.open_of(entry))

    @contextlib.contextmanager
    def ending_alone(self, entry: str, actions: Iterable[Action], *, unclear: bool) -> Iterator[None]:
        """Inside, a fault of this program ends one entry alone: those of its actions that have no result have failed.

        Args:
            entry: its name.
            actions: what is to be done for it.
            unclear: some of it may have been done by then.
        """
        try:
            yield
        except TookenCIError:
            raise
        except Exception as error:
            log.debug("A fault while %s was served.", quoted(entry), exc_info=True)
            why = f"a fault of tooken-ci itself ({type(error).__name__}); run again with --debug, and report it"
            for action in actions:
                if not self.knows(action):
                    failed = Result.of(action, ResultStatus.FAILED, why)
                    self.note(action, dataclasses.replace(failed, unclear=unclear))

    def close(self) -> Outcome:
        """The outcome of a run that has come to its end: what has no result was left out."""
        for action in self._plan.actions:
            if action not in self._results:
                self.note(action, self._left_out(action))
        return self.outcome()

    def abandon(self) -> Outcome:
        """What can be told when the run had to end, although something that had begun still hangs."""
        with self._noting:
            self._abandoned = True
            try:
                self._context.clock.check()
            except StoppedError as ended:
                self.ended = ended
            for action in self._plan.actions:
                if action not in self._results:
                    hangs = action.entry in self._begun and self._plan.permits(action, once_aged=True)
                    self._results[action] = _hanging(action) if hangs else self._left_out(action)
            return self.outcome()

    def outcome(self) -> Outcome:
        """What is known so far."""
        planned = dict.fromkeys(self._plan.actions)
        results = tuple(self._results[action] for action in {**planned, **self._results} if action in self._results)
        changed = self._changed or any(result.status is ResultStatus.DONE or result.unclear for result in results)
        return Outcome(plan=self._plan, results=results, changed=changed, ended=self.ended)

    def _planned_as(self, action: Action) -> Action:
        return self._instead.get(action, action)

    def _left_out(self, action: Action) -> Result:
        """Why an action was not come to: its entry is busy or stopped or failed before, or a bound forbids it."""
        stopped = next((plan.stopped for plan in self._plan.entries if plan.entry == action.entry), None)
        if stopped is not None and stopped.code is ProblemCode.BUSY and action.entry not in self._begun:
            return Result.of(action, ResultStatus.BUSY, f"{stopped.message} Run again later.")
        if not self._plan.permits(action, once_aged=True):
            return Result.of(action, ResultStatus.SKIPPED, f"blocked by {', '.join(self._plan.blocked_by)}")
        why = self.ended.message if self.ended is not None else "an earlier step for this entry failed"
        return Result.of(action, ResultStatus.SKIPPED, why)


def _hanging(action: Action) -> Result:
    why = "it was under way when the run had to end, and may have been done; the next run goes on from there"
    return dataclasses.replace(Result.of(action, ResultStatus.FAILED, why), unclear=True)

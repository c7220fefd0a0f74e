"""What became of each action of a plan."""

from __future__ import annotations

import dataclasses
import enum
from typing import TYPE_CHECKING

from tooken_ci.base.errors import BlockedError, IncompleteError, PartialError
from tooken_ci.base.text import count
from tooken_ci.plan.model import FORBIDDING, ProblemCode

if TYPE_CHECKING:
    from tooken_ci.base.errors import StoppedError, TookenCIError
    from tooken_ci.plan.model import Action, ActionKind, Plan, Problem

_BOUND = "Apply does only what is due or unfinished."
_ENTRIES = "The entries that the report names are left as they are; apply serves the others."
_UNPLANNED = "Mend what the report names; apply serves the other entries."

_FAILING = frozenset(ProblemCode) - FORBIDDING - {ProblemCode.BUSY}
"""What keeps an entry from being served without being forbidden; a busy entry's actions count by their results."""


class ResultStatus(enum.StrEnum):
    """How an action ended."""

    DONE = "done"
    FAILED = "failed"
    BUSY = "busy"
    SKIPPED = "skipped"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Result:
    """What became of one action.

    Attributes:
        kind: what was to be done.
        entry: the entry's name.
        token: the name of the token that was made, copied or revoked.
        id: its id; None where none was made.
        status: how it ended.
        error: why it did not end well; empty where it did.
        unclear: it failed, but may have been done all the same.
        unread: the places that accepted the secret and cannot be read back.
    """

    kind: ActionKind
    entry: str
    token: str
    id: str | None
    status: ResultStatus
    error: str = ""
    unclear: bool = False
    unread: tuple[str, ...] = ()

    @classmethod
    def of(cls, action: Action, status: ResultStatus, error: str = "") -> Result:
        """The result of an action that made no new token."""
        made = None if action.mints else action.id
        return cls(kind=action.kind, entry=action.entry, token=action.token, id=made, status=status, error=error)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of a plan.

    Attributes:
        plan: as it was made.
        results: one for each action, in the plan's order.
        changed: something was written, made or revoked, whether or not the run then failed.
        ended: why the run ended before all was come to: it was stopped, or its deadline passed.
    """

    plan: Plan
    results: tuple[Result, ...]
    changed: bool
    ended: StoppedError | None = None

    @property
    def failed(self) -> bool:
        """Whether something that was asked for could not be done; what a bound forbids does not count here."""
        return self.ended is not None or self._unserved() > 0

    def verdict(self) -> TookenCIError | None:
        """Why the run did not end well, as the error that the command ends with; None where it did."""
        unserved = self._unserved()
        told = self.ended.message if self.ended else f"{count(unserved, 'action')} could not be done."
        if self.failed and self.changed:
            return PartialError(told, hint="The report names what was not done; the next run goes on from there.")
        if self.plan.blocked_by:
            return BlockedError(
                f"The plan is blocked by {', '.join(self.plan.blocked_by)}.",
                hint=_BOUND if self.plan.blocks else _ENTRIES,
            )
        if self.ended is not None:
            return self.ended
        return IncompleteError(told, hint="Nothing was changed.") if self.failed else None

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What kept entries from being served: an entry that was busy may have been served once that had aged."""
        unserved = {result.entry for result in self.results if result.status is not ResultStatus.DONE}
        return tuple(
            problem
            for problem in self.plan.problems
            if problem.code is not ProblemCode.BUSY or problem.entry in unserved or not self.results
        )

    def _unserved(self) -> int:
        """How many actions failed, and how many entries had none that did because of a problem."""
        failed = [result.entry for result in self.results if result.status in {ResultStatus.FAILED, ResultStatus.BUSY}]
        others = [problem for problem in self.plan.problems if problem.code in _FAILING and problem.entry not in failed]
        return len(failed) + len(others)


def verdict_on(plan: Plan) -> TookenCIError | None:
    """What is wrong with a plan that is only shown, as the error that the command ends with; None where nothing is."""
    failing = {problem.entry for problem in plan.problems if problem.code in _FAILING}
    if plan.blocked_by or not failing:
        return Outcome(plan=plan, results=(), changed=False).verdict()
    return IncompleteError(f"{count(len(failing), 'entry')} cannot be planned in full.", hint=_UNPLANNED)

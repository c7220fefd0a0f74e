"""What became of each action of a plan."""

from __future__ import annotations

import dataclasses
import enum
from typing import TYPE_CHECKING

from tooken_ci.plan.model import FORBIDDING, ProblemCode

if TYPE_CHECKING:
    from tooken_ci.plan.model import Action, ActionKind, Plan


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
    """

    kind: ActionKind
    entry: str
    token: str
    id: str | None
    status: ResultStatus
    error: str = ""

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
        results: one for each action, in the order in which they ended.
        changed: something was written, made or revoked, whether or not the run then failed.
        interrupted: somebody stopped it.
    """

    plan: Plan
    results: tuple[Result, ...]
    changed: bool
    interrupted: bool = False

    @property
    def failed(self) -> bool:
        """Whether something that was asked for could not be done; what a bound forbids does not count here."""
        ended_badly = {ResultStatus.FAILED, ResultStatus.BUSY}
        return (
            self.interrupted
            or any(result.status in ended_badly for result in self.results)
            or any(
                problem.code not in FORBIDDING and problem.code is not ProblemCode.BUSY
                for problem in self.plan.problems
            )
        )

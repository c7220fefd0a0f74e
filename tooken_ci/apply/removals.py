"""Removes what ``absent`` or ``prune`` asks for, but nothing whose secret a destination of the spec still holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tooken_ci.apply import retirement
from tooken_ci.base.text import quoted
from tooken_ci.plan.model import Origin, ProblemCode
from tooken_ci.plan.price import removals_by_entry
from tooken_ci.plan.result import Result, ResultStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tooken_ci.apply.context import Context
    from tooken_ci.apply.ledger import Ledger
    from tooken_ci.apply.survey import Survey
    from tooken_ci.plan.model import Action

Removal = tuple[str, "Sequence[Action]"]
"""A name, and the revocations of what bears it."""


class Removals:
    """The removals of one apply."""

    def __init__(self, context: Context, survey: Survey, ledger: Ledger) -> None:
        self._context = context
        self._survey = survey
        self._ledger = ledger

    @property
    def absent(self) -> Sequence[Removal]:
        """What ``absent`` asks for."""
        return removals_by_entry(self._survey.plan, Origin.ABSENT)

    @property
    def pruned(self) -> Sequence[Removal]:
        """What ``prune`` asks for: nothing unless all else went well, for a name may be missing by mistake."""
        stops = [entry.stopped for entry in self._survey.plan.entries]
        failed = any(stop is not None and stop.code is not ProblemCode.BUSY for stop in stops)
        removals = removals_by_entry(self._survey.plan, Origin.PRUNE)
        if not failed and not self._ledger.outcome().failed:
            return removals
        if self._ledger.ended is None:
            why = "nothing is pruned in a run in which something else failed"
            for _, actions in removals:
                self._ledger.note_all((action, Result.of(action, ResultStatus.SKIPPED, why)) for action in actions)
        return ()

    def remove(self, removal: Removal) -> None:
        """Revoke what bears a name. What ``absent`` asks for and is held has failed: nobody may believe it gone."""
        name, actions = removal
        self._ledger.begin(name)
        with self._ledger.ending_alone(name, actions, unclear=False):
            for action in actions:
                place = self._holder(action)
                if place is not None:
                    self._ledger.note(action, _held(action, place))
        free = [action for action in actions if not self._ledger.knows(action)]
        if free:
            with self._ledger.ending_alone(name, free, unclear=True):
                self._ledger.note_all(retirement.remove(self._context, name, free))

    def _holder(self, action: Action) -> str | None:
        """The destination whose record names the token, in the survey and still now."""
        for entry in self._context.spec.entries:
            for target in entry.deliver:
                seen = self._survey.looks[target.place].recorded
                if seen is not None and seen.id == action.id:
                    now = self._context.open(target).look().recorded
                    if now is None or now.id == action.id:
                        return target.place
        return None


def _held(action: Action, place: str) -> Result:
    status = ResultStatus.FAILED if action.origin is Origin.ABSENT else ResultStatus.SKIPPED
    why = f"{quoted(place)} still holds its secret; deliver another one there first, or name it to 'tooken-ci revoke'"
    return Result.of(action, status, why)

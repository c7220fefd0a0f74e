"""Executes a plan. The order is the safety: entries, then ``absent``, then ``prune`` if nothing failed."""

from __future__ import annotations

import dataclasses
import logging
import threading
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from tooken_ci.apply import generation, retirement, rotation
from tooken_ci.apply.bounded import bounded
from tooken_ci.apply.failure import BusyError, EntryError
from tooken_ci.apply.places import Places
from tooken_ci.apply.side_by_side import side_by_side
from tooken_ci.base import naming
from tooken_ci.base.errors import StoppedError, TookenCIError
from tooken_ci.base.text import quoted
from tooken_ci.plan.model import ActionKind, Cause, Origin, ProblemCode
from tooken_ci.plan.price import removals_by_entry
from tooken_ci.plan.result import Outcome, Result, ResultStatus
from tooken_ci.plan.view import EntryView, family, grouped, with_rotation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tooken_ci.apply.context import Context
    from tooken_ci.apply.survey import Survey
    from tooken_ci.plan.model import Action, EntryPlan
    from tooken_ci.tooken.model import Token


log = logging.getLogger(__name__)

T = TypeVar("T")


def execute(context: Context, survey: Survey) -> Outcome:
    """Do what a plan says, as far as its bounds permit; one entry that fails does not stop the others.

    Raises:
        ForbiddenError: the key lacks a scope that the plan needs; nothing was changed.
        ApiError: the scopes could not be probed; nothing was changed.
    """
    run = _Run(context, survey)
    return bounded(run.execute, context.clock, run.abandon)


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Work:
    """What there is to do for one entry: the actions that are permitted, and the destinations that they write."""

    view: EntryView
    actions: Sequence[Action]
    places: Places


class _Run:
    def __init__(self, context: Context, survey: Survey) -> None:
        self._context = context
        self._survey = survey
        self._plan = survey.plan
        self._entries = {entry.name: entry for entry in context.spec.entries}
        self._generations = grouped(survey.tokens)
        self._noting = threading.RLock()  # guards what follows, and lets one result be told at a time
        self._results: dict[Action, Result] = {}
        self._lost: dict[str, Sequence[Token]] = {}  # by entry: made on the way, their secrets lost with the answers
        self._begun: set[str] = set()
        self._abandoned = False
        self._changed = False
        self._ended: StoppedError | None = None

    def execute(self) -> Outcome:
        """Do it all."""
        self._or_end(self._probe)
        work = [self._work(plan) for plan in self._plan.entries if plan.actions]
        self._each(lambda item: item.places.check(), work)
        self._each(self._guarded, work)
        self._each(self._remove, removals_by_entry(self._plan, Origin.ABSENT))
        self._prune()
        for action in self._plan.actions:
            if action not in self._results:
                self._note(action, self._why_left_out(action))
        return self._outcome()

    def abandon(self) -> Outcome:
        """What can be told when the run had to end, although something that had begun still hangs."""
        with self._noting:
            self._abandoned = True
            try:
                self._context.clock.check()
            except StoppedError as ended:
                self._ended = ended
            for action in self._plan.actions:
                if action not in self._results:
                    hangs = action.entry in self._begun and self._plan.permits(action)
                    self._results[action] = _hanging(action) if hangs else self._why_left_out(action)
            return self._outcome()

    def _or_end(self, step: Callable[[], None]) -> None:
        """Take a step, unless the run is to end; whatever it has not come to then is told as left out."""
        try:
            if self._ended is None:
                self._context.clock.check()
                step()
        except StoppedError as ended:
            self._ended = ended

    def _each(self, work: Callable[[T], None], items: Sequence[T]) -> None:
        """Do the work on each item, side by side; an item that has not begun when the run is to end is left out."""
        side_by_side(lambda item: self._or_end(partial(work, item)), items, self._context.workers)

    def _guarded(self, work: _Work) -> None:
        """Serve an entry; a fault of this program ends that entry alone, and leaves unclear what became of it."""
        try:
            self._serve(work)
        except TookenCIError:
            raise
        except Exception as error:
            log.debug("A fault while %s was served.", quoted(work.view.entry.name), exc_info=True)
            why = f"a fault of tooken-ci itself ({type(error).__name__}); run again with --debug, and report it"
            for action in work.actions:
                if action not in self._results:
                    failed = Result.of(action, ResultStatus.FAILED, why)
                    self._note(action, dataclasses.replace(failed, unclear=True))

    def _outcome(self) -> Outcome:
        planned = dict.fromkeys(self._plan.actions)
        results = tuple(self._results[action] for action in {**planned, **self._results} if action in self._results)
        changed = self._changed or any(result.status is ResultStatus.DONE or result.unclear for result in results)
        return Outcome(plan=self._plan, results=results, changed=changed, ended=self._ended)

    def _note(self, action: Action, result: Result) -> None:
        with self._noting:
            if self._abandoned:
                return
            self._results[action] = result
            self._context.tell(result)
            total = len(self._plan.actions)
            self._context.progress.step("actions done", min(len(self._results), total), total)

    def _note_all(self, results: Iterable[tuple[Action, Result]]) -> None:
        for action, result in results:
            self._note(action, result)

    def _probe(self) -> None:
        """Before the first write: does the key have what the plan needs?"""
        permitted = [action for action in self._plan.actions if self._plan.permits(action)]
        if any(action.mints for action in permitted):
            self._context.client.probe_write()
        if any(action.kind is ActionKind.ROTATE for action in permitted):
            self._context.client.probe_rotate()
        if any(action.kind is ActionKind.REVOKE for action in permitted):
            self._context.client.probe_revoke()

    def _view(self, name: str) -> EntryView:
        spec, found = self._context.spec, self._survey
        entry = self._entries[name]
        view = EntryView(
            entry=entry,
            workspace=spec.workspace,
            generations=family(entry, self._generations),
            looks=tuple(found.looks[target.place] for target in entry.deliver),
            facts=found.facts,
            now=found.plan.now,
            run=self._context.run,
        )
        return with_rotation(view, found.rotations)

    def _work(self, plan: EntryPlan) -> _Work:
        view = self._view(plan.entry)
        permitted = [action for action in plan.actions if self._plan.permits(action)]
        wanted = {place for action in permitted for place in action.destinations}
        places = Places(self._context, [target for target in view.entry.deliver if target.place in wanted])
        return _Work(view=view, actions=permitted, places=places)

    def _serve(self, work: _Work) -> None:
        """One entry: its create, replace or redeliver, and only then what rule 4 allows."""
        self._begun.add(work.view.entry.name)
        revocations = [action for action in work.actions if action.kind is ActionKind.REVOKE]
        for action in work.actions:
            if action.kind is not ActionKind.REVOKE:
                if not self._deliver(work.view, action, work.places):
                    return
                revocations += [_revocation(action, token) for token in self._lost.get(action.entry, ())]
        if revocations:
            self._note_all(retirement.retire(self._context, work.view, revocations))

    def _deliver(self, view: EntryView, action: Action, places: Places) -> bool:
        result = Result.of(action, ResultStatus.DONE)
        try:
            if action.mints:
                made = generation.renew(self._context, view, action, places)
                self._lost[view.entry.name] = made.lost
                result = dataclasses.replace(result, token=made.minted.token.name, id=made.minted.token.id)
            elif action.kind is ActionKind.ROTATE:
                rotation.rotate(self._context, view, action, places)
            else:
                generation.copy(self._context, view, action, places)
        except StoppedError:
            raise
        except TookenCIError as error:
            with self._noting:
                self._changed = self._changed or (isinstance(error, EntryError) and error.changed)
            status = ResultStatus.BUSY if isinstance(error, BusyError) else ResultStatus.FAILED
            result = Result.of(action, status, str(error))
        self._note(action, result)
        return result.status is ResultStatus.DONE

    def _prune(self) -> None:
        """Pruning waits for a run in which everything else went well: a name may be missing by mistake."""
        failed = self._outcome().failed or any(entry.stopped is not None for entry in self._plan.entries)
        removals = removals_by_entry(self._plan, Origin.PRUNE)
        if not failed:
            self._each(self._remove, removals)
        elif self._ended is None:
            why = "nothing is pruned in a run in which something else failed"
            for _, actions in removals:
                self._note_all((action, Result.of(action, ResultStatus.SKIPPED, why)) for action in actions)

    def _remove(self, removal: tuple[str, Sequence[Action]]) -> None:
        """Revoke what ``absent`` or ``prune`` asks for, but nothing that a destination of the spec still holds."""
        name, actions = removal
        self._begun.add(name)
        free = []
        for action in actions:
            place = self._holder(action)
            if place is None:
                free.append(action)
            else:
                why = f"{quoted(place)} still holds its secret; deliver another one there first"
                self._note(action, Result.of(action, ResultStatus.SKIPPED, why))
        if free:
            self._note_all(retirement.remove(self._context, name, free))

    def _holder(self, action: Action) -> str | None:
        """The destination whose record names the token, in the survey and still now."""
        for entry in self._entries.values():
            for target in entry.deliver:
                seen = self._survey.looks[target.place].recorded
                if seen is not None and seen.id == action.id:
                    now = self._context.open(target).look().recorded
                    if now is None or now.id == action.id:
                        return target.place
        return None

    def _why_left_out(self, action: Action) -> Result:
        """Why an action was not come to: its entry is busy or stopped or failed before, or a bound forbids it."""
        stopped = next((plan.stopped for plan in self._plan.entries if plan.entry == action.entry), None)
        if stopped is not None and stopped.code is ProblemCode.BUSY:
            return Result.of(action, ResultStatus.BUSY, f"{stopped.message} {stopped.hint}")
        if not self._plan.permits(action):
            return Result.of(action, ResultStatus.SKIPPED, f"blocked by {', '.join(self._plan.blocked_by)}")
        why = self._ended.message if self._ended is not None else "an earlier step for this entry failed"
        return Result.of(action, ResultStatus.SKIPPED, why)


def _hanging(action: Action) -> Result:
    why = "it was under way when the run had to end, and may have been done; the next run goes on from there"
    return dataclasses.replace(Result.of(action, ResultStatus.FAILED, why), unclear=True)


def _revocation(action: Action, lost: Token) -> Action:
    """The revocation of a token that an action made in vain; rule 4 decides when, as for any older generation."""
    return dataclasses.replace(
        action,
        kind=ActionKind.REVOKE,
        token=lost.name,
        number=naming.split(lost.name)[1],
        id=lost.id,
        cause=Cause.REPAIR,
        reasons=("its secret was lost with the answer to its creation",),
        expires_at=lost.expires_at,
        destinations=(),
    )

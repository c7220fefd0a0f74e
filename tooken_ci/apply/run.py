"""Executes a plan. The order is the safety: entries, ``absent``, ``prune`` if nothing failed, and then ``self``."""

from __future__ import annotations

import dataclasses
import logging
import threading
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from tooken_ci.apply import generation, retirement, rotation
from tooken_ci.apply.again import BusyEntry, look_again, waited
from tooken_ci.apply.bounded import bounded
from tooken_ci.apply.failure import BusyError, EntryError
from tooken_ci.apply.places import Places
from tooken_ci.apply.side_by_side import side_by_side
from tooken_ci.base import naming
from tooken_ci.base.errors import StoppedError, TookenCIError
from tooken_ci.base.text import quoted
from tooken_ci.plan.again import plan_again
from tooken_ci.plan.busy import LOOKS
from tooken_ci.plan.model import ActionKind, Cause, Origin, ProblemCode
from tooken_ci.plan.price import removals_by_entry
from tooken_ci.plan.result import Outcome, Result, ResultStatus
from tooken_ci.plan.view import EntryView, family, grouped, with_rotation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tooken_ci.apply.context import Context
    from tooken_ci.apply.survey import Survey
    from tooken_ci.plan.model import Action, EntryPlan, Problem
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
    """What there is to do for one entry: the actions that are permitted, and the destinations that they write.

    What stops the entry is that it is busy, or else it has no such actions.
    """

    view: EntryView
    actions: Sequence[Action]
    places: Places
    stop: Problem | None = None


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
        self._instead: dict[Action, Action] = {}  # of an entry that was planned again: what stood in its place
        self._busy: list[BusyEntry] = []
        self._begun: set[str] = set()
        self._abandoned = False
        self._changed = False
        self._ended: StoppedError | None = None

    def execute(self) -> Outcome:
        """Do it all."""
        self._or_end(self._probe)
        work = [self._work(plan) for plan in self._plan.entries if plan.actions]
        self._each(lambda item: item.places.check(), work)
        self._serve_all([item for item in work if item.view.entry.name != self._plan.last])
        self._each(self._remove, removals_by_entry(self._plan, Origin.ABSENT))
        self._prune()
        self._serve_all([item for item in work if item.view.entry.name == self._plan.last])
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
                    hangs = action.entry in self._begun and self._plan.permits(action, once_aged=True)
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

    def _serve_all(self, work: Sequence[_Work]) -> None:
        """Serve entries; those that are busy, or turn out to be, once all the others are."""
        now = self._plan.now
        stops = {item.view.entry.name: item.stop for item in work if item.stop is not None and item.actions}
        self._busy = [BusyEntry.planned(stop, now) for stop in stops.values()]
        self._each(self._guarded, [item for item in work if item.stop is None])
        for _ in range(LOOKS):
            busy, self._busy = sorted(self._busy, key=lambda one: one.until), []
            self._each(self._serve_again, busy)
        for one in self._busy:
            self._end_all(one.name, ResultStatus.BUSY, f"{one.why} It was looked at again {LOOKS} times; {one.advice}.")

    def _serve_again(self, busy: BusyEntry) -> None:
        """Serve an entry that was busy, as it stands once what made it so has aged."""
        if not waited(self._context, busy):
            why = f"{busy.why} The run's deadline leaves no time to wait until that has aged; {busy.advice}."
            self._end_all(busy.name, ResultStatus.BUSY, why)
            return
        try:
            view, names = look_again(self._context, self._survey, self._entries[busy.name])
        except StoppedError:
            raise
        except TookenCIError as error:
            self._end_all(busy.name, ResultStatus.FAILED, str(error))
            return
        again = plan_again(self._plan, self._context.spec, view, names, due=self._survey.focus.due)
        if again.busy is not None:
            self._defer(BusyEntry.planned(again.busy, view.now))
        elif again.problem is not None:
            self._end_all(busy.name, ResultStatus.FAILED, f"{again.problem.message} {again.problem.hint}")
        else:
            self._instead.update(again.stands_for)
            self._guarded(_Work(view=view, actions=again.actions, places=self._places(view, again.actions, check=True)))
            if all(one.name != busy.name for one in self._busy):
                gone = [one for one in self._planned(busy.name) if one not in again.stands_for.values()]
                why = "a fresh look at it, once it was no longer busy, does not ask for it any more"
                self._note_all((action, Result.of(action, ResultStatus.SKIPPED, why)) for action in gone)

    def _defer(self, busy: BusyEntry) -> None:
        with self._noting:
            self._begun.discard(busy.name)
            self._busy.append(busy)

    def _planned(self, entry: str) -> list[Action]:
        """What the plan asked for an entry, as far as its bounds permit it, and what has no result yet."""
        of_entry = next((plan.actions for plan in self._plan.entries if plan.entry == entry), ())
        permitted = (action for action in of_entry if self._plan.permits(action, once_aged=True))
        return [action for action in permitted if action not in self._results]

    def _end_all(self, entry: str, status: ResultStatus, why: str) -> None:
        self._note_all((action, Result.of(action, status, why)) for action in self._planned(entry))

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
                if self._instead.get(action, action) not in self._results:
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
            self._results[self._instead.get(action, action)] = result
            self._context.tell(result)
            total = len(self._plan.actions)
            self._context.progress.step("actions done", min(len(self._results), total), total)

    def _note_all(self, results: Iterable[tuple[Action, Result]]) -> None:
        for action, result in results:
            self._note(action, result)

    def _probe(self) -> None:
        """Before the first write: does the key have what the plan needs?"""
        permitted = [action for action in self._plan.actions if self._plan.permits(action, once_aged=True)]
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
            terms=self._context.terms,
        )
        return with_rotation(view, found.rotations)

    def _work(self, plan: EntryPlan) -> _Work:
        view = self._view(plan.entry)
        permitted = [action for action in plan.actions if self._plan.permits(action, once_aged=True)]
        return _Work(view=view, actions=permitted, places=self._places(view, permitted), stop=plan.stopped)

    def _places(self, view: EntryView, actions: Iterable[Action], *, check: bool = False) -> Places:
        wanted = {place for action in actions for place in action.destinations}
        places = Places(self._context, [target for target in view.entry.deliver if target.place in wanted])
        if check:
            places.check()
        return places

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
            own = work.view.entry.name == self._plan.last
            self._note_all(retirement.retire(self._context, work.view, revocations, own=own))

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
            if isinstance(error, BusyError):
                self._defer(BusyEntry.met(view.entry.name, error, self._context))
                return False
            result = Result.of(action, ResultStatus.FAILED, str(error))
        self._note(action, result)
        return result.status is ResultStatus.DONE

    def _prune(self) -> None:
        """Pruning waits for a run in which everything else went well: a name may be missing by mistake."""
        stops = [entry.stopped for entry in self._plan.entries]
        failed = self._outcome().failed or any(stop is not None and stop.code is not ProblemCode.BUSY for stop in stops)
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
        if stopped is not None and stopped.code is ProblemCode.BUSY and action.entry not in self._begun:
            return Result.of(action, ResultStatus.BUSY, f"{stopped.message} Run again later.")
        if not self._plan.permits(action, once_aged=True):
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

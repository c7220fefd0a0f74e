"""Executes a plan. The order is the safety: entries, ``absent``, ``prune`` if nothing failed, and then ``self``."""

from __future__ import annotations

import dataclasses
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from tooken_ci.apply import generation, retirement, rotation
from tooken_ci.apply.again import BusyEntry, look_again, waited
from tooken_ci.apply.bounded import bounded
from tooken_ci.apply.failure import BusyError, EntryError
from tooken_ci.apply.ledger import Ledger
from tooken_ci.apply.places import Places
from tooken_ci.apply.removals import Removals
from tooken_ci.apply.side_by_side import side_by_side
from tooken_ci.base import naming
from tooken_ci.base.errors import StoppedError, TookenCIError
from tooken_ci.plan.again import plan_again
from tooken_ci.plan.busy import LOOKS
from tooken_ci.plan.model import ActionKind, Cause
from tooken_ci.plan.result import Result, ResultStatus
from tooken_ci.plan.view import EntryView, family, grouped, with_rotation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tooken_ci.apply.context import Context
    from tooken_ci.apply.survey import Survey
    from tooken_ci.plan.model import Action, EntryPlan, Problem
    from tooken_ci.plan.result import Outcome
    from tooken_ci.tooken.model import Token

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
        self._ledger = Ledger(context, survey.plan)
        self._removals = Removals(context, survey, self._ledger)
        self._lost: dict[str, Sequence[Token]] = {}  # by entry: made on the way, their secrets lost with the answers
        self._busy: list[BusyEntry] = []

    def execute(self) -> Outcome:
        """Do it all."""
        self._or_end(self._probe)
        work = [self._work(plan) for plan in self._plan.entries if plan.actions]
        self._each(self._check, work)
        work = [item for item in work if not any(map(self._ledger.knows, item.actions))]
        self._serve_all([item for item in work if item.view.entry.name != self._plan.last])
        self._each(self._removals.remove, self._removals.absent)
        self._each(self._removals.remove, self._removals.pruned)
        self._serve_all([item for item in work if item.view.entry.name == self._plan.last])
        return self._ledger.close()

    def abandon(self) -> Outcome:
        """What can be told when the run had to end, although something that had begun still hangs."""
        return self._ledger.abandon()

    def _or_end(self, step: Callable[[], None]) -> None:
        """Take a step, unless the run is to end; whatever it has not come to then is told as left out."""
        try:
            if self._ledger.ended is None:
                self._context.clock.check()
                step()
        except StoppedError as ended:
            self._ledger.ended = ended

    def _each(self, work: Callable[[T], None], items: Sequence[T]) -> None:
        """Do the work on each item, side by side; an item that has not begun when the run is to end is left out."""
        side_by_side(lambda item: self._or_end(partial(work, item)), items, self._context.workers)

    def _probe(self) -> None:
        """Before the first write: does the key have what the plan needs?"""
        permitted = [action for action in self._plan.actions if self._plan.permits(action, once_aged=True)]
        if any(action.mints for action in permitted):
            self._context.client.probe_write()
        if any(action.kind is ActionKind.ROTATE for action in permitted):
            self._context.client.probe_rotate()
        if any(action.kind is ActionKind.REVOKE for action in permitted):
            self._context.client.probe_revoke()

    def _check(self, work: _Work) -> None:
        with self._ledger.ending_alone(work.view.entry.name, work.actions, unclear=False):
            work.places.check()

    def _serve_all(self, work: Sequence[_Work]) -> None:
        """Serve entries; those that are busy, or turn out to be, once all the others are."""
        now = self._plan.now
        stops = {item.view.entry.name: item.stop for item in work if item.stop is not None and item.actions}
        self._busy = [BusyEntry.planned(stop, now) for stop in stops.values()]
        self._each(self._serve, [item for item in work if item.stop is None])
        for _ in range(LOOKS):
            busy, self._busy = sorted(self._busy, key=lambda one: one.until), []
            self._each(self._serve_again, busy)
        for one in self._busy:
            why = f"{one.why} It was looked at again {LOOKS} times; {one.advice}."
            self._ledger.end_all(one.name, ResultStatus.BUSY, why)

    def _serve_again(self, busy: BusyEntry) -> None:
        """Serve an entry that was busy, as it stands once what made it so has aged."""
        if not waited(self._context, busy):
            why = f"{busy.why} The run's deadline leaves no time to wait until that has aged; {busy.advice}."
            self._ledger.end_all(busy.name, ResultStatus.BUSY, why)
            return
        with self._ledger.ending_alone(busy.name, self._ledger.open_of(busy.name), unclear=False):
            self._look_and_serve(busy.name)

    def _look_and_serve(self, name: str) -> None:
        try:
            view, names = look_again(self._context, self._survey, self._entries[name])
        except StoppedError:
            raise
        except TookenCIError as error:
            self._ledger.end_all(name, ResultStatus.FAILED, str(error))
            return
        again = plan_again(self._plan, self._context.spec, view, names, due=self._survey.focus.due)
        if again.busy is not None:
            self._defer(BusyEntry.planned(again.busy, view.now))
        elif again.problem is not None:
            self._ledger.end_all(name, ResultStatus.FAILED, f"{again.problem.message} {again.problem.hint}")
        else:
            self._ledger.stand_for(again.stands_for)
            self._serve(_Work(view=view, actions=again.actions, places=self._places(view, again.actions, check=True)))
            if all(one.name != name for one in self._busy):
                gone = [one for one in self._ledger.open_of(name) if one not in again.stands_for.values()]
                why = "a fresh look at it, once it was no longer busy, does not ask for it any more"
                self._ledger.note_all((action, Result.of(action, ResultStatus.SKIPPED, why)) for action in gone)

    def _defer(self, busy: BusyEntry) -> None:
        self._ledger.put_off(busy.name)
        self._busy.append(busy)

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
        name = work.view.entry.name
        self._ledger.begin(name)
        with self._ledger.ending_alone(name, work.actions, unclear=True):
            revocations = [action for action in work.actions if action.kind is ActionKind.REVOKE]
            for action in work.actions:
                if action.kind is not ActionKind.REVOKE:
                    if not self._deliver(work.view, action, work.places):
                        return
                    revocations += [_revocation(action, token) for token in self._lost.get(action.entry, ())]
            if revocations:
                own = name == self._plan.last
                self._ledger.note_all(retirement.retire(self._context, work.view, revocations, own=own))

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
            if isinstance(error, EntryError) and error.changed:
                self._ledger.change()
            if isinstance(error, BusyError):
                self._defer(BusyEntry.met(view.entry.name, error, self._context))
                return False
            result = Result.of(action, ResultStatus.FAILED, str(error))
        result = dataclasses.replace(result, unread=places.unread)
        self._ledger.note(action, result)
        return result.status is ResultStatus.DONE


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

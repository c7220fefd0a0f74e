"""Waits until what makes an entry busy has aged, and looks at the entry again."""

from __future__ import annotations

import dataclasses
import logging
from typing import TYPE_CHECKING

from tooken_ci.apply.looks import look_at_entry
from tooken_ci.base import times
from tooken_ci.base.errors import DeadlineError
from tooken_ci.base.text import quoted
from tooken_ci.plan.view import EntryView, generations_of, recorded_ids, with_rotation
from tooken_ci.tooken.model import Status

if TYPE_CHECKING:
    import datetime as dt

    from tooken_ci.apply.context import Context
    from tooken_ci.apply.failure import BusyError
    from tooken_ci.apply.survey import Survey
    from tooken_ci.plan.model import Problem
    from tooken_ci.spec.model import Entry

log = logging.getLogger(__name__)

_MARGIN = 1.0
"""Seconds: marks and the server's time are both told in whole ones."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class BusyEntry:
    """An entry that another run may be at work on.

    Attributes:
        name: the entry's.
        until: when what tells so will have aged, the server's time.
        why: what tells so.
    """

    name: str
    until: dt.datetime
    why: str

    @property
    def advice(self) -> str:
        """What to do where it was not waited for, or in vain."""
        return f"run again after {times.show(self.until)}"

    @classmethod
    def planned(cls, problem: Problem, now: dt.datetime) -> BusyEntry:
        """As a plan found it."""
        return cls(name=problem.entry, until=problem.until or now, why=problem.message)

    @classmethod
    def met(cls, name: str, error: BusyError, context: Context) -> BusyEntry:
        """As it turned out while the entry was served."""
        since = error.since or context.client.now()
        return cls(name=name, until=since + context.terms.busy_grace, why=error.message)


def waited(context: Context, busy: BusyEntry) -> bool:
    """Wait until what makes an entry busy has aged; whether the run's deadline left time for that.

    Raises:
        StoppedError: the run is to end.
    """
    grace = context.terms.busy_grace.total_seconds()  # a mark ahead of the clock is not waited for any longer
    seconds = min((busy.until - context.client.now()).total_seconds(), grace)
    if seconds <= 0:
        return True
    log.warning("Waiting %.0f s for %s: %s", seconds + _MARGIN, quoted(busy.name), busy.why)
    context.progress.wait(seconds + _MARGIN, f"{quoted(busy.name)} is busy")
    try:
        context.clock.sleep(seconds + _MARGIN)
    except DeadlineError:
        context.clock.check()
        return False
    return True


def look_again(context: Context, survey: Survey, entry: Entry) -> tuple[EntryView, dict[str, str]]:
    """One entry as it stands now: its generations by name, and what its destinations say.

    Args:
        context: of the apply.
        survey: what was found at first.
        entry: the entry.

    Returns:
        The entry, and the names of all tokens that are known of, by id.

    Raises:
        WorkspaceError: a list kept changing while it was read.
        ApiError: the workspace could not be read.
        StoppedError: the run is to end.
    """
    tokens = context.active_of(entry)
    looks = look_at_entry(context, entry)
    names = {token.id: token.name for token in (*survey.tokens, *tokens)}
    facts = dict(survey.facts)
    facts |= {strange: context.client.get(strange) for strange in recorded_ids(looks, frozenset([*names, *facts]))}
    tokens += tuple(fact for fact in facts.values() if fact is not None and fact.status is Status.ACTIVE)
    view = EntryView(
        entry=entry,
        workspace=context.spec.workspace,
        generations=generations_of(entry, tokens),
        looks=looks,
        facts=facts,
        now=context.client.now(),
        run=context.run,
        terms=context.terms,
        planned_at=survey.planned_at,
        forced=survey.focus.forces(entry.name),
    )
    return with_rotation(view, survey.rotations), names

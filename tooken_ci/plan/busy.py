"""Whether another run may be at work on an entry: then nothing is done for it until what tells so has aged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tooken_ci.base import times
from tooken_ci.base.text import quoted
from tooken_ci.plan.model import Problem, ProblemCode

if TYPE_CHECKING:
    import datetime as dt

    from tooken_ci.plan.view import EntryView

LOOKS = 2
"""How often apply looks again at a busy entry before it fails."""


def busy(view: EntryView) -> Problem | None:
    """Whether another run may be at work: a young mark, or a young generation that no record names yet."""
    grace = view.terms.busy_grace
    marks = [mark for look in view.looks for mark in look.marks if mark.run != view.run]
    foreign = [mark for mark in marks if mark.young(view.now, grace)]
    if foreign:
        newest = max(foreign, key=lambda mark: mark.at)
        what = (
            f"run {quoted(newest.run)} announced at {times.show(newest.at)} that it would write {quoted(newest.name)}"
        )
        return _problem(view, what, newest.at)
    current = view.current
    if current is None or not grace or view.now - current.token.created_at >= grace:
        return None
    if any(look.recorded is not None and look.recorded.id == current.token.id for look in view.looks):
        return None
    what = f"{quoted(current.token.name)} was made at {times.show(current.token.created_at)} and is not delivered yet"
    return _problem(view, what, current.token.created_at)


def _problem(view: EntryView, what: str, since: dt.datetime) -> Problem:
    until = since + view.terms.busy_grace
    return Problem(
        code=ProblemCode.BUSY,
        entry=view.entry.name,
        message=f"Another run may be at work on it: {what}.",
        hint=f"Apply waits until {times.show(until)} and then looks again.",
        until=until,
    )

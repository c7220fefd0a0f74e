"""When the tokens of a spec end, as a diagram in Mermaid's language, which GitHub and GitLab draw."""

from __future__ import annotations

import datetime as dt
import unicodedata
from typing import TYPE_CHECKING

from tooken_ci.base import naming
from tooken_ci.plan.timeline import LifeKind
from tooken_ci.render.escaping import mermaid_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tooken_ci.plan.model import Plan
    from tooken_ci.plan.timeline import Life

SOON = dt.timedelta(days=7)
"""What ends within this time, and is not replaced, stands out."""

LEGEND = (
    f"Each bar says when its token ends; red: the current one ends within {SOON.days} days, and "
    "nothing replaces it. ◆: when it falls due."
)
"""In words, for what is current or retiring has another colour in the dark."""

_AHEAD, _LEAST = dt.timedelta(days=366), dt.timedelta(days=2)
"""How far the diagram looks ahead at most, and at least: one token for ten years would leave the others no width."""

_BY_HOUR = dt.timedelta(days=8)
"""Up to this width the hours can be seen."""

_FINEST = {True: (dt.timedelta(days=1), "%Y-%m-%d 00:00"), False: (dt.timedelta(hours=1), "%Y-%m-%d %H:00")}
"""The finest step that can be seen beyond that width, and up to it."""

_LONG_NAME, _CHARACTER, _MARGIN = 24, 5.8, 18
"""How much of a name is shown, about how wide a character of it is, and what else stands at the left, in pixels."""

_TICKS = (
    (dt.timedelta(hours=12), "12hour", "%d %b %H:%M"),
    (dt.timedelta(days=1), "1day", "%d %b"),
    (dt.timedelta(days=2), "2day", "%d %b"),
    (dt.timedelta(weeks=1), "1week", "%d %b"),
    (dt.timedelta(weeks=2), "2week", "%d %b"),
    (dt.timedelta(days=31), "1month", "%b %Y"),
    (dt.timedelta(days=92), "3month", "%b %Y"),
    (dt.timedelta(days=183), "6month", "%b %Y"),
)
_MOST_TICKS = 6
"""How many dates find room below the diagram on a telephone."""

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_TAGS = {LifeKind.CURRENT: "", LifeKind.RETIRING: "done, ", LifeKind.PLANNED: "active, "}


def gantt(lives: Sequence[Life], plan: Plan, now: dt.datetime | None = None) -> str:
    """The diagram, line by line; empty where there is nothing to draw.

    Args:
        lives: entry by entry, as ``plan.timeline`` gives them.
        plan: what it is drawn for.
        now: from where time is seen; None = the plan's own time.
    """
    return "".join(f"{line}\n" for line in _lines(lives, plan, now or plan.now)) if lives else ""


def _lines(lives: Sequence[Life], plan: Plan, now: dt.datetime) -> Iterator[str]:
    names = _names(lives)
    edge = _Edges(lives, now)
    room = round(max(map(_width, names.values())) * _CHARACTER) + _MARGIN
    yield f'%%{{init: {{"gantt": {{"leftPadding": {room}, "rightPadding": 12}}}}}}%%'
    yield "gantt"
    yield "    accTitle: When the tokens end"
    yield "    dateFormat YYYY-MM-DD HH:mm"
    yield from edge.axis
    replaced = {action.entry for action in plan.actions if action.mints and plan.permits(action)}
    before = None
    for number, life in enumerate(lives):
        if life.entry != before:
            yield f"    section {names[life.entry]}"
            before = life.entry
        yield from _bars(life, edge, f"t{number}", urgent=_urgent(life, now, replaced))


def _names(lives: Iterable[Life]) -> dict[str, str]:
    """What each entry is called in the diagram: not like any other, for Mermaid would take them for one."""
    names: dict[str, str] = {}
    taken: set[str] = set()
    for entry in dict.fromkeys(life.entry for life in lives):
        name = mermaid_text(entry, limit=_LONG_NAME)
        names[entry] = name if name not in taken else f"{name} no. {len(taken) + 1}"
        taken.add(names[entry])
    return names


def _urgent(life: Life, now: dt.datetime, replaced: Iterable[str]) -> bool:
    soon = life.ends is not None and life.ends <= now + SOON
    return soon and life.kind is LifeKind.CURRENT and life.entry not in replaced


def _bars(life: Life, edge: _Edges, mark: str, *, urgent: bool) -> Iterator[str]:
    """The life itself, and the date at which something is to happen to it."""
    ends = "never ends" if life.ends is None else edge.day(life.ends)
    tags = f"crit, {_TAGS[life.kind]}" if urgent else _TAGS[life.kind]
    first, last = edge.within(life.starts), edge.right if life.ends is None else edge.within(life.ends)
    yield f"    {_label(life)}, {ends} :{tags}{mark}, {edge.time(first)}, {edge.time(max(first, last), after=first)}"
    if life.due is not None and edge.left <= life.due <= edge.right:
        yield f"    due {edge.day(life.due)} :milestone, {mark}d, {edge.time(life.due)}, 0d"


def _label(life: Life) -> str:
    """What it is, and which: by its number where its name is the entry's; a word of ours stands first."""
    name, number = naming.split(life.token)
    which = f"g{number}" if name == life.entry else mermaid_text(life.token, limit=_LONG_NAME)
    return str(life.kind) if life.token == life.entry else f"{life.kind} {which}"


def _width(name: str) -> int:
    """In characters of common width."""
    return sum(1 + (unicodedata.east_asian_width(char) in "WF") for char in name)


class _Edges:
    """What part of time is drawn: what is past takes no more width than what is to come.

    Attributes:
        left: where it begins, UTC.
        right: where it ends, UTC; what never ends is drawn up to here.
    """

    def __init__(self, lives: Sequence[Life], now: dt.datetime) -> None:
        ends = [at for life in lives for at in (life.ends, life.due) if at is not None]
        ahead = min(max(max(ends, default=now) - now, _LEAST), _AHEAD)
        self.right = now + ahead * 1.02
        self._year = now.astimezone(dt.UTC).year
        self.left = max(min(life.starts for life in lives), now - ahead)

    @property
    def axis(self) -> Iterator[str]:
        """What dates stand below, and how they are written: no more than there is width for."""
        least = (self.right - self.left) / _MOST_TICKS
        _, every, form = next((tick for tick in _TICKS if tick[0] >= least), _TICKS[-1])
        yield f"    axisFormat {form}"
        yield f"    tickInterval {every}"

    def day(self, at: dt.datetime) -> str:
        """``1 Dec``, with its year where that is not the present one."""
        day = at.astimezone(dt.UTC)
        return f"{day.day} {_MONTHS[day.month - 1]}{'' if day.year == self._year else f' {day.year}'}"

    def time(self, at: dt.datetime, after: dt.datetime | None = None) -> str:
        """No finer than can be seen, so that a plan that is made again makes the same diagram on the same day.

        Args:
            at: the instant.
            after: what begins then is to be seen, however soon it ends.
        """
        step, form = _FINEST[self.right - self.left > _BY_HOUR]
        shown = at.astimezone(dt.UTC).strftime(form)
        if after is not None and shown == after.astimezone(dt.UTC).strftime(form):
            return (at + step).astimezone(dt.UTC).strftime(form)
        return shown

    def within(self, at: dt.datetime) -> dt.datetime:
        """The instant, or the edge beyond which it lies."""
        return min(max(at, self.left), self.right)

"""How long the tokens of a spec live, and which of them the next run will see to."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
from typing import TYPE_CHECKING

from tooken_ci.base import times
from tooken_ci.base.text import quoted
from tooken_ci.plan.due import due
from tooken_ci.plan.model import ActionKind
from tooken_ci.plan.view import family, grouped
from tooken_ci.spec.durations import show

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tooken_ci.plan.model import Plan
    from tooken_ci.spec.model import Entry, Spec
    from tooken_ci.tooken.model import Token


class LifeKind(enum.StrEnum):
    """What a token is to its entry."""

    CURRENT = "current"
    RETIRING = "retiring"
    PLANNED = "planned"
    """The plan makes it, or made it."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Life:
    """How long one token of an entry lives.

    Attributes:
        entry: the entry's name.
        token: the token's name.
        kind: what it is to its entry.
        starts: when it was made, UTC; of a planned one the time of the plan.
        ends: when it ends by itself, UTC; None = never.
        due: when it falls due, to be replaced or rotated, UTC; None = never, or it is not the current one.
        runs_every: how often apply runs.
    """

    entry: str
    token: str
    kind: LifeKind
    starts: dt.datetime
    ends: dt.datetime | None
    due: dt.datetime | None = None
    runs_every: dt.timedelta = dt.timedelta(0)

    @property
    def due_soon(self) -> str:
        """That it falls due before the next run, in words; empty for one that never does."""
        if self.due is None:
            return ""
        ends = "" if self.ends is None else f" It expires at {times.show(self.ends)}."
        return (
            f"{quoted(self.token)} falls due at {times.show(self.due)}, before the run after this one "
            f"(runs_every {show(self.runs_every)}), which will see to it.{ends}"
        )


def timeline(spec: Spec, tokens: Sequence[Token], plan: Plan, *, most: int) -> tuple[Life, ...]:
    """The living generations of a spec's entries, and those that the plan makes, entry by entry.

    Args:
        spec: what was planned for.
        tokens: every active token of the workspace, as it was when the plan was made.
        plan: what is made of it.
        most: how many there may be; where there are more, none are given.
    """
    if len(spec.entries) > most:
        return ()
    generations = grouped(tokens)
    found: list[Life] = []
    for entry in spec.entries:
        for generation in (family_of := family(entry, generations)):
            last = generation is family_of[-1]
            found.append(_living(entry, generation.token) if last else _retiring(entry, generation.token))
        found += _planned(entry, plan)
    return tuple(found) if len(found) <= most else ()


def due_soon(spec: Spec, tokens: Iterable[Token], plan: Plan) -> tuple[Life, ...]:
    """The current tokens that are not due yet, but will be before the next run, by the date at which they are.

    What is rotated in place is told by its end alone: nothing but the audit log tells how old its secret is.
    """
    seen_to = {action.entry for action in plan.actions}
    generations = grouped(tokens)
    lives = (
        _living(entry, found[-1].token)
        for entry in spec.entries
        if entry.name not in seen_to and not entry.watched and (found := family(entry, generations))
    )
    soon = (life for life in lives if life.due is not None and plan.now < life.due <= plan.now + life.runs_every)
    return tuple(sorted(soon, key=lambda life: (life.due, life.token)))


def _living(entry: Entry, token: Token) -> Life:
    dates = due(entry, token)
    rotation = None if entry.in_place else dates.rotation
    return Life(
        entry=entry.name,
        token=token.name,
        kind=LifeKind.CURRENT,
        starts=token.created_at,
        ends=token.expires_at,
        due=min(filter(None, (dates.renewal, rotation)), default=None),
        runs_every=entry.runs_every,
    )


def _retiring(entry: Entry, token: Token) -> Life:
    return Life(
        entry=entry.name,
        token=token.name,
        kind=LifeKind.RETIRING,
        starts=token.created_at,
        ends=token.expires_at,
    )


def _planned(entry: Entry, plan: Plan) -> Iterator[Life]:
    for action in plan.actions:
        if action.entry == entry.name and action.kind in {ActionKind.CREATE, ActionKind.REPLACE}:
            yield Life(
                entry=entry.name,
                token=action.token,
                kind=LifeKind.PLANNED,
                starts=plan.now,
                ends=action.ends(plan.now),
            )

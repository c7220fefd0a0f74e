"""A plan that one run saves and another applies: what it holds, and what it saw. It holds no secret."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
from typing import TYPE_CHECKING, Any

from tooken_ci.base import times
from tooken_ci.plan.model import ActionKind, Origin
from tooken_ci.plan.unrecorded import judged
from tooken_ci.plan.view import family, grouped

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tooken_ci.base.record import Look
    from tooken_ci.plan.model import Action, Plan
    from tooken_ci.spec.model import Spec
    from tooken_ci.tooken.model import Token

LONGEST = dt.timedelta(days=7)
"""An older plan is not applied."""

SKEW = dt.timedelta(minutes=1)
"""How far the clocks of the servers behind one address may be apart: by that a plan may seem to be of the future."""

WRITTEN = "written "
"""With it begins what is kept of a store that has no record: when it was last written."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Step:
    """An action as it is compared: its structure, and the life of a token instead of dates.

    Attributes:
        kind, origin, entry, token, number, id, cause, scopes, destinations, delivery_only: as the action has them.
        life: seconds that a new token is to live; None where its end is absolute, or none is made.
        expires_at: the absolute end, as ISO 8601; None where there is none, or ``life`` stands.
    """

    kind: str
    origin: str
    entry: str
    token: str
    number: int
    id: str | None
    cause: str
    scopes: tuple[str, ...]
    life: int | None
    expires_at: str | None
    destinations: tuple[str, ...]
    delivery_only: bool

    @property
    def retires(self) -> bool:
        """It is a revocation by rule 4, which waits for its time."""
        return self.kind == ActionKind.REVOKE and self.origin == Origin.ENTRY


@dataclasses.dataclass(frozen=True, kw_only=True)
class SeenToken:
    """A living generation of an entry, without its ``last_used_at``."""

    id: str
    name: str
    scopes: tuple[str, ...]
    expires_at: str | None


@dataclasses.dataclass(frozen=True, kw_only=True)
class SeenPlace:
    """What a destination said.

    Attributes:
        place: as it is shown to people.
        state: ``holds``, ``absent`` or ``unknown``.
        holds: the name of the token whose secret stands there for certain.
        record: a digest of its delivery record, or when it was last written where it keeps none; None where there is
            neither.
    """

    place: str
    state: str
    holds: str | None
    record: str | None


@dataclasses.dataclass(frozen=True, kw_only=True)
class SeenEntry:
    """What was seen of one entry: its living generations, oldest first, and its destinations."""

    entry: str
    tokens: tuple[SeenToken, ...]
    places: tuple[SeenPlace, ...]


@dataclasses.dataclass(frozen=True, kw_only=True)
class SavedPlan:
    """A plan for another run.

    Attributes:
        tool_version: of the program that made it.
        workspace: the label in the spec.
        api_url: the API that was asked.
        spec: the digest of the spec.
        planned_at: the server's time when it was made.
        options: those of the command line that decide what is planned, by name.
        blocked_by: the codes of the bounds and policies that forbid the plan as a whole.
        steps: every action, in the plan's order.
        seen: what was seen of every entry.
    """

    tool_version: str
    workspace: str
    api_url: str
    spec: str
    planned_at: dt.datetime
    options: Mapping[str, Any]
    blocked_by: tuple[str, ...]
    steps: tuple[Step, ...]
    seen: tuple[SeenEntry, ...]


def steps_of(plan: Plan) -> tuple[Step, ...]:
    """Every action as it is compared."""
    return tuple(map(_step, plan.actions))


def blocks_of(plan: Plan) -> tuple[str, ...]:
    """The codes of what forbids the plan as a whole."""
    return tuple(block.code for block in plan.blocks)


def seen(spec: Spec, tokens: Iterable[Token], looks: Mapping[str, Look]) -> tuple[SeenEntry, ...]:
    """What is to be the same when a saved plan is applied.

    Args:
        spec: what the team wants.
        tokens: every active token of the workspace.
        looks: what a look at each destination found, by place; one that nobody looked at is left out.
    """
    generations = grouped(tokens)
    families = ((entry, family(entry, generations)) for entry in sorted(spec.entries, key=lambda entry: entry.name))
    return tuple(
        SeenEntry(
            entry=entry.name,
            tokens=tuple(_token(generation.token) for generation in own),
            places=tuple(
                _place(target.place, judged(looks[target.place], own, spec.workspace))
                for target in entry.deliver
                if target.place in looks
            ),
        )
        for entry, own in families
    )


def _step(action: Action) -> Step:
    lives = action.expires_in is not None
    return Step(
        kind=str(action.kind),
        origin=str(action.origin),
        entry=action.entry,
        token=action.token,
        number=action.number,
        id=action.id,
        cause=str(action.cause),
        scopes=action.scopes,
        life=int(action.expires_in.total_seconds()) if action.expires_in is not None else None,
        expires_at=None if lives or action.expires_at is None else times.show(action.expires_at),
        destinations=action.destinations,
        delivery_only=action.delivery_only,
    )


def _token(token: Token) -> SeenToken:
    end = None if token.expires_at is None else times.show(token.expires_at)
    return SeenToken(id=token.id, name=token.name, scopes=tuple(sorted(token.scopes)), expires_at=end)


def _place(place: str, look: Look) -> SeenPlace:
    record = None if look.record is None else hashlib.sha256(look.record.to_text().encode()).hexdigest()[:32]
    if look.written_at is not None:
        record = f"{WRITTEN}{times.show(look.written_at)}"
    holds = None if look.held is None else look.held.name
    return SeenPlace(place=place, state=str(look.state), holds=holds, record=record)

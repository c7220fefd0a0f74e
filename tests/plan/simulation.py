"""A workspace and its destinations in memory, what a successful apply makes of them, and what time does."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from tests.plan.builders import NOW, RUN, holds, seconds, written
from tooken_ci.base.record import State
from tooken_ci.plan.lifecycle import make_plan
from tooken_ci.plan.model import Action, ActionKind, Plan
from tooken_ci.tooken.model import Status, Token

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from tooken_ci.base.record import Look
    from tooken_ci.spec.model import Spec


@dataclasses.dataclass(frozen=True, kw_only=True)
class World:
    """Everything that a plan depends on.

    Attributes:
        spec: what the team wants.
        tokens: every token, the ended ones too.
        looks: what each destination holds, by place.
        now: the server's time.
    """

    spec: Spec
    tokens: tuple[Token, ...]
    looks: Mapping[str, Look]
    now: dt.datetime = NOW

    @property
    def active(self) -> tuple[Token, ...]:
        return tuple(token for token in self.tokens if token.status is Status.ACTIVE)

    def planned(self, *, entries: Sequence[int] | None = None) -> Plan:
        """The plan; optionally with the entries in another order."""
        chosen = self.spec.entries if entries is None else tuple(self.spec.entries[index] for index in entries)
        ended = {token.id: token for token in self.tokens if token.status is not Status.ACTIVE}
        return make_plan(
            dataclasses.replace(self.spec, entries=chosen),
            tokens=self.active,
            looks=self.looks,
            facts=ended,
            now=self.now,
            run=RUN,
        )

    def applied(self, plan: Plan) -> tuple[World, frozenset[str]]:
        """What a run makes of it in which nothing fails but what a destination out of reach makes fail.

        Returns:
            The world after it, and the entries that could not be served.
        """
        tokens, looks = {token.id: token for token in self.tokens}, dict(self.looks)
        failed: set[str] = set()
        bare = {place.place for one in self.spec.entries for place in one.deliver if not place.keeps_record}
        for action in plan.actions:
            if not plan.permits(action) or action.entry in failed:
                continue
            if action.kind is ActionKind.REVOKE:
                if action.id is None:
                    raise AssertionError("a revocation of nothing")
                tokens[action.id] = dataclasses.replace(tokens[action.id], status=Status.REVOKED)
            elif self._out_of_reach(action):
                failed.add(action.entry)
            else:
                current = _made(action, self.now) if action.mints else tokens[action.id or ""]
                tokens[current.id] = current
                reached = [place for place in action.destinations if _reached(looks[place])]
                looks |= {place: written(self.now) if place in bare else holds(current) for place in reached}
        world = dataclasses.replace(self, tokens=tuple(tokens.values()), looks=looks)
        return world, frozenset(failed)

    def at(self, now: dt.datetime) -> World:
        """The same at a later time: tokens whose end has come are ended."""
        tokens = (
            dataclasses.replace(token, status=Status.EXPIRED)
            if token.status is Status.ACTIVE and token.expires_at is not None and token.expires_at <= now
            else token
            for token in self.tokens
        )
        return dataclasses.replace(self, tokens=tuple(tokens), now=now)

    def _out_of_reach(self, action: Action) -> bool:
        """A destination that cannot be marked gets nothing; where delivery alone is the cause, nothing is made then."""
        reached = [_reached(self.looks[place]) for place in action.destinations]
        return not any(reached) or (action.delivery_only and not all(reached))


def _reached(look: Look) -> bool:
    return look.state is not State.UNKNOWN


def _made(action: Action, now: dt.datetime) -> Token:
    """The token as the API makes it: the expiry carries its random seconds."""
    return Token(
        id=f"tok_made_{action.token}",
        name=action.token,
        scopes=frozenset(action.scopes),
        status=Status.ACTIVE,
        created_at=now,
        expires_at=None if action.expires_at is None else action.expires_at + seconds(59),
        last_used_at=None,
        created_by="tooken-ci",
    )

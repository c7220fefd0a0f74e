"""What a plan is made of: typed, sorted, frozen. Every renderer reads this, and apply executes it."""

from __future__ import annotations

import dataclasses
import enum
import functools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from tooken_ci.base.position import Position
    from tooken_ci.tooken.model import Token


class ActionKind(enum.StrEnum):
    """What is done to an entry."""

    CREATE = "create"
    REPLACE = "replace"
    ROTATE = "rotate"
    REDELIVER = "redeliver"
    REVOKE = "revoke"


class Cause(enum.StrEnum):
    """Why it is done; where several hold, the first of them in this order counts."""

    SPEC = "spec"
    """The team changed its mind."""
    DRIFT = "drift"
    """Somebody changed the workspace or a destination."""
    TIME = "time"
    """It is due."""
    REPAIR = "repair"
    """A run did not finish."""


GOING_ON = frozenset({Cause.TIME, Cause.REPAIR})
"""What is done although a bound forbids the plan: nothing may expire because of it."""


class Origin(enum.StrEnum):
    """The part of the spec that asks for an action; also the order in which apply comes to it."""

    ENTRY = "entry"
    ABSENT = "absent"
    PRUNE = "prune"


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Generation:
    """A token that belongs to an entry, and its number, from 1."""

    number: int
    token: Token


@dataclasses.dataclass(frozen=True, kw_only=True)
class Action:
    """One change to make.

    Attributes:
        kind: what is done.
        origin: the part of the spec that asks for it.
        entry: the entry's name; for ``absent`` and ``prune`` the name that they cover.
        token: the name of the token that is made, copied or revoked.
        number: its generation number.
        id: the token that exists now: the one that is replaced, copied or revoked; None for a create.
        cause: why, in one word.
        reasons: why, in sentences without a full stop.
        scopes: of the token that results, or that is revoked; sorted.
        expires_at: likewise, UTC; None = never. Beside ``expires_in`` it is only expected.
        expires_in: the life of a token that is made, reckoned from its making; None where ``expires_at`` says it all.
        replaces: the name of the token that the one that is made takes the place of; empty where there is none.
        last_used_at: when the token that exists now was last used, UTC; None = never, or there is none.
        revoke_after: when the replaced token is due to be revoked, UTC.
        destinations: the places that are written, in the order of the spec.
        delivery_only: nothing but its delivery asks for this (rule 3 alone).
        held: at least one destination holds the generation that is replaced.
    """

    kind: ActionKind
    origin: Origin = Origin.ENTRY
    entry: str
    token: str
    number: int
    id: str | None
    cause: Cause
    reasons: tuple[str, ...]
    scopes: tuple[str, ...]
    expires_at: dt.datetime | None
    expires_in: dt.timedelta | None = None
    replaces: str = ""
    last_used_at: dt.datetime | None = None
    revoke_after: dt.datetime | None = None
    destinations: tuple[str, ...] = ()
    delivery_only: bool = False
    held: bool = False

    @property
    def mints(self) -> bool:
        """Whether it makes a new token."""
        return self.kind in {ActionKind.CREATE, ActionKind.REPLACE}

    def ends(self, made_at: dt.datetime) -> dt.datetime | None:
        """The end of the token, UTC, if it is made at that time; None = never."""
        return self.expires_at if self.expires_in is None else made_at + self.expires_in


@dataclasses.dataclass(frozen=True, kw_only=True)
class Waiting:
    """A retiring generation that is not revoked yet.

    Attributes:
        entry: the entry's name.
        token: the generation's name.
        id: its id; None for one that the plan is about to retire only in name of what it replaces.
        revoke_after: when it is due at the earliest, UTC.
        held_by: what holds it, in words.
        last_used_at: when it was last used, UTC; None = never.
    """

    entry: str
    token: str
    id: str
    revoke_after: dt.datetime
    held_by: str
    last_used_at: dt.datetime | None = None


class ProblemCode(enum.StrEnum):
    """Why an entry cannot be served."""

    BUSY = "busy"
    """Another run may be at work on it."""
    CAP = "cap"
    """Too many generations are alive."""
    EXPIRED = "expired"
    """Its absolute expiry has passed."""
    AGE = "age"
    """Nothing tells how old the secret is that is to be rotated."""
    MISSING = "missing"
    """It is only watched, and has no token."""
    POLICY = "policy"
    """It breaks the policy."""
    PROTECTED = "protected"
    """It is protected from what the spec asks for."""
    RECORD = "record"
    """A destination holds the record of somebody else."""
    UNKNOWN = "unknown"
    """A destination could not be asked what it holds."""


FORBIDDING = frozenset({ProblemCode.POLICY, ProblemCode.PROTECTED, ProblemCode.RECORD})
"""What makes the exit code say that the plan is forbidden, rather than failed."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Problem:
    """Why an entry cannot be served, or only in part.

    Attributes:
        code: for machines.
        entry: the entry's name.
        message: what was found.
        hint: what to do next.
        stops: nothing is done for the entry; False where only what the message names is left out.
        until: when what was found will have passed by itself, UTC; None = it will not.
        position: the line of the spec that is to blame; None where it is the entry as a whole.
    """

    code: ProblemCode
    entry: str
    message: str
    hint: str
    stops: bool = True
    until: dt.datetime | None = None
    position: Position | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Block:
    """A bound or a policy that forbids the plan as a whole; what time and repair ask for goes on.

    Attributes:
        code: for machines.
        message: what was found and what is allowed.
        hint: what to do next.
        found: how many the plan has of what is bounded; None where nothing is counted.
        allowed: how many it may have.
    """

    code: str
    message: str
    hint: str
    found: int | None = None
    allowed: int | None = None


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class EntryPlan:
    """What is to be done for one entry.

    Attributes:
        entry: the entry's name.
        previously: the names that it had before; a look at the entry asks for each of them too.
        actions: in the order in which they are done.
        waiting: retiring generations that are not revoked yet.
        problems: what keeps it from being served, or from being served in full.
        warnings: what the user should look at.
    """

    entry: str
    previously: tuple[str, ...] = ()
    actions: tuple[Action, ...] = ()
    waiting: tuple[Waiting, ...] = ()
    problems: tuple[Problem, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def stopped(self) -> Problem | None:
        """What stops the whole entry; None where nothing does."""
        return next((problem for problem in self.problems if problem.stops), None)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Plan:
    """The list of changes to make, in the order in which they are made.

    Attributes:
        workspace: the label.
        now: the server's time when it was made.
        entries: one for each entry that has something to tell, by name.
        removals: revocations by ``absent``, then by ``prune``, each by name.
        blocks: what forbids the plan as a whole.
        unchanged: entries that need nothing.
        managed: active tokens that the spec covers.
        unmanaged: active tokens that it does not; they are never touched.
        last: the entry whose token runs tooken-ci, and which therefore comes last; empty = not told.
        by_hand: it revokes what a person named, and tells of nothing else in the workspace.
    """

    workspace: str
    now: dt.datetime
    entries: tuple[EntryPlan, ...]
    removals: tuple[Action, ...]
    blocks: tuple[Block, ...]
    unchanged: int
    managed: int
    unmanaged: int
    last: str = ""
    by_hand: bool = False

    @property
    def actions(self) -> tuple[Action, ...]:
        """Every action, in the order in which apply comes to it: those of the token that runs it are the very last."""
        first = [action for entry in self.entries if entry.entry != self.last for action in entry.actions]
        last = [action for entry in self.entries if entry.entry == self.last for action in entry.actions]
        return (*first, *self.removals, *last)

    @property
    def waiting(self) -> tuple[Waiting, ...]:
        """Retiring generations that are not revoked yet."""
        return tuple(waiting for entry in self.entries for waiting in entry.waiting)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What keeps entries from being served."""
        return tuple(problem for entry in self.entries for problem in entry.problems)

    @property
    def unplanned(self) -> tuple[EntryPlan, ...]:
        """Entries that a problem keeps from being planned: whether they differ is not told. A busy one was planned."""
        return tuple(
            entry
            for entry in self.entries
            if not entry.actions and any(problem.code is not ProblemCode.BUSY for problem in entry.problems)
        )

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the user should look at."""
        return tuple(warning for entry in self.entries for warning in entry.warnings)

    @property
    def blocked_by(self) -> tuple[str, ...]:
        """The codes of all that forbids a part of the plan, or the whole of it."""
        forbidding = [str(problem.code) for problem in self.problems if problem.code in FORBIDDING]
        return tuple(dict.fromkeys([*(block.code for block in self.blocks), *forbidding]))

    @property
    def empty(self) -> bool:
        """Whether there is nothing to do, and nothing that keeps something from being done."""
        return not (self.actions or self.problems or self.blocks)

    def permits(self, action: Action, *, once_aged: bool = False) -> bool:
        """Whether apply may do it: a blocked plan goes on only with what is due or unfinished.

        Args:
            action: of this plan.
            once_aged: what makes its entry busy is taken to have aged.
        """
        if self.blocks and action.cause not in GOING_ON:
            return False
        if action.origin is not Origin.ENTRY:
            return True
        code = self._stopped.get(action.entry)
        return code is None or (once_aged and code is ProblemCode.BUSY)

    def stopped_by(self, action: Action) -> ProblemCode | None:
        """What stops the whole entry of an action; None where nothing does."""
        return self._stopped.get(action.entry)

    @functools.cached_property
    def _stopped(self) -> Mapping[str, ProblemCode]:
        return {entry.entry: entry.stopped.code for entry in self.entries if entry.stopped is not None}

    def count(self, kind: ActionKind) -> int:
        """How many actions of a kind there are."""
        return sum(action.kind is kind for action in self.actions)

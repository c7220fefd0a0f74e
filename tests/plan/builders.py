"""Short ways to write down entries, tokens and what destinations say; a case names only what it is about."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import TYPE_CHECKING, Any

from tooken_ci.base.position import Position
from tooken_ci.base.record import DeliveryRecord, Held, Look, Mark, MarkKind, State
from tooken_ci.plan.focus import EVERYTHING, Focus
from tooken_ci.plan.lifecycle import make_plan
from tooken_ci.plan.terms import USUAL, Terms
from tooken_ci.plan.view import EntryView, generations_of
from tooken_ci.spec.model import Bound, Entry, Named, Policy, Spec, Target
from tooken_ci.tooken.model import Status, Token

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tooken_ci.plan.model import Action, Plan

NOW = dt.datetime(2026, 11, 23, 19, 20, 15, tzinfo=dt.UTC)
WORKSPACE = "production"
RUN, OTHER_RUN = "5f0c9a1b22d4", "0a1b2c3d4e5f"
CI = "ci-deploy"
PLACE = "file out/ci-deploy"
READ, WRITE = "tokens:read", "tokens:write"
UNBOUNDED = Policy(max_revocations=Bound(number=1000), max_changes=Bound(number=1000))

_NOWHERE = Position("tooken.yml", 1, 1)
_AN_HOUR, _THREE_DAYS = dt.timedelta(hours=1), dt.timedelta(days=3)


def hours(number: float) -> dt.timedelta:
    return dt.timedelta(hours=number)


def days(number: float) -> dt.timedelta:
    return dt.timedelta(days=number)


def minutes(number: float) -> dt.timedelta:
    return dt.timedelta(minutes=number)


def seconds(number: float) -> dt.timedelta:
    return dt.timedelta(seconds=number)


def target(place: str = PLACE, *, takeover: bool = False, keeps_record: bool = True) -> Target:
    return Target(
        kind="file",
        place=place,
        claims=frozenset({place}),
        settings=None,
        takeover=takeover,
        keeps_record=keeps_record,
        position=_NOWHERE,
    )


def entry(name: str = CI, **changes: Any) -> Entry:
    """An entry that lives 30 days, overlaps by 24 hours, and delivers to one file."""
    plain = Entry(
        name=name,
        scopes=frozenset({READ}),
        expires_in=days(30),
        expires_at=None,
        renew_before=days(10),
        runs_every=hours(24),
        overlap=hours(24),
        deliver=(target(f"file out/{name}"),),
        protected=False,
        description="",
        owner="",
        position=_NOWHERE,
        keys={},
    )
    return dataclasses.replace(plain, **changes)


def renamed(*names: str) -> tuple[Named, ...]:
    """Previous names, as ``previously`` lists them."""
    return tuple(Named(text=name, position=_NOWHERE) for name in names)


def ending(at: dt.datetime, name: str = CI, **changes: Any) -> Entry:
    """An entry with an absolute end of life."""
    return entry(name, expires_in=None, renew_before=None, expires_at=at, **changes)


def endless(name: str = CI, **changes: Any) -> Entry:
    return entry(name, expires_in=None, renew_before=None, **changes)


def token(
    name: str = CI, *, age: dt.timedelta = _THREE_DAYS, used: dt.timedelta | None = None, **changes: Any
) -> Token:
    """A token as ``entry`` asks for it, made ``age`` ago and last used ``used`` ago."""
    plain = Token(
        id=f"tok_{name}",
        name=name,
        scopes=frozenset({READ}),
        status=Status.ACTIVE,
        created_at=NOW - age,
        expires_at=NOW - age + days(30),
        last_used_at=None if used is None else NOW - used,
        created_by="platform@example.com",
    )
    return dataclasses.replace(plain, **changes)


def held(of: Token) -> Held:
    return Held(id=of.id, name=of.name, at=of.created_at, fingerprint="0123456789abcdef")


def mark(
    name: str = f"{CI}.g2",
    *,
    age: dt.timedelta = _AN_HOUR,
    run: str = OTHER_RUN,
    kind: MarkKind = MarkKind.CREATE,
) -> Mark:
    return Mark(kind=kind, name=name, run=run, at=NOW - age)


def holds_since(of: Token, age: dt.timedelta, *marks: Mark, readable: bool = True) -> Look:
    """The value there is the one that its record names, and was made ``age`` ago."""
    whose = dataclasses.replace(held(of), at=NOW - age)
    kept = DeliveryRecord(workspace=WORKSPACE, held=whose, marks=marks)
    return Look(state=State.HOLDS, record=kept, readable=readable)


def record(of: Token | None, *marks: Mark, workspace: str = WORKSPACE) -> DeliveryRecord:
    return DeliveryRecord(workspace=workspace, held=None if of is None else held(of), marks=marks)


def holds(of: Token, *marks: Mark, readable: bool = True, workspace: str = WORKSPACE) -> Look:
    """The value there is the one that its record names."""
    return Look(state=State.HOLDS, record=record(of, *marks, workspace=workspace), readable=readable)


def edited(of: Token, *marks: Mark, value_newer: bool = True) -> Look:
    """The record names a token, but the value is emptied, missing or another one."""
    reason = "its value is not the one that was delivered"
    return Look(state=State.ABSENT, record=record(of, *marks), reason=reason, value_newer=value_newer)


def marks_only(*marks: Mark) -> Look:
    return Look(state=State.ABSENT, record=record(None, *marks), reason="an unfinished run left only its mark")


def damaged() -> Look:
    return Look(state=State.ABSENT, reason="its delivery record is damaged", value_newer=True)


def empty() -> Look:
    return Look(state=State.ABSENT, reason="nothing was delivered yet", empty=True)


def written(at: dt.datetime) -> Look:
    """A store that keeps no record was last written then."""
    return Look(state=State.ABSENT, reason="it keeps no delivery record", written_at=at)


def unknown() -> Look:
    return Look(state=State.UNKNOWN, reason="it cannot be read: permission denied")


def spec(
    *entries: Entry,
    policy: Policy | None = None,
    absent: Iterable[str] = (),
    prune: Iterable[str] = (),
    own: str = "",
) -> Spec:
    return Spec(
        workspace=WORKSPACE,
        entries=entries,
        policy=Policy() if policy is None else policy,
        absent=tuple(Named(text=text, position=_NOWHERE) for text in absent),
        prune=tuple(Named(text=text, position=_NOWHERE) for text in prune),
        warnings=(),
        files=("tooken.yml",),
        own=own,
    )


def plan(
    what: Entry | Spec,
    tokens: Sequence[Token] = (),
    looks: Mapping[str, Look] | Look | None = None,
    *,
    facts: Iterable[Token] = (),
    unknown_ids: Iterable[str] = (),
    allow_empty: bool = False,
    rotations: Mapping[str, dt.datetime] | None = None,
    focus: Focus = EVERYTHING,
    terms: Terms = USUAL,
) -> Plan:
    """The plan of this run.

    Args:
        what: a spec, or its only entry.
        tokens: the active ones.
        looks: by place, or the one look at the only place; a place that is left out holds its entry's newest token.
        facts: tokens that are not active but that records name.
        unknown_ids: ids that records name and that the workspace does not know.
        allow_empty: as on the command line.
        rotations: what the audit log tells; None = it is closed.
        focus: what of the spec the run sees to.
        terms: on which the rules are applied.
    """
    whole = what if isinstance(what, Spec) else spec(what)
    if isinstance(looks, Look):
        looks = {whole.entries[0].deliver[0].place: looks}
    return make_plan(
        whole,
        tokens=tokens,
        looks={**_settled(whole, tokens), **(looks or {})},
        facts={**{known.id: known for known in facts}, **dict.fromkeys(unknown_ids)},
        now=NOW,
        run=RUN,
        allow_empty=allow_empty,
        rotations=rotations,
        focus=focus,
        terms=terms,
    )


def view(of: Entry, tokens: Sequence[Token], *looks: Look) -> EntryView:
    """One entry, as a fresh look before a revocation sees it."""
    return EntryView(
        entry=of,
        workspace=WORKSPACE,
        generations=generations_of(of, tokens),
        looks=looks,
        facts={},
        now=NOW,
        run=RUN,
    )


def told(made: Plan) -> list[str]:
    """The actions, each as ``kind token``, in the plan's order."""
    return [f"{action.kind} {action.token}" for action in made.actions]


def only(made: Plan) -> Action:
    """The plan's one action."""
    (action,) = made.actions
    return action


def codes(made: Plan) -> list[str]:
    return [str(problem.code) for problem in made.problems]


def _settled(whole: Spec, tokens: Sequence[Token]) -> dict[str, Look]:
    looks = {}
    for one in whole.entries:
        own = generations_of(one, tokens)
        for place in one.deliver:
            looks[place.place] = holds(own[-1].token) if own else empty()
    return looks

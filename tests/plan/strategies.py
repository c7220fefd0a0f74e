"""Any workspace, any spec, any state of the destinations: small, and full of what collides."""

from __future__ import annotations

import dataclasses
import itertools
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from tests.plan.builders import (
    NOW,
    OTHER_RUN,
    READ,
    RUN,
    WRITE,
    damaged,
    days,
    edited,
    empty,
    entry,
    holds,
    hours,
    mark,
    marks_only,
    minutes,
    renamed,
    seconds,
    spec,
    target,
    token,
    unknown,
    written,
)
from tests.plan.simulation import World
from tooken_ci.base import naming
from tooken_ci.plan.view import generations_of
from tooken_ci.spec.model import Bound, Policy
from tooken_ci.tooken.model import Status

if TYPE_CHECKING:
    from tooken_ci.base.record import Look, Mark
    from tooken_ci.spec.model import Entry
    from tooken_ci.tooken.model import Token

DECLARED = ("ci", "ci-a", "web")
FREE = ("other", "ci-old", "ci-old.g2", "ci.g1", "ci.e-1-1-a", "web.e-2-1-b", "WEB")
PATTERNS = ("ci*", "*", "*-old*", "*.e-*", "web*", "nothing")
ENDS = (NOW - hours(1), NOW + days(3), NOW + days(60))
ENDLESS = {"expires_in": None, "renew_before": None}
TIGHT = {"expires_in": hours(74), "renew_before": hours(50)}
EAGER = {"expires_in": days(60), "renew_before": days(55)}
LIVES: list[dict[str, Any]] = [{}, {}, {}, TIGHT, EAGER, ENDLESS, *({**ENDLESS, "expires_at": end} for end in ENDS)]
ROTATIONS = [None, None, None, minutes(1), hours(25), days(4), days(30)]
PREVIOUS = {"ci": ["ci-was", "older"], "ci-a": ["ci-x"], "web": ["ci-web"]}
SCOPES = [frozenset({READ}), frozenset({WRITE}), frozenset({READ, WRITE})]
OVERLAPS = [hours(0), hours(0), hours(1), hours(24), hours(72)]
AGES = [
    minutes(1), minutes(3) - seconds(1), minutes(3), hours(2), hours(25), days(3), days(4), days(5), days(6), days(31)
]  # fmt: skip
USES = [None, None, None, minutes(5), hours(23), hours(30), days(4)]
BOUNDS = [None, Bound(number=0), Bound(number=1), Bound(number=100), Bound(number=100)]


@st.composite
def entries(draw: st.DrawFn, name: str) -> Entry:
    takeover = draw(st.booleans())
    return entry(
        name,
        scopes=draw(st.sampled_from(SCOPES)),
        overlap=draw(st.sampled_from(OVERLAPS)),
        protected=draw(st.sampled_from([False, False, True])),
        deliver=tuple(
            target(f"file {name}/{index}", takeover=takeover, keeps_record=draw(st.sampled_from([True] * 5 + [False])))
            for index in range(draw(st.sampled_from([1, 2, 2, 3, 0])))
        ),
        rotate_every=draw(st.sampled_from(ROTATIONS)),
        previously=renamed(*PREVIOUS[name][: draw(st.sampled_from([0, 0, 0, 1, 2]))]),
        **draw(st.sampled_from(LIVES)),
    )


@st.composite
def tokens(draw: st.DrawFn, name: str, of: Entry | None = None) -> Token:
    """A token; most often as its entry asks, where there is one."""
    age = draw(st.sampled_from(AGES))
    plain = token(name, age=age, used=draw(st.sampled_from(USES)))
    if of is not None and draw(st.sampled_from([True, True, True, False])):
        end = of.expires_at if of.expires_in is None else plain.created_at + of.expires_in
        return dataclasses.replace(plain, scopes=of.scopes, expires_at=end)
    lives = [None, plain.expires_at, NOW - age + days(31), *(end + seconds(30) for end in ENDS)]
    return dataclasses.replace(plain, scopes=draw(st.sampled_from(SCOPES)), expires_at=draw(st.sampled_from(lives)))


@st.composite
def families(draw: st.DrawFn, of: Entry) -> list[Token]:
    """The active generations of an entry under all its names, none to five, oldest first."""
    numbers = st.tuples(st.sampled_from(of.names), st.sampled_from([1, 2, 3, 4, 10]))
    names = draw(st.lists(numbers, unique=True, max_size=5))
    found = [draw(tokens(naming.generation_name(*numbered), of)) for numbered in names]
    return [generation.token for generation in generations_of(of, found)]


@st.composite
def marks(draw: st.DrawFn, names: tuple[str, ...]) -> Mark:
    number = draw(st.integers(1, 5))
    age = draw(st.sampled_from([hours(5), minutes(3), minutes(3), minutes(1)]))
    run = draw(st.sampled_from([OTHER_RUN, OTHER_RUN, RUN]))
    return mark(naming.generation_name(draw(st.sampled_from(names)), number), age=age, run=run)


@st.composite
def looks(draw: st.DrawFn, of_entry: Entry, own: list[Token], others: list[Token], *, with_unknown: bool) -> Look:
    """What a destination of the entry may say; most often that it holds the current generation."""
    open_marks = draw(st.sampled_from([[], [], draw(st.lists(marks(of_entry.names), max_size=2))]))
    kinds = ["held", "held", "held", "edited", "empty", "damaged", "marks"] + ["unknown"] * with_unknown
    kind = draw(st.sampled_from(kinds))
    of = draw(st.sampled_from([*own[-1:] * 6, *own[:-1] * 2, *others])) if own or others else None
    if of is not None and kind == "held":
        return holds(of, *open_marks, readable=draw(st.booleans()))
    if of is not None and kind == "edited":
        return edited(of, *open_marks, value_newer=draw(st.booleans()))
    if kind == "marks" and open_marks:
        return marks_only(*open_marks)
    return {"damaged": damaged(), "unknown": unknown()}.get(kind, empty())


@st.composite
def writes(draw: st.DrawFn, own: list[Token], *, with_unknown: bool) -> Look:
    """What a destination that keeps no record may say; most often that it was written when a generation was made."""
    made = [one.created_at for one in own] or [NOW - hours(9)]
    after = draw(st.sampled_from([seconds(0), seconds(0), seconds(-31), seconds(100), hours(2)]))
    said = [written(draw(st.sampled_from([made[-1], *made])) + after), empty()]
    return draw(st.sampled_from([*said[:1] * 4, *said, *[unknown()] * with_unknown]))


@st.composite
def worlds(draw: st.DrawFn, *, with_unknown: bool = True, bounded: bool = True) -> World:
    declared = draw(st.lists(st.sampled_from(DECLARED), unique=True, min_size=1, max_size=3))
    declared = draw(st.sampled_from([declared, declared, declared, []]))
    undeclared = [name for name in DECLARED if name not in declared]
    bounds = (draw(st.sampled_from(BOUNDS)), draw(st.sampled_from(BOUNDS))) if bounded else (BOUNDS[-1], BOUNDS[-1])
    of = spec(
        *(draw(entries(name)) for name in sorted(declared)),
        policy=Policy(max_revocations=bounds[0], max_changes=bounds[1]),
        absent=draw(st.lists(st.sampled_from([*undeclared, "ci-old"]), unique=True, max_size=1)),
        prune=draw(st.lists(st.sampled_from(PATTERNS), unique=True, max_size=1)),
    )
    own = {one.name: draw(families(one)) for one in of.entries}
    free = draw(st.lists(st.sampled_from([*FREE, *undeclared]), unique=True, max_size=4))
    others = [draw(tokens(name)) for name in free]
    ended = [
        dataclasses.replace(token(name), id=f"tok_ended_{name}", status=status)
        for name, status in (("ci", Status.EXPIRED), ("ci.g5", Status.REVOKED), ("web.g2", Status.REVOKED))
    ]
    known = [*itertools.chain(*own.values()), *others, *ended]
    strange = [*others[:1], *ended]
    found = {
        place.place: draw(
            looks(one, own[one.name], strange, with_unknown=with_unknown)
            if place.keeps_record
            else writes(own[one.name], with_unknown=with_unknown)
        )
        for one in of.entries
        for place in one.deliver
    }
    return World(spec=of, tokens=tuple(known), looks=found)


@st.composite
def quiet_worlds(draw: st.DrawFn) -> World:
    """One entry with one token, where little or nothing is left to do."""
    of = draw(entries("ci"))
    one = draw(tokens("ci", of))
    said = [*[holds(one)] * 6, holds(token("ci.g2")), holds(one, workspace="elsewhere"), edited(one), unknown()]
    bare = [*[written(one.created_at)] * 6, written(one.created_at - hours(1)), unknown()]
    found = {place.place: draw(st.sampled_from(said if place.keeps_record else bare)) for place in of.deliver}
    return World(spec=spec(of), tokens=(one,), looks=found)

"""Any workspace, any spec, any state of the destinations: small, and full of what collides."""

from __future__ import annotations

import dataclasses
import itertools
from typing import TYPE_CHECKING

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
    seconds,
    spec,
    target,
    token,
    unknown,
)
from tests.plan.simulation import World
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
SCOPES = st.sampled_from([frozenset({READ}), frozenset({READ}), frozenset({WRITE}), frozenset({READ, WRITE})])
OVERLAPS = st.sampled_from([hours(0), hours(1), hours(24), hours(72)])
AGES = st.sampled_from(
    [minutes(1), minutes(3) - seconds(1), minutes(3), hours(2), hours(25), days(3), days(4), days(5), days(31)]
)
USES = st.sampled_from([None, None, None, minutes(5), hours(23), hours(30), days(4)])


@st.composite
def lives(draw: st.DrawFn) -> dict[str, object]:
    """How an entry ends: after a time, at a time, or never."""
    end = draw(st.sampled_from([None, "in", "in", *ENDS]))
    if end == "in":
        return {}
    return {"expires_in": None, "renew_before": None, "expires_at": end}


@st.composite
def entries(draw: st.DrawFn, name: str) -> Entry:
    places = draw(st.integers(0, 3))
    takeover = draw(st.booleans())
    return entry(
        name,
        scopes=draw(SCOPES),
        overlap=draw(OVERLAPS),
        protected=draw(st.booleans()),
        deliver=tuple(target(f"file {name}/{index}", takeover=takeover) for index in range(places)),
        **draw(lives()),
    )


@st.composite
def tokens(draw: st.DrawFn, name: str, *, ended: bool) -> Token:
    age = draw(AGES)
    end = draw(
        st.sampled_from(
            [
                None,
                NOW - age + days(30),
                NOW - age + days(30),
                NOW - age + days(31),
                *(end + seconds(30) for end in ENDS),
            ]
        )
    )
    plain = token(name, age=age, used=draw(USES), scopes=draw(SCOPES), expires_at=end)
    if not ended:
        return plain
    status = draw(st.sampled_from([Status.REVOKED, Status.EXPIRED]))
    return dataclasses.replace(plain, id=f"tok_ended_{name}", status=status)


@st.composite
def marks(draw: st.DrawFn, name: str) -> Mark:
    number = draw(st.integers(1, 6))
    age = draw(st.sampled_from([minutes(1), minutes(3), minutes(3), hours(5)]))
    run = draw(st.sampled_from([OTHER_RUN, OTHER_RUN, RUN]))
    return mark(name if number == 1 else f"{name}.g{number}", age=age, run=run)


@st.composite
def looks(draw: st.DrawFn, name: str, known: list[Token], *, with_unknown: bool) -> Look:
    """What a destination of the entry may say; most often, that it holds one of its own generations."""
    open_marks = draw(st.lists(marks(name), max_size=1))
    own = [one for one in known if one.name.split(".g")[0] == name and one.name != f"{name}.g1"]
    kinds = ["empty", "damaged", "marks", "held", "edited"]
    kinds += ["unknown"] if with_unknown else []
    kind = draw(st.sampled_from([*kinds, *["held", "held", "edited"] * bool(own)]))
    if kind in {"held", "edited"} and known:
        of = draw(st.sampled_from(own * 4 + known if own else known))
        if kind == "held":
            return holds(of, *open_marks, readable=draw(st.booleans()))
        return edited(of, *open_marks, value_newer=draw(st.booleans()))
    if kind == "unknown":
        return unknown()
    if kind == "marks" and open_marks:
        return marks_only(*open_marks)
    return damaged() if kind == "damaged" else empty()


BOUNDS = st.sampled_from([None, Bound(number=0), Bound(number=1), Bound(number=100)])


@st.composite
def worlds(draw: st.DrawFn, *, with_unknown: bool = True, bounded: bool = True) -> World:
    declared = draw(st.lists(st.sampled_from(DECLARED), unique=True, max_size=3))
    undeclared = [name for name in DECLARED if name not in declared]
    absent = draw(st.lists(st.sampled_from([*undeclared, "ci-old"]), unique=True, max_size=2))
    prune = draw(st.lists(st.sampled_from(PATTERNS), unique=True, max_size=2))
    bounds = (draw(BOUNDS), draw(BOUNDS)) if bounded else (Bound(number=100), Bound(number=100))
    generations = [f"{name}{end}" for name, end in itertools.product(DECLARED, ("", ".g2", ".g3", ".g4", ".g10"))]
    living = draw(st.lists(st.sampled_from([*generations, *FREE]), unique=True, max_size=9))
    ended = draw(st.lists(st.sampled_from(["ci", "ci.g2", "ci.g5", "web.g2"]), unique=True, max_size=2))
    known = [draw(tokens(name, ended=False)) for name in living] + [draw(tokens(name, ended=True)) for name in ended]
    of = spec(
        *(draw(entries(name)) for name in sorted(declared)),
        policy=Policy(max_revocations=bounds[0], max_changes=bounds[1]),
        absent=absent,
        prune=prune,
    )
    found = {
        place.place: draw(looks(one.name, known, with_unknown=with_unknown))
        for one in of.entries
        for place in one.deliver
    }
    return World(spec=of, tokens=tuple(known), looks=found)

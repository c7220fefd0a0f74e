"""The pure diff: ``make_plan`` alone, of as many entries as there are tokens, and how its time grows.

``python -m benchmarks.diff NUMBER`` makes one plan in a process of its own and prints its time in seconds.
"""

from __future__ import annotations

import datetime as dt
import sys
import time
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

from benchmarks.child import run
from benchmarks.effort import BenchmarkError, median
from benchmarks.table import Table, Verdict, seconds, times
from tooken_ci.base.position import Position
from tooken_ci.base.record import DeliveryRecord, Held, Look, State
from tooken_ci.plan.lifecycle import make_plan
from tooken_ci.spec.model import Bound, Entry, Policy, Spec, Target
from tooken_ci.tooken.model import Status, Token

if TYPE_CHECKING:
    from benchmarks.effort import Effort

SIZES = (1_000, 10_000, 100_000)
RUNS = 5
CHANGED = 10
"""One entry in so many has other scopes than its token."""

_NOW = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)
_DAY = dt.timedelta(days=1)
_READ, _WRITE = "tokens:read", "tokens:write"
_NOWHERE = Position("tooken.yml", 1, 1)
_TEXT = f"""\
As many entries as active tokens, each delivered to a file; one in {CHANGED} is to be replaced since its scopes differ.
All is in memory before the clock starts, which then times `make_plan` alone, in a new process each time, with Python's
collector of garbage at work as always. *Growth* is the time to that of the size above."""


def measure(effort: Effort) -> Table:
    """Times each size, several times."""
    taken = {size: median(effort.repeat(RUNS, f"diff of {size:,}", partial(_timed, size))) for size in SIZES}
    growth = {size: taken[size] / taken[before] for before, size in pairwise(SIZES)}
    largest = SIZES[-1]
    return Table(
        title="The pure diff",
        text=_TEXT,
        columns=("entries and tokens", "time", "growth"),
        rows=[(f"{size:,}", seconds(taken[size]), times(growth[size]) if size in growth else "") for size in SIZES],
        verdicts=[
            Verdict(
                what="diff of 100,000",
                target="under 1.5 s",
                measured=seconds(taken[largest]),
                value=taken[largest],
                bound=1.5,
            ),
            Verdict(
                what="its growth from 10,000 to 100,000",
                target="at most 11 times",
                measured=times(growth[largest]),
                value=growth[largest],
                bound=11,
            ),
        ],
    )


def _timed(size: int) -> float:
    return float(run([sys.executable, "-m", "benchmarks.diff", str(size)]).out)


def _entry(name: str, place: str, *, changed: bool) -> Entry:
    return Entry(
        name=name,
        scopes=frozenset({_READ, _WRITE} if changed else {_READ}),
        expires_in=30 * _DAY,
        expires_at=None,
        renew_before=10 * _DAY,
        runs_every=_DAY,
        overlap=_DAY,
        deliver=(
            Target(
                kind="file",
                place=place,
                claims=frozenset({place}),
                settings=None,
                takeover=False,
                position=_NOWHERE,
            ),
        ),
        protected=False,
        description="",
        owner="",
        position=_NOWHERE,
        keys={},
    )


def _token(name: str) -> Token:
    made = _NOW - 3 * _DAY
    return Token(
        id=f"tok_{name}",
        name=name,
        scopes=frozenset({_READ}),
        status=Status.ACTIVE,
        created_at=made,
        expires_at=made + 30 * _DAY,
        last_used_at=None,
        created_by="platform@example.com",
    )


def _look(token: Token) -> Look:
    held = Held(id=token.id, name=token.name, at=token.created_at, fingerprint="0123456789abcdef")
    return Look(state=State.HOLDS, record=DeliveryRecord(workspace="benchmark", held=held, marks=()), readable=True)


def main(size: int) -> None:
    """Builds everything, plans once, and prints how long the plan took."""
    names = [f"ci-{number:06}" for number in range(size)]
    places = {name: f"file out/{name}" for name in names}
    entries = tuple(_entry(name, places[name], changed=not n % CHANGED) for n, name in enumerate(names))
    tokens = [_token(name) for name in names]
    looks = {places[token.name]: _look(token) for token in tokens}
    policy = Policy(max_revocations=Bound(number=size), max_changes=Bound(number=size))
    spec = Spec(
        workspace="benchmark", entries=entries, policy=policy, absent=(), prune=(), warnings=(), files=("tooken.yml",)
    )
    started = time.perf_counter()
    plan = make_plan(spec, tokens=tokens, looks=looks, facts={}, now=_NOW)
    taken = time.perf_counter() - started
    if len(plan.actions) != size // CHANGED:
        raise BenchmarkError(f"The plan has {len(plan.actions)} actions; {size // CHANGED} were expected.")
    sys.stdout.write(f"{taken}\n")


if __name__ == "__main__":
    main(int(sys.argv[1]))

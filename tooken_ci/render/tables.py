"""What a page tells of actions, results, leases and older tokens, as tables of at most three columns."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import TYPE_CHECKING

from tooken_ci.base.text import count
from tooken_ci.plan.leases import LeaseStatus
from tooken_ci.plan.model import GOING_ON, ActionKind
from tooken_ci.plan.result import ResultStatus
from tooken_ci.render import when
from tooken_ci.render.blocks import bullets, table
from tooken_ci.render.escaping import markdown as _text
from tooken_ci.render.escaping import markdown_code as _code
from tooken_ci.render.judging import Fates, ending, held_back

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tooken_ci.plan.leases import LeaseResult
    from tooken_ci.plan.model import Action, Plan, Waiting
    from tooken_ci.plan.result import Outcome, Result
    from tooken_ci.render.fit import Section

FOLD = 30
"""A table with more rows than this is folded away."""

_TURN = 40
"""Of each kind of action so many come before the next of another kind, so that none crowds the others out of a page."""

_SOME_TIME = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
"""A life has the same length whenever it begins."""

_SIGNS = {
    ResultStatus.DONE: "✅",
    ResultStatus.FAILED: "❌",
    ResultStatus.BUSY: "⏳",
    ResultStatus.SKIPPED: "⏭️",
    LeaseStatus.LEASED: "✅",
    LeaseStatus.RELEASED: "✅",
}


def actions(plan: Plan, now: dt.date, *, applied: bool) -> Section:
    """The plan; once it was applied its results stand in front of it."""
    fates, rows = Fates(plan), _in_turns(plan.actions)
    return table(
        "actions",
        ("Action", "Token", "Why"),
        ((_kind(action, plan, applied=applied), _code(action.token), _why(action, now, fates)) for action in rows),
        count=len(rows),
        rank=4,
        title=f"The plan: {count(len(rows), 'action')}" if applied or len(rows) > FOLD else "",
        fold=applied or len(rows) > FOLD,
    )


def _in_turns(planned: Sequence[Action]) -> list[Action]:
    """In the plan's order, but for what is more than a turn of its kind; ``absent`` and ``prune`` are kinds too."""
    seen: Counter[tuple[str, str]] = Counter()
    turns: dict[int, list[Action]] = {}
    for action in planned:
        kind = (action.kind, action.origin)
        turns.setdefault(seen[kind] // _TURN, []).append(action)
        seen[kind] += 1
    return [action for turn in turns.values() for action in turn]


def _kind(action: Action, plan: Plan, *, applied: bool) -> str:
    """What is done; or that it is not, and where the box at the top does not tell why, why."""
    held = held_back(plan, action, applied=applied)
    short = "blocked" if plan.blocks and action.cause not in GOING_ON else _text(held)
    return f"{action.kind}<br>{short}" if held else str(action.kind)


def _why(action: Action, now: dt.date, fates: Fates) -> str:
    told = [f"{action.cause}: {_text('; '.join(action.reasons))}"]
    used = when.used(action.last_used_at, now)
    if action.replaces:
        told.append(f"replaces {_code(action.replaces)}, {used}")
    elif action.kind is ActionKind.ROTATE:
        told.append(f"the old secret was {used}; it dies as soon as the new one is made")
    elif action.kind is ActionKind.REVOKE and not fates.told(action):
        told.append(used)
    return "<br>".join(told)


def details(plan: Plan, now: dt.date) -> Section:
    """What each token that is made or moved may do, when it ends, and where its secret goes."""
    fates, told = Fates(plan), [action for action in plan.actions if action.kind is not ActionKind.REVOKE]
    return bullets(
        "scopes, ends and destinations",
        (_details(action, now, fates) for action in told),
        count=len(told),
        rank=7,
        title=f"Scopes, ends and destinations of {count(len(told), 'token')}",
        fold=True,
        whole=True,
    )


def _details(action: Action, now: dt.date, fates: Fates) -> str:
    scopes = ", ".join(map(_code, action.scopes))
    told = [f"**{action.kind}** {_code(action.token)}", f"{scopes}; {_expires(action, now)}"]
    told += [f"to {_code(place)}" for place in action.destinations]
    if fate := _fate(action, now, fates):
        told.append(f"the old one, {_code(action.replaces)}, is {fate}")
    return "<br>".join(told)


def _expires(action: Action, now: dt.date) -> str:
    """Of a life that begins with apply no date is told: nobody knows it yet, and it would be another one each time."""
    if action.expires_at is None:
        return "never expires"
    if action.expires_in is not None:
        return f"expires {when.relative(_SOME_TIME + action.expires_in, _SOME_TIME)}"
    return f"expires {when.told(action.expires_at, now)}"


def _fate(action: Action, now: dt.date, fates: Fates) -> str:
    waiting = fates.waiting(action)
    if waiting is None:
        return _text(fates.of(action))
    return f"revoked {when.relative(waiting.revoke_after, now)} at the earliest: {_text(waiting.held_by)}"


def waiting(plan: Plan, now: dt.date) -> Section:
    """What waits to be revoked, without being replaced by this very plan."""
    others = Fates(plan).others(plan)
    return table(
        "waiting tokens",
        ("Waiting to be revoked", "Not before", "Held by"),
        (_waiting(one, now) for one in others),
        count=len(others),
        rank=5,
        title=f"{count(len(others), 'older token')} waiting to be revoked",
        fold=True,
    )


def _waiting(one: Waiting, now: dt.date) -> tuple[str, ...]:
    held = f"{_text(one.held_by)}<br>{when.used(one.last_used_at, now)}"
    return _code(one.token), when.told(one.revoke_after, now), held


def results(outcome: Outcome) -> Iterator[Section]:
    """What became of each action: first what was not done, and why."""
    done = [result for result in outcome.results if result.status is ResultStatus.DONE]
    others = [result for result in outcome.results if result.status is not ResultStatus.DONE]
    others.sort(key=lambda result: list(ResultStatus).index(result.status))
    head = ("Result", "Token", "Why")
    yield table("results", head, map(_result, others), count=len(others), rank=2, title="Not done", fold=False)
    yield table(
        "results",
        ("Result", "Token", "Remark") if any(map(_remark, done)) else ("Result", "Token"),
        (row if any(map(_remark, done)) else row[:2] for row in map(_result, done)),
        count=len(done),
        rank=3,
        title=f"✅ {len(done)} done" if others or len(done) > FOLD else "Done",
        fold=bool(others) or len(done) > FOLD,
    )


def _result(result: Result) -> tuple[str, ...]:
    return f"{_SIGNS[result.status]} {result.status}: {result.kind}", _code(result.token), _remark(result)


def _remark(result: Result) -> str:
    return _text(ending(result))


def leases(found: Sequence[LeaseResult]) -> Section:
    """What became of each lease: first what failed."""
    ordered = sorted(found, key=lambda result: result.status is not LeaseStatus.FAILED)
    head = ("Result", "Lease", "Remark")
    rows = map(_lease, ordered)
    return table("leases", head, rows, count=len(ordered), rank=2, title="", fold=False)


def _lease(result: LeaseResult) -> tuple[str, ...]:
    remark = _text(result.error)
    if result.status is not LeaseStatus.RELEASED and result.expires_at is not None:
        ends = f"ends by itself {when.minute(result.expires_at)}"
        remark = f"{remark}<br>{ends}" if remark else ends
    return f"{_SIGNS.get(result.status, '❌')} {result.status}", _code(result.token), remark

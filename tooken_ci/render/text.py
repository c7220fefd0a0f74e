"""A plan, and what became of it, as text for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tooken_ci.base import times
from tooken_ci.base.text import count, quoted, safe
from tooken_ci.plan.model import ActionKind
from tooken_ci.plan.result import ResultStatus

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    from tooken_ci.plan.model import Action, Plan
    from tooken_ci.plan.price import Price
    from tooken_ci.plan.result import Outcome, Result
    from tooken_ci.render.report import Report

_LONGEST = 4000
"""A line is made safe as a whole once more: file names and stores have words of their own in it."""

_SIGNS = {
    ActionKind.CREATE: "+",
    ActionKind.REPLACE: "~",
    ActionKind.ROTATE: "~",
    ActionKind.REDELIVER: ">",
    ActionKind.REVOKE: "-",
}


def as_text(report: Report) -> str:
    """The plan as text; empty where none could be made."""
    lines = [f"Warning: {warning}" for warning in report.warnings]
    if report.plan is not None and report.price is not None:
        lines += [*_plan(report.plan), *_price(report.price, report.plan)]
    return "".join(f"{safe(line, limit=_LONGEST)}\n" for line in lines)


def headline(plan: Plan) -> str:
    """One line that says what the plan comes to."""
    parts = [f"{plan.count(kind)} to {kind}" for kind in ActionKind if plan.count(kind)]
    todo = ", ".join(parts) or "nothing to do"
    if plan.by_hand:
        return f"Workspace {quoted(plan.workspace)}: {todo}."
    return f"Workspace {quoted(plan.workspace)}: {todo}; {plan.unchanged} unchanged, {plan.unmanaged} unmanaged."


def _plan(plan: Plan) -> Iterator[str]:
    yield headline(plan)
    for action in plan.actions:
        yield from _action(action, plan.now)
    if plan.waiting:
        yield "Waiting to be revoked:"
    for waiting in plan.waiting:
        yield f"  {safe(waiting.token)}, not before {times.show(waiting.revoke_after)}: {waiting.held_by}"
    for warning in plan.warnings:
        yield f"Warning: {warning}"
    for problem in plan.problems:
        yield f"Entry {quoted(problem.entry)} ({problem.code}): {problem.message} {problem.hint}"
    for block in plan.blocks:
        yield f"Blocked by {block.code}: {block.message} {block.hint}"


def _action(action: Action, now: dt.datetime) -> Iterator[str]:
    yield f"  {_SIGNS[action.kind]} {action.kind} {safe(action.token)} ({action.cause}: {'; '.join(action.reasons)})"
    if action.mints:
        ends = "never expires" if action.expires_at is None else f"expires {times.show(action.expires_at)}"
        yield f"      scopes {', '.join(action.scopes)}; {ends}"
    for place in action.destinations:
        yield f"      to {safe(place)}"
    if action.revoke_after is not None and action.revoke_after > now:
        yield f"      what it replaces is due to be revoked at {times.show(action.revoke_after)}"


def _price(price: Price, plan: Plan) -> Iterator[str]:
    if plan.by_hand:
        yield f"Looking took {count(price.spent, 'request')}; revoking takes {price.apply}."
        return
    spent = f"The plan took {count(price.spent, 'request')}"
    if not plan.actions:
        yield f"{spent}."
        return
    wait = f" and about {price.seconds} s of waiting for the rate limit" if price.seconds else ""
    yield f"{spent}; apply takes {price.apply} (at most {price.at_most}){wait}."


def result_line(result: Result) -> str:
    """One line for one result, as it comes."""
    why = f": {result.error}" if result.error else ""
    return safe(f"  {result.status:7} {result.kind} {safe(result.token)}{why}", limit=_LONGEST)


def outcome_line(outcome: Outcome) -> str:
    """One line that says what became of the plan."""
    counts = {status: sum(result.status is status for result in outcome.results) for status in ResultStatus}
    told = ", ".join(f"{number} {status}" for status, number in counts.items() if number)
    return f"Applied: {told or 'nothing to do'}."

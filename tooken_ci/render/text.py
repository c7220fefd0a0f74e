"""A plan, and what became of it, as text for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tooken_ci.base import times
from tooken_ci.base.text import LONGEST_LINE, count, quoted, safe
from tooken_ci.plan.model import ActionKind
from tooken_ci.plan.result import ResultStatus
from tooken_ci.render.judging import Fates, ending, going_on, held_back, last_use, left_alone, or_idle, shortened

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tooken_ci.plan.model import Action, Plan, Waiting
    from tooken_ci.plan.price import Price
    from tooken_ci.plan.result import Outcome, Result
    from tooken_ci.render.report import Report

MOST = 40
"""How many of a kind are shown: nobody reads a thousand."""

_SIGNS = {
    ActionKind.CREATE: "+",
    ActionKind.REPLACE: "~",
    ActionKind.ROTATE: "~",
    ActionKind.REDELIVER: ">",
    ActionKind.REVOKE: "-",
}


def as_text(report: Report) -> str:
    """The plan as text; empty where none could be made."""
    head = f"{headline(report.plan)}\n" if report.plan is not None and report.price is not None else ""
    return warnings(report) + head + details(report)


def warnings(report: Report) -> str:
    """What of the spec is worth a look."""
    return _lines(f"Warning: {warning}" for warning in report.warnings)


def details(report: Report) -> str:
    """The plan as text, all but its headline; empty where none could be made."""
    plan, price = report.plan, report.price
    return "" if plan is None or price is None else _lines((*_plan(plan), *_price(price, plan)))


def _lines(lines: Iterable[str]) -> str:
    """Each line is made safe as a whole once more: file names and stores have words of their own in it."""
    return "".join(f"{safe(line, limit=LONGEST_LINE)}\n" for line in lines)


def headline(plan: Plan) -> str:
    """One line that says what the plan comes to."""
    parts = [f"{plan.count(kind)} to {kind}" for kind in ActionKind if plan.count(kind)]
    todo = or_idle(", ".join(parts), plan)
    return safe(f"Workspace {quoted(plan.workspace)}: {todo}{left_alone(plan)}", limit=LONGEST_LINE)


def _plan(plan: Plan) -> Iterator[str]:
    for block in plan.blocks:
        yield f"Blocked by {block.code}: {block.message} {block.hint}"
    if going := going_on(plan):
        yield going
    yield from _actions(plan)
    yield from _waiting(Fates(plan).others(plan))
    yield from _some("Warning: ", "warnings", plan.warnings)
    told = [f"{quoted(problem.entry)} ({problem.code}): {problem.message} {problem.hint}" for problem in plan.problems]
    yield from _some("Entry ", "entries with a problem", told)


def _actions(plan: Plan) -> Iterator[str]:
    fates, (actions, more) = Fates(plan), shortened(plan, MOST)
    width = max((len(action.kind) for action in actions), default=0)
    for action in actions:
        yield from _action(action, plan, fates, width)
    for rest in more:
        yield f"  … and {rest}; --format json tells all."


def _action(action: Action, plan: Plan, fates: Fates, width: int) -> Iterator[str]:
    head = f"{_SIGNS[action.kind]} {action.kind:{width}} {safe(action.token)}"
    used = f", {last_use(action.last_used_at)}" if action.kind is ActionKind.REVOKE and not fates.told(action) else ""
    held = held_back(plan, action)
    why = f"({action.cause}: {'; '.join(action.reasons)}){used}{f' [{held}]' if held else ''}"
    yield f"  {head} {why}"
    if action.mints:
        ends = "never expires" if action.expires_at is None else f"expires {times.show(action.expires_at)}"
        yield f"      scopes  {', '.join(action.scopes)}; {ends}"
    for index, place in enumerate(action.destinations):
        yield f"      {'' if index else 'to':6}  {safe(place)}"
    if action.replaces:
        told = [f"{safe(action.replaces)}, {last_use(action.last_used_at)}", fates.of(action)]
        yield f"      old     {'; '.join(filter(None, told))}"
    elif action.kind is ActionKind.ROTATE:
        yield f"      old     the secret, {last_use(action.last_used_at)}; dead as soon as the new one is made"


def _waiting(waiting: list[Waiting]) -> Iterator[str]:
    if waiting:
        yield "Waiting to be revoked:"
    for one in waiting[:MOST]:
        when = f"not before {times.show(one.revoke_after)}"
        yield f"  {safe(one.token)}, {when}: {one.held_by}; {last_use(one.last_used_at)}"
    if len(waiting) > MOST:
        yield f"  … and {len(waiting) - MOST} more; --format json tells all."


def _some(word: str, what: str, lines: Sequence[str]) -> Iterator[str]:
    yield from (f"{word}{line}" for line in lines[:MOST])
    if len(lines) > MOST:
        yield f"… and {len(lines) - MOST} more {what}; --format json tells all."


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
    why = f": {told}" if (told := ending(result)) else ""
    return safe(f"  {result.status:7} {result.kind} {safe(result.token)}{why}", limit=LONGEST_LINE)


def outcome_line(outcome: Outcome) -> str:
    """One line that says what became of the plan."""
    counts = {status: sum(result.status is status for result in outcome.results) for status in ResultStatus}
    told = ", ".join(f"{number} {status}" for status, number in counts.items() if number)
    return f"Applied: {or_idle(told, outcome.plan)}."

"""A plan, and what became of it, as Markdown for a step summary or a comment. Names are data there, never markup."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tooken_ci.base import times
from tooken_ci.base.text import count
from tooken_ci.plan.model import ActionKind
from tooken_ci.render.escaping import markdown as _text
from tooken_ci.render.escaping import markdown_code as _code
from tooken_ci.render.judging import Fates, ending, going_on, held_back, last_use, shortened

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tooken_ci.plan.model import Action, Plan, Waiting
    from tooken_ci.render.report import Report

MOST = 100
"""How many rows of a kind are shown: a step summary and a comment have a size."""


def as_markdown(report: Report) -> str:
    """The report as GitHub-flavoured Markdown."""
    lines = [f"## tooken-ci: {_text(report.workspace or 'no workspace')}", ""]
    if report.error is not None:
        lines += [f"**Failed:** {_text(str(report.error))}", ""]
    if report.plan is not None:
        lines += _plan(report.plan)
    if report.outcome is not None and report.outcome.results:
        rows = [
            (str(result.status), str(result.kind), _code(result.token), _text(ending(result)))
            for result in report.outcome.results
        ]
        lines += _table(("Result", "Action", "Token", "Why"), rows)
    if report.price is not None:
        price = report.price
        lines += [f"Requests: {price.spent} for the plan, {price.apply} for apply (at most {price.at_most}).", ""]
    return "\n".join(lines)


def _plan(plan: Plan) -> Iterator[str]:
    parts = [f"**{plan.count(kind)}** to {kind}" for kind in ActionKind if plan.count(kind)]
    counts = "" if plan.by_hand else f"; {plan.unchanged} unchanged, {plan.unmanaged} unmanaged"
    yield f"{', '.join(parts) or 'Nothing to do'}{counts}."
    yield ""
    yield from _notices(plan)
    fates, (actions, more) = Fates(plan), shortened(plan, MOST)
    if actions:
        rows = (_row(action, plan, fates) for action in actions)
        yield from _table(("Action", "Token", "Cause", "Why", "Destinations"), rows)
    for rest in more:
        yield from (f"And {_text(rest)}; the JSON output tells all.", "")
    waiting = fates.others(plan)
    if waiting:
        yield from _table(("Waiting to be revoked", "Not before", "Held by", "Last use"), map(_wait, waiting[:MOST]))
    if len(waiting) > MOST:
        yield from (f"And {len(waiting) - MOST} more waiting; the JSON output tells all.", "")


def _notices(plan: Plan) -> Iterator[str]:
    """What blocks and hinders the plan, and what it warns of."""
    lines = [f"**Blocked by {_text(block.code)}:** {_text(f'{block.message} {block.hint}')}" for block in plan.blocks]
    lines += [_text(going)] if (going := going_on(plan)) else []
    for problem in plan.problems[:MOST]:
        message = _text(f"{problem.message} {problem.hint}")
        lines.append(f"**{_text(str(problem.code))}** {_code(problem.entry)}: {message}")
    lines += [f"Warning: {_text(warning)}" for warning in plan.warnings[:MOST]]
    more = max(len(plan.problems) - MOST, 0) + max(len(plan.warnings) - MOST, 0)
    lines += [f"And {count(more, 'more notice')}; the JSON output tells all."] if more else []
    yield from (f"- {line}" for line in lines)
    if lines:
        yield ""


def _row(action: Action, plan: Plan, fates: Fates) -> tuple[str, ...]:
    held, why = held_back(plan, action), [_text("; ".join(action.reasons))]
    if action.replaces:
        told = "; ".join(filter(None, [last_use(action.last_used_at), fates.of(action)]))
        why.append(f"replaces {_code(action.replaces)}, {_text(told)}")
    elif action.kind is ActionKind.ROTATE:
        why.append(_text(f"the old secret was {last_use(action.last_used_at)}; it dies as soon as the new one is made"))
    elif action.kind is ActionKind.REVOKE and not fates.told(action):
        why.append(_text(last_use(action.last_used_at)))
    places = "<br>".join(_code(place) for place in action.destinations)
    done = f"{action.kind}<br>{_text(held)}" if held else str(action.kind)
    return done, _code(action.token), str(action.cause), "<br>".join(why), places


def _wait(waiting: Waiting) -> tuple[str, ...]:
    when, used = times.show(waiting.revoke_after), last_use(waiting.last_used_at)
    return _code(waiting.token), when, _text(waiting.held_by), _text(used)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{' --- |' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"
    yield ""

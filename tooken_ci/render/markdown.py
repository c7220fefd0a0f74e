"""A plan, and what became of it, as Markdown for a step summary or a comment. Names are data there, never markup."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tooken_ci.base import times
from tooken_ci.base.text import safe
from tooken_ci.plan.model import ActionKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tooken_ci.plan.model import Action, Plan
    from tooken_ci.render.report import Report

_MARKUP = str.maketrans({char: f"&#{ord(char)};" for char in "\\`*_{}[]()#+-.!|~:@$<>&\"'"})


def as_markdown(report: Report) -> str:
    """The report as GitHub-flavoured Markdown."""
    lines = [f"## tooken-ci: {_text(report.workspace or 'no workspace')}", ""]
    if report.error is not None:
        lines += [f"**Failed:** {_text(str(report.error))}", ""]
    if report.plan is not None:
        lines += _plan(report.plan)
    if report.outcome is not None and report.outcome.results:
        rows = [
            (str(result.status), str(result.kind), _code(result.token), _text(result.error))
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
    for block in plan.blocks:
        yield f"- **Blocked by {_text(block.code)}:** {_text(f'{block.message} {block.hint}')}"
    for problem in plan.problems:
        message = _text(f"{problem.message} {problem.hint}")
        yield f"- **{_text(str(problem.code))}** {_code(problem.entry)}: {message}"
    for warning in plan.warnings:
        yield f"- Warning: {_text(warning)}"
    if plan.blocks or plan.problems or plan.warnings:
        yield ""
    if plan.actions:
        yield from _table(("Action", "Token", "Cause", "Why", "Destinations"), map(_row, plan.actions))
    if plan.waiting:
        rows = [
            (_code(waiting.token), times.show(waiting.revoke_after), _text(waiting.held_by)) for waiting in plan.waiting
        ]
        yield from _table(("Waiting to be revoked", "Not before", "Held by"), rows)


def _row(action: Action) -> tuple[str, ...]:
    places = "<br>".join(_code(place) for place in action.destinations)
    return str(action.kind), _code(action.token), str(action.cause), _text("; ".join(action.reasons)), places


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{' --- |' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"
    yield ""


def _text(text: str) -> str:
    """Text in which nothing is markup: everything that Markdown or HTML reads is an entity."""
    return safe(text, limit=2000).translate(_MARKUP)


def _code(text: str) -> str:
    """A name: as code, so that it is no mention and no link either."""
    return f"<code>{_text(text)}</code>"

"""What a page tells of faults: why a run failed, what blocks a plan, what is not served, what is worth a look."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tooken_ci.base.errors import SavedPlanError, SpecError
from tooken_ci.base.text import count
from tooken_ci.plan.timeline import due_soon
from tooken_ci.render.blocks import alert, bullets
from tooken_ci.render.escaping import markdown as _text
from tooken_ci.render.escaping import markdown_code as _code
from tooken_ci.render.judging import going_on

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tooken_ci.base.errors import TookenCIError
    from tooken_ci.plan.model import Problem
    from tooken_ci.render.fit import Section
    from tooken_ci.render.report import Report

FOLD = 10
"""More warnings than this are folded away."""


def faults(report: Report) -> Iterator[Section]:
    """Why the run failed, and what the plan is blocked by; the most important first."""
    if report.error is not None:
        lines = list(_error(report.error))
        yield alert("CAUTION", "lines of the error", lines, count=len(lines), rank=1)
    lines = []
    for block in report.plan.blocks if report.plan else ():
        bound = "" if block.allowed is None else f": {block.found} found, {block.allowed} allowed"
        lines.append(f"- **Blocked by {_code(block.code)}{bound}.** {_text(f'{block.message} {block.hint}')}")
    if report.plan is not None and (going := going_on(report.plan)):
        lines.append(f"\n> {_text(going)}")
    yield alert("CAUTION", "lines about what blocks the plan", lines, count=len(lines), rank=1)


def _error(error: TookenCIError) -> Iterator[str]:
    yield _text(error.message)
    if isinstance(error, SpecError):
        for fault in error.faults:
            yield f"- {_code(str(fault.position))}: {_text(f'{fault.message} {fault.hint}'.strip())}"
        return
    if isinstance(error, SavedPlanError):
        yield from (f"- {_text(difference)}" for difference in error.differences)
    if error.hint:
        yield f"\n> {_text(error.hint)}"


def problems(found: Sequence[Problem], *, applied: bool) -> Section:
    """The entries that cannot be served, or only in part; of a plan, those that could not be planned, or are busy."""
    rows = (
        f"{_code(problem.entry)} (**{problem.code}**): {_text(f'{problem.message} {problem.hint}')}"
        for problem in found
    )
    title = "Not served, or only in part" if applied else "Not planned in full, or busy"
    return bullets("problems", rows, count=len(found), rank=2, title=title)


def warnings(report: Report) -> Section:
    """What is worth a look: about the spec, in the plan, and what the next run will see to."""
    spec, plan = report.spec, report.plan
    told = [*report.warnings, *(plan.warnings if plan else ())]
    if spec is not None and plan is not None and report.tokens:
        told += [life.due_soon for life in due_soon(spec, report.tokens, plan)]
    rows = (_text(warning) for warning in told)
    if len(told) > FOLD:
        title = f"⚠️ {count(len(told), 'warning')}"
        return bullets("warnings", rows, count=len(told), rank=3, title=title, fold=True)
    return alert("WARNING", "warnings", (f"- {row}" for row in rows), count=len(told), rank=3)

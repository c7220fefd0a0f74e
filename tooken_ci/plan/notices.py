"""What people are to be told of a run on the lines of their spec: what went wrong, and what is worth a look."""

from __future__ import annotations

import dataclasses
import enum
from typing import TYPE_CHECKING

from tooken_ci.base import times
from tooken_ci.base.errors import SpecError
from tooken_ci.base.text import quoted
from tooken_ci.plan.leases import LeaseStatus
from tooken_ci.plan.model import ProblemCode
from tooken_ci.plan.result import ResultStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tooken_ci.base.errors import Fault, TookenCIError
    from tooken_ci.base.position import Position
    from tooken_ci.plan.leases import LeaseResult
    from tooken_ci.plan.model import Plan
    from tooken_ci.plan.result import Outcome
    from tooken_ci.plan.timeline import Life
    from tooken_ci.spec.model import Spec


class Level(enum.StrEnum):
    """How much a notice matters."""

    ERROR = "error"
    WARNING = "warning"
    NOTICE = "notice"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Notice:
    """One thing that people are to be told.

    Attributes:
        level: how much it matters.
        code: for machines; the same for the same kind of thing.
        message: one sentence or more, with what to do next.
        entry: the entry that it is about; empty where it is about none.
        position: the line of the spec that it belongs to; None where no line does.
    """

    level: Level
    code: str
    message: str
    entry: str = ""
    position: Position | None = None


def of_error(error: TookenCIError, level: Level = Level.ERROR) -> list[Notice]:
    """Why a run failed as a whole; of a spec that is not valid each fault on its line."""
    if isinstance(error, SpecError):
        return [_of_fault(fault, level, error.code) for fault in error.faults]
    return [Notice(level=level, code=error.code, message=str(error))]


def of_run(
    *,
    spec: Spec | None,
    plan: Plan | None = None,
    outcome: Outcome | None = None,
    error: TookenCIError | None = None,
    soon: Iterable[Life] = (),
) -> list[Notice]:
    """All that is to be told of a run: first why it failed, then entry by entry, errors before warnings.

    Args:
        spec: what was read; None where that could not be done.
        plan: None where none could be made.
        outcome: what apply did; None where it did not begin.
        error: why the run failed as a whole; None where it did not.
        soon: the tokens of which the next run will see to.
    """
    where = {named.text: named.position for named in spec.absent} if spec else {}
    where |= {entry.name: entry.position for entry in (*spec.entries, *spec.leases)} if spec else {}
    told = [] if error is None else of_error(error)
    told += [_placed(notice, where) for notice in (*_problems(plan, outcome), *_failures(outcome))]
    told += [_of_fault(fault, Level.WARNING, "spec") for fault in (spec.warnings if spec else ())]
    told += [_placed(notice, where) for notice in (*_warnings(plan), *_due(soon))]
    return sorted(told, key=lambda notice: notice.level is not Level.ERROR)


def _of_fault(fault: Fault, level: Level, code: str) -> Notice:
    message = f"{fault.message} {fault.hint}".strip()
    return Notice(level=level, code=code, message=message, position=fault.position)


def _placed(notice: Notice, where: dict[str, Position]) -> Notice:
    """On the line of its entry, if it has no line of its own."""
    return notice if notice.position else dataclasses.replace(notice, position=where.get(notice.entry))


def _problems(plan: Plan | None, outcome: Outcome | None) -> Iterator[Notice]:
    for block in plan.blocks if plan else ():
        yield Notice(level=Level.ERROR, code=block.code, message=f"{block.message} {block.hint}")
    for problem in outcome.problems if outcome else plan.problems if plan else ():
        if problem.position is not None:  # as ``validate`` tells it: it names its entry, and stands on its line
            told = f"{problem.message.removeprefix(f'{problem.position}: ')} {problem.hint}"
            yield Notice(level=Level.ERROR, code=str(problem.code), message=told, position=problem.position)
            continue
        told = f"{quoted(problem.entry)} ({problem.code}): {problem.message} {problem.hint}"
        passes = problem.code is ProblemCode.BUSY and outcome is None  # apply waits for that
        level = Level.WARNING if passes else Level.ERROR
        yield Notice(level=level, code=str(problem.code), message=told, entry=problem.entry)


def _failures(outcome: Outcome | None) -> Iterator[Notice]:
    for result in outcome.results if outcome else ():
        if result.status is ResultStatus.FAILED:
            told = f"{result.kind} {quoted(result.token)}: {result.error}"
            yield Notice(level=Level.ERROR, code="failed", message=told, entry=result.entry)


def _warnings(plan: Plan | None) -> Iterator[Notice]:
    for entry in plan.entries if plan else ():
        for warning in entry.warnings:
            yield Notice(level=Level.WARNING, code="warning", message=warning, entry=entry.entry)


def _due(soon: Iterable[Life]) -> Iterator[Notice]:
    for life in soon:
        yield Notice(level=Level.WARNING, code="due_soon", message=life.due_soon, entry=life.entry)


def of_leases(results: Iterable[LeaseResult]) -> list[Notice]:
    """What became of each lease: people look for that where the post step has no page of its own."""
    return [_of_lease(result) for result in results]


def _of_lease(result: LeaseResult) -> Notice:
    if result.status is LeaseStatus.FAILED:
        return Notice(level=Level.ERROR, code="lease", message=f"{quoted(result.token)}: {result.error}")
    done = f"{quoted(result.token)} was {result.status}"
    ends = "" if result.expires_at is None else f"; it ends by itself at {times.show(result.expires_at)}"
    return Notice(
        level=Level.NOTICE, code="lease", message=f"{done}{ends if result.status is LeaseStatus.LEASED else ''}."
    )

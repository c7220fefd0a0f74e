"""What a GitHub runner is told: annotations on the spec's lines, and the step's outputs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tooken_ci.base.commands import file_command, workflow_command
from tooken_ci.base.errors import SpecError
from tooken_ci.base.text import LONGEST_LINE, quoted, safe
from tooken_ci.plan.result import ResultStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from tooken_ci.base.errors import Fault, TookenCIError
    from tooken_ci.base.secret import Secret
    from tooken_ci.plan.model import Plan
    from tooken_ci.plan.result import Outcome

_TITLE = "tooken-ci"


def error_annotations(error: TookenCIError) -> list[str]:
    """An annotation for an error; for a spec that is not valid one on each line that is wrong."""
    if isinstance(error, SpecError):
        return [_on_line("error", fault) for fault in error.faults]
    return [_annotation(str(error))]


def run_annotations(plan: Plan | None, outcome: Outcome | None, error: TookenCIError | None) -> list[str]:
    """An annotation for each entry and action that was not served, and for why the run as a whole failed."""
    lines = [
        _annotation(f"{quoted(problem.entry)} ({problem.code}): {problem.message} {problem.hint}")
        for problem in (plan.problems if plan else ())
    ]
    lines += [
        _annotation(f"{result.kind} {quoted(result.token)}: {result.error}")
        for result in (outcome.results if outcome else ())
        if result.status is ResultStatus.FAILED
    ]
    return lines if error is None else [*lines, *error_annotations(error)]


def warning_annotations(warnings: Iterable[Fault]) -> list[str]:
    """An annotation on each line of the spec that is worth a look."""
    return [_on_line("warning", fault) for fault in warnings]


def _on_line(level: str, fault: Fault) -> str:
    where = fault.position
    file = safe(where.file, limit=LONGEST_LINE)
    properties: dict[str, str | int] = {"file": file, "line": where.line, "col": where.column}
    return _annotation(f"{fault.message} {fault.hint}".strip(), level, properties)


def _annotation(message: str, level: str = "error", where: Mapping[str, str | int] | None = None) -> str:
    """The runner shows a message as it is, in its log too, so it must be harmless beyond what ends a command."""
    return workflow_command(level, {**(where or {}), "title": _TITLE}, safe(message, limit=LONGEST_LINE))


def write_outputs(path: Path, outputs: Mapping[str, int | bool]) -> None:
    """Append the step's outputs."""
    lines = [file_command(name, str(value).lower()) for name, value in outputs.items()]
    with path.open("a", encoding="utf-8") as file:
        file.writelines(lines)


def mask(secret: Secret) -> str:
    """The command that has the runner mask a secret in all that the job prints from now on."""
    return workflow_command("add-mask", {}, secret.reveal())


def write_state(path: Path, name: str, value: str) -> None:
    """Leave a value for the post step of the same step, which finds it in ``STATE_NAME``.

    Args:
        path: the runner's file.
        name: of the value; a later one of the same name replaces it.
        value: any text.
    """
    with path.open("a", encoding="utf-8") as file:
        file.write(file_command(name, value))

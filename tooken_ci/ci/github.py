"""What a GitHub runner is told: annotations on the spec's lines, and the step's outputs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import quote

from tooken_ci.base import files
from tooken_ci.base.commands import file_command, workflow_command
from tooken_ci.base.errors import SpecError
from tooken_ci.base.forms import SHORTEST, as_bytes, forms
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
    files.append(path, "".join(file_command(name, str(value).lower()) for name, value in outputs.items()))


def masks(secret: Secret) -> list[str]:
    """The commands that have the runner mask a secret, and each line of it, in all that the job prints from now on.

    From each value the runner derives some forms by itself; the others are told to it one by one.
    """
    value = secret.reveal()
    whole = [value, *(line for line in value.splitlines() if SHORTEST <= len(line) < len(value))]
    derived = {form for text in whole for form in _derived_by_the_runner(text)}
    others = sorted(forms(value) - derived - {*whole}, key=lambda form: (len(form), form))
    return [workflow_command("add-mask", {}, text) for text in (*whole, *others)]


def _derived_by_the_runner(text: str) -> set[str]:
    """Those of ``forms`` that ``HostContext`` of actions/runner makes of every mask: JSON, XML, and for addresses.

    It has base64 too, but only of a value at the end of a text, and arguments with escaped double quotes.
    """
    xml = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return {
        json.dumps(text, ensure_ascii=False)[1:-1],
        quote(as_bytes(text), safe=""),
        xml.replace('"', "&quot;").replace("'", "&apos;"),
    }


def write_state(path: Path, name: str, value: str) -> None:
    """Leave a value for the post step of the same step, which finds it in ``STATE_NAME``.

    Args:
        path: the runner's file.
        name: of the value; a later one of the same name replaces it.
        value: any text.
    """
    files.append(path, file_command(name, value))

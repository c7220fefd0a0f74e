"""What a GitHub runner is told: annotations on the spec's lines, the step's outputs and its summary."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING
from urllib.parse import quote

from tooken_ci.base import files
from tooken_ci.base.commands import file_command, mask_command, workflow_command
from tooken_ci.base.forms import SHORTEST, as_bytes, forms
from tooken_ci.base.text import LONGEST_LINE, count, safe
from tooken_ci.ci.repository import path_in
from tooken_ci.plan.notices import Level, Notice

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from tooken_ci.base.secret import Secret

MOST = 10
"""How many annotations of a level the runner takes from one step; it drops the others in silence.

https://docs.github.com/actions/reference/limits
"""

_SHOWN = MOST - 1
"""One place is left: what the leak check finds, and a comment that can't be written, is told at the very end."""

_TITLE = "tooken-ci"


def annotated(notices: Iterable[Notice], *, root: Path | None = None) -> list[str]:
    """An annotation for each notice, on its line where it has one; of a level no more than the runner shows.

    Args:
        notices: what is to be told, the most important first.
        root: the folder that the repository was checked out to, from whose top its files are named; None = as given.
    """
    found: defaultdict[Level, list[Notice]] = defaultdict(list)
    for notice in notices:
        found[notice.level].append(notice)
    return [line for level in Level for line in _of_level(level, found[level], root)]


def _of_level(level: Level, notices: list[Notice], root: Path | None) -> list[str]:
    if len(notices) <= _SHOWN:
        return [_annotation(notice, root) for notice in notices]
    shown = [_annotation(notice, root) for notice in notices[: _SHOWN - 1]]
    told = f"{count(len(notices) - len(shown), f'more {level}')}: the log of the step tells all."
    return [*shown, _annotation(Notice(level=level, code="more", message=told), root)]


def _annotation(notice: Notice, root: Path | None) -> str:
    """The runner shows a message as it is, in its log too, so it must be harmless beyond what ends a command."""
    where: dict[str, str | int] = {}
    if notice.position is not None:
        named = None if root is None else path_in(root, notice.position.file)
        file = safe(named or notice.position.file, limit=LONGEST_LINE)
        where = {"file": file, "line": notice.position.line, "col": notice.position.column}
    return workflow_command(str(notice.level), {**where, "title": _TITLE}, safe(notice.message, limit=LONGEST_LINE))


def write_outputs(path: Path, outputs: Mapping[str, int | bool | str]) -> None:
    """Append the step's outputs, all or none; what of them comes from outside was masked before.

    Raises:
        OSError: they could not be written, or not without a mask that would break them.
    """
    texts = {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in outputs.items()}
    files.append_values(path, "".join(file_command(name, text) for name, text in texts.items()))


def masks(secret: Secret) -> list[str]:
    """The commands that have the runner mask a secret, and each line of it, in all that the job prints from now on.

    From each value the runner derives some forms by itself; the others are told to it one by one.
    """
    value = secret.reveal()
    whole = [value, *(line for line in value.splitlines() if SHORTEST <= len(line) < len(value))]
    derived = {form for text in whole for form in _derived_by_the_runner(text)}
    others = sorted(forms(value) - derived - {*whole}, key=lambda form: (len(form), form))
    return [mask_command(text) for text in (*whole, *others)]


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

    Raises:
        OSError: it could not be written, or not without a mask that would break it.
    """
    files.append_values(path, file_command(name, value))

"""Errors of the YAML itself, in plain words."""

from __future__ import annotations

import yaml
from yaml.reader import Reader

from tooken_ci.base.errors import Fault
from tooken_ci.base.position import Position

_BYTE_ORDER_MARK = "\ufeff"

_HINTS = (
    ("mapping values are not allowed", "Put a text that holds ': ' in quotes, and indent keys like their neighbours."),
    ("could not find expected ':'", "A key is followed by ': ' and its value."),
    ("did not find expected key", "Indent the line like its neighbours."),
    ("did not find expected '-' indicator", "Indent the line like its neighbours."),
    ("cannot start any token", "Put a text that begins with a special character in quotes."),
    ("did not find expected ',' or", "A bracket that was opened is not closed, or a comma is missing."),
    ("unexpected end of stream", "A quote or a bracket that was opened is not closed."),
)


def unprintable(text: str, file: str) -> Fault | None:
    """The first character that YAML does not allow, such as NUL."""
    match = Reader.NON_PRINTABLE.search(text)  # the parser's own, which lets marks pass; it takes long to compile
    found = [at for at in (-1 if match is None else match.start(), text.find(_BYTE_ORDER_MARK)) if at >= 0]
    if not found:
        return None
    at = min(found)
    line = text.count("\n", 0, at) + 1
    column = at - text.rfind("\n", 0, at)
    return Fault(
        Position(file, line, column),
        f"The character U+{ord(text[at]):04X} is not allowed in YAML.",
        hint="Remove it; is the file binary, or of another encoding than UTF-8?",
    )


def syntax_fault(error: yaml.YAMLError, text: str, file: str) -> Fault:
    """Say in one line what the parser could not read, and where."""
    if not isinstance(error, yaml.MarkedYAMLError):
        return Fault(Position(file, 1, 1), f"This is not valid YAML: {error}.")
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line, mark.column) if mark is not None else (0, 0)
    position = Position(file, line + 1, column + 1)
    if _after_tab(text, line, column):
        return Fault(position, "A tab stands where YAML allows only spaces.", hint="Indent with spaces.")
    problem = (error.problem or "it cannot be read").strip()
    message = f"This is not valid YAML: {problem}{_context(error)}."
    return Fault(position, message, hint=next((hint for part, hint in _HINTS if part in problem), ""))


def _context(error: yaml.MarkedYAMLError) -> str:
    if not error.context or "next token" in error.context:
        return ""
    begins = f" (line {error.context_mark.line + 1})" if error.context_mark is not None else ""
    return f", {error.context.strip()}{begins}"


def _after_tab(text: str, line: int, column: int) -> bool:
    lines = text.split("\n", line + 1)
    before = lines[line][: column + 1] if line < len(lines) else ""
    return "\t" in before and not before.strip()

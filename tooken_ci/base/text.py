"""Text from outside, made safe to show: the API's and the stores' words are hostile until they passed here."""

from __future__ import annotations

import re
import unicodedata

_RUNNER_COMMAND = re.compile(r"\A(\s*):(?=:)")
_OLD_RUNNER_COMMAND = re.compile(r"#(?=#\[)")
_HIDDEN_CATEGORIES = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
"""Control and format characters (bidirectional ones among them), and separators that end a line somewhere."""

_ESCAPES = ((0x100, "\\x{:02x}"), (0x1_0000, "\\u{:04x}"), (0x11_0000, "\\U{:08x}"))

LIMIT = 300
"""Longer text is cut: nobody reads more, and a log has a size."""


def safe(text: str, *, limit: int = LIMIT) -> str:
    """One line of harmless text: no control characters, nothing that a CI runner takes for a command.

    Args:
        text: anything.
        limit: how many characters are shown at the most.
    """
    cut = text[:limit] + "…" if len(text) > limit else text
    shown = "".join(_visible(char) for char in cut)
    # the runner takes '::' at the start of a line for a command, and the older '##[' anywhere in it
    shown = _RUNNER_COMMAND.sub(r"\1\\x3a", shown)
    return _OLD_RUNNER_COMMAND.sub(r"\\x23", shown)


def _visible(char: str) -> str:
    if unicodedata.category(char) not in _HIDDEN_CATEGORIES:
        return char
    return next(form.format(ord(char)) for end, form in _ESCAPES if ord(char) < end)


def quoted(text: str, *, limit: int = LIMIT) -> str:
    """Safe text in quotation marks, for names inside a message."""
    return f"'{safe(text, limit=limit)}'"


def count(number: int, noun: str) -> str:
    """``1 token``, ``2 tokens``, ``1 entry``, ``2 entries``."""
    if number == 1:
        return f"1 {noun}"
    return f"{number} {noun[:-1]}ies" if noun.endswith("y") else f"{number} {noun}s"

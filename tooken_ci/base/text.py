"""Text from outside, made safe to show: the API's and the stores' words are hostile until they passed here."""

from __future__ import annotations

import re
import unicodedata

from tooken_ci.base.redact import redactor

_RUNNER_COMMAND = re.compile(r"\A(\s*):(?=:)")
_OLD_RUNNER_COMMAND = re.compile(r"#(?=#\[)")
_HIDDEN_CATEGORIES = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
"""Control and format characters (bidirectional ones among them), and separators that end a line somewhere."""

_HIDDEN_LETTERS = frozenset("\u115f\u1160\u3164\uffa0")
"""Fillers of Hangul: letters by their category, and nothing to see."""

_ESCAPES = ((0x100, "\\x{:02x}"), (0x1_0000, "\\u{:04x}"), (0x11_0000, "\\U{:08x}"))

LIMIT = 300
"""Longer text is cut: nobody reads more, and a log has a size."""

LONGEST_LINE = 4000
"""Where a line that is made of several texts is made safe as a whole."""


def safe(text: str, *, limit: int = LIMIT) -> str:
    """One line of harmless text: no control characters, nothing that a CI runner takes for a command.

    GitHub's runner (its ``ActionCommand``) takes ``::`` for a command where only white space stands before it, and the
    older ``##[`` anywhere in a line. It compares as people do, not by code points: what has no weight in a comparison,
    such as a combining mark with nothing to stand on, may stand between the characters. So such marks are shown as
    escapes too. What is safe stays as it is when it is made safe again.

    Args:
        text: anything.
        limit: how many characters are shown at the most.
    """
    shown = _shown(text, limit)
    # what is changed here no redactor would know again, least of all a secret that was cut
    return shown if shown == text else _shown(redactor.clean(text), limit)


def _shown(text: str, limit: int) -> str:
    cut = text[:limit] + "…" if len(text) > limit else text
    shown = cut if cut.isascii() and cut.isprintable() else _all_visible(cut)
    shown = _RUNNER_COMMAND.sub(r"\1\\x3a", shown)
    return _OLD_RUNNER_COMMAND.sub(r"\\x23", shown)


def safe_lines(text: str) -> str:
    """Text of several lines that are ours, such as a traceback, each made safe for itself."""
    return "\n".join(safe(line, limit=LONGEST_LINE) for line in text.split("\n"))


def _all_visible(text: str) -> str:
    shown = []
    before = " "
    for char in text:
        category = unicodedata.category(char)
        alone = category.startswith("M") and (before.isspace() or before in ":#")
        hidden = alone or category in _HIDDEN_CATEGORIES or char in _HIDDEN_LETTERS
        shown.append(_escaped(char) if hidden else char)
        before = before if hidden else char
    return "".join(shown)


def _escaped(char: str) -> str:
    return next(form.format(ord(char)) for end, form in _ESCAPES if ord(char) < end)


def quoted(text: str, *, limit: int = LIMIT) -> str:
    """Safe text in quotation marks, for names inside a message."""
    return f"'{safe(text, limit=limit)}'"


def count(number: int, noun: str) -> str:
    """``1 token``, ``2 tokens``, ``1 entry``, ``2 entries``."""
    if number == 1:
        return f"1 {noun}"
    return f"{number} {noun[:-1]}ies" if noun.endswith("y") else f"{number} {noun}s"

"""Text from outside, made safe to show: the API's and the stores' words are hostile until they passed here."""

from __future__ import annotations

import errno
import re
import unicodedata
from typing import TYPE_CHECKING, Any

from tooken_ci.base.redact import MASK, redactor

if TYPE_CHECKING:
    from collections.abc import Collection

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


def masked(text: str) -> str:
    """A text from outside, masked before anything of it is escaped: afterwards nobody would know what it holds.

    Of one in which a secret was escaped twice nothing is shown at all.
    """
    from tooken_ci.base.forms import undone  # noqa: PLC0415  # only here: `tooken-ci --version` has nothing to mask

    shown = redactor.clean(text)
    bare = undone(shown)
    return shown if bare == shown or redactor.clean(bare) == bare else MASK


def masked_data(data: Any, ours: Collection[str], under: str = "") -> Any:
    """Plain data with each text in it masked, before a format escapes it; its keys are ours.

    Args:
        data: dicts, lists, texts and what has no text in it.
        ours: the keys under which nothing stands but words of ours, such as a status, and times.
        under: the key that the data stands under.
    """
    if isinstance(data, str):
        return data if under in ours else masked(data)
    if isinstance(data, dict):
        return {key: masked_data(value, ours, key) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [masked_data(value, ours, under) for value in data]
    return data


def intact(text: str) -> str:
    """A finished document for programs, as it is: what came from outside was masked before it was escaped.

    Raises:
        OSError: a secret of ours is spelt like a piece of the document; with a mask in its place it would be none.
    """
    if redactor.finished(text) != text:
        raise OSError(errno.EINVAL, "the key or another secret is spelt like a piece of it")
    return text


def safe(text: str, *, limit: int = LIMIT) -> str:
    """One line of harmless text: no control characters, nothing that a CI runner takes for a command.

    GitHub's runner (its ``ActionCommand``) takes ``::`` for a command where only white space stands before it, and the
    older ``##[`` anywhere in a line. It compares as people do, not by code points: what has no weight in a comparison,
    such as a combining mark with nothing to stand on, may stand between the characters. So such marks are shown as
    escapes too. Secrets are masked first. What is safe stays as it is when it is made safe again.

    Args:
        text: anything.
        limit: how many characters are shown at the most.
    """
    text = masked(text)
    cut = text[:limit] + "…" if len(text) > limit else text
    shown = cut if cut.isascii() and cut.isprintable() else _all_visible(cut)
    shown = _RUNNER_COMMAND.sub(r"\1\\x3a", shown)
    return _OLD_RUNNER_COMMAND.sub(r"\\x23", shown)


def safe_lines(text: str) -> str:
    """Text of several lines that are ours, such as a traceback, each made safe for itself, once secrets are masked."""
    return "\n".join(safe(line, limit=LONGEST_LINE) for line in redactor.clean(text).split("\n"))


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

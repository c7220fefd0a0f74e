"""Values of the spec in messages: quoted, harmless, never long; and the nearest right word for a wrong one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tooken_ci.base.text import quoted as text_quoted
from tooken_ci.base.text import safe

if TYPE_CHECKING:
    from collections.abc import Iterable

LONGEST = 40
"""How much of a value a message shows: enough to find it, and a whole file pasted as a value stays out of the log."""

_ALIKE = 0.75
"""How alike two words must be: 'paht' is meant to be 'path', but 'tokens:delete' is not 'tokens:write'."""

_LONGEST_WORD = 64
"""A longer word is nobody's slip of the pen; comparing it would only take time."""


def shown(value: Any) -> str:
    """A value as a message shows it: what kind it is, and how it begins."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "true" if value else "false"
        case str():
            return quoted(value)
        case int() | float():
            return f"the number {value}"
        case list():
            return "a list" if value else "an empty list"
        case _:
            return "a mapping" if value else "an empty mapping"


def quoted(text: str) -> str:
    """A text in quotes, shortened, with everything that could do harm in a log made visible."""
    return text_quoted(text, limit=LONGEST)


def listed(words: Iterable[str]) -> str:
    """Words as a message lists them; names of tokens may be among them."""
    return ", ".join(map(safe, words))


def suggestion(word: str, known: Iterable[str], *, what: str) -> str:
    """What to write instead of an unknown word: the nearest known one, else all of them.

    Args:
        word: what was found.
        known: what is allowed.
        what: how the known ones are called, such as ``Known scopes``.
    """
    import difflib

    words = list(known)
    by_lower = {item.lower(): item for item in words}
    near = difflib.get_close_matches(word.lower(), by_lower, 1, _ALIKE) if len(word) <= _LONGEST_WORD else []
    if near:
        return f"Perhaps you meant {text_quoted(by_lower[near[0]])}?"
    return f"{what}: {listed(words)}." if words else ""

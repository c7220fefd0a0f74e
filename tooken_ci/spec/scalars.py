"""What a plain word of YAML means: the core schema of YAML 1.2, in which ``on``, ``yes`` and dates are text."""

from __future__ import annotations

import re

_WORDS: dict[str, bool | None] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True,
    "false": False, "False": False, "FALSE": False,
}  # fmt: skip
_INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]{1,18}|[0-9]{1,18}(\.[0-9]{0,18})?)([eE][-+]?[0-9]{1,3})?")
_NUMBER_STARTS = frozenset("+-.0123456789")


def resolve(text: str) -> str | float | bool | None:
    """The value of a plain word. A number of more than 18 digits stays text: no key of the spec wants one."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] in _NUMBER_STARTS:
        if _INTEGER.fullmatch(text):
            return int(text)
        if _FLOAT.fullmatch(text):
            return float(text)
    return text

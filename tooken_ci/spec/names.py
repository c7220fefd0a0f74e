"""What an entry may be called."""

from __future__ import annotations

import unicodedata

from tooken_ci.base.naming import LEASE_MARK, MAX_ENTRY_NAME, MAX_NAME, reserved
from tooken_ci.spec.shown import quoted

_UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Control characters, and those that change how a line is shown without showing themselves."""


def name_problem(name: str) -> tuple[str, str] | None:
    """What is wrong with an entry's name, and what to do; None where it is good."""
    if len(name) > MAX_ENTRY_NAME:
        return (
            f"The name {quoted(name)} has {len(name)} characters; at most {MAX_ENTRY_NAME} are allowed.",
            f"The API takes {MAX_NAME}, of which generations ('.g2') and leases need the rest.",
        )
    if not name.strip():
        return "A name must have at least one character that is not a space.", ""
    if name != name.strip():
        return f"The name {quoted(name)} begins or ends with a space.", f"Write {quoted(name.strip())}."
    unseen = next((char for char in name if unicodedata.category(char) in _UNSEEN), None)
    if unseen is not None:
        return f"The name {quoted(name)} holds the unprintable character U+{ord(unseen):04X}.", "Remove it."
    mark = reserved(name)
    if mark:
        whose = "leases" if mark == LEASE_MARK else "the generations of an entry"
        return f"The name {quoted(name)} may not hold '{mark}': it marks {whose}.", "Choose another name."
    return None

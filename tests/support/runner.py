"""What a CI runner makes of what it reads: GitHub's of its files and of each line of output, GitLab's of a job's log.

Written apart from the product's own escaping, after what the runners' sources do, so that both can't err alike.
"""

from __future__ import annotations

import re
import unicodedata

COMMANDS = frozenset(
    [
        "add-mask",
        "add-matcher",
        "add-path",
        "debug",
        "echo",
        "endgroup",
        "error",
        "group",
        "notice",
        "remove-matcher",
        "save-state",
        "set-env",
        "set-output",
        "stop-commands",
        "warning",
    ]
)
"""The commands that GitHub's runner knows."""

_NAMED = re.compile(r"section_(start|end):\d+:([\w.-]+)(?:\[[^\]]*\])?\r\x1b\[0K")
_SECTION = re.compile(r"section_(start|end):\d+:[\w.-]+(\[[^\]]*\])?\r\x1b\[0K")


def values(text: str) -> dict[str, str]:
    """The values in one of GitHub's files (outputs, variables, state); the last one of a name counts."""
    found: dict[str, str] = {}
    lines = iter(text.splitlines())
    for line in lines:
        name, mark, rest = re.fullmatch(r"([^=<]+)(=|<<)(.*)", line).groups()  # type: ignore[union-attr]  # it matches
        if mark == "=":
            found[name] = rest
            continue
        value = []
        for inner in lines:
            if inner == rest:
                break
            value.append(inner)
        else:
            raise AssertionError(f"{name} does not end")
        found[name] = "\n".join(value)
    return found


def commands(text: str) -> list[str]:
    """The commands that GitHub's runner carries out on reading an output, by their names.

    It compares by the rules of a culture, in which what cannot be seen has no weight.
    """
    found = []
    for line in re.split(r"\r\n|\r|\n", text):
        seen = "".join(char for char in line if not _weightless(char))
        new = re.match(r"\s*::(.*?)::", seen)
        old = re.search(r"##\[(.*?)\]", seen)
        found += [match[1].partition(" ")[0] for match in (new, old) if match is not None]
    return [name for name in found if name in COMMANDS]


def sections(text: str) -> list[str]:
    """The section marks that GitLab would fold the log by."""
    return [match[0] for match in _SECTION.finditer(text)]


def folded(text: str) -> list[str]:
    """The sections that GitLab folds a job's log by: each at the start of a line, ended, and none inside another."""
    found: list[str] = []
    opened = ""
    for line in text.split("\n"):
        marks = [match.group(0, 1, 2) for match in _NAMED.finditer(line)]
        assert len(marks) == line.count("section_start:") + line.count("section_end:"), repr(line)
        for mark, kind, name in marks:
            assert line.startswith(f"\x1b[0K{mark}"), repr(line)
            assert opened == ("" if kind == "start" else name), f"{kind} of {name} while '{opened}' is open"
            assert kind == "end" or name not in found, f"{name} twice"
            opened = name if kind == "start" else ""
            found += [name] * (kind == "start")
    assert not opened, f"{opened} does not end"
    return found


def unprintable(text: str) -> set[str]:
    """Characters that steer a terminal or an editor, line ends apart."""
    return {char for char in text if unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"}} - {"\n"}


def _weightless(char: str) -> bool:
    category = unicodedata.category(char)
    return category in {"Cf", "Mn", "Me"} or (category == "Cc" and char not in "\t\n\v\f\r\x85")

"""Stand-ins for the command-line tools of stores: they take what the tools document, refuse all else, and keep a state.

Each runs as a program of its own. What it was asked, and how every process on the machine was started at that moment,
is kept for the test to search.
"""

from __future__ import annotations

import dataclasses
import importlib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

NAMES = ("az", "gcloud", "kubectl", "op")
ROOT = Path(__file__).resolve().parents[3]
_PROGRAM = """#!{python} -IS
import sys
sys.path.insert(0, {root!r})
from tests.support.standins import run
run({name!r}, {state!r})
"""


def install(name: str, programs: Path, state: Path, python: str = sys.executable) -> None:
    """Put a stand-in of a name into a folder for programs; it keeps its state in another."""
    for folder in (programs, state):
        folder.mkdir(exist_ok=True)
    path = programs / name
    text = _PROGRAM.format(python=python, root=str(ROOT), name=name, state=str(state))
    path.write_text(text, encoding="utf-8")
    path.chmod(0o700)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Command:
    """What one command of a tool takes.

    Attributes:
        positional: how many arguments that are no options.
        options: those with a value, as ``--name=value`` or ``--name value``.
        switches: those without.
    """

    positional: int = 0
    options: frozenset[str] = frozenset()
    switches: frozenset[str] = frozenset()


@dataclasses.dataclass(frozen=True, kw_only=True)
class Call:
    """One call of a tool, taken apart.

    Attributes:
        command: its words, such as ``secrets describe``.
        arguments: those that are no options.
        options: the values of the others; those of switches are empty.
        state: what the tool keeps; what is changed in it is kept.
    """

    command: str
    arguments: tuple[str, ...]
    options: Mapping[str, str]
    state: dict[str, Any]

    def wants(self, option: str, value: str) -> None:
        """End unless an option has a value."""
        if self.options.get(option) != value:
            refuse(f"{self.command}: {option} must be {value!r} here, not {self.options.get(option)!r}")


def refuse(why: str, code: int = 2) -> NoReturn:
    """End as a tool that was called wrongly."""
    sys.stderr.write(f"{why}\n")
    sys.exit(code)


def run(name: str, folder: str) -> None:
    """Be the tool, once."""
    keeping, arguments = Path(folder), sys.argv[1:]
    everybody = [_started(path) for path in Path("/proc").glob("[0-9]*/cmdline")]
    with (keeping / "seen").open("a", encoding="utf-8") as seen:
        seen.write(json.dumps({"tool": name, "arguments": arguments, "everybody": everybody}) + "\n")
    tool = importlib.import_module(f"tests.support.standins.{name}")
    path = keeping / "state.json"
    before = path.read_text(encoding="utf-8") if path.exists() else json.dumps(tool.begin())
    state = json.loads(before)
    call = take(arguments, tool.COMMANDS, state)
    failing = keeping / "failing"
    if failing.exists() and failing.read_text(encoding="utf-8") == call.command:
        refuse(f"{name}: the server is not available", 1)
    tool.serve(call)
    after = json.dumps(state)
    if after != before:  # two tools of one pipe run at once: only the one that changes something writes, in one step
        new = keeping / "new"
        new.write_text(after, encoding="utf-8")
        new.replace(path)


def take(arguments: Sequence[str], commands: Mapping[str, Command], state: dict[str, Any]) -> Call:
    """Take a command line apart, and end where it has anything that the tool does not document."""
    words = next((words for words in sorted(commands, key=len, reverse=True) if _begins(arguments, words)), None)
    if words is None:
        refuse(f"no such command: {arguments}")
    allowed, rest = commands[words], list(arguments[len(words.split()) :])
    positional: list[str] = []
    options: dict[str, str] = {}
    while rest:
        argument = rest.pop(0)
        key, separator, value = argument.partition("=")
        if key in options:
            refuse(f"{words}: {key} twice")
        if argument in allowed.switches:
            options[argument] = ""
        elif key in allowed.options and key.startswith("-"):
            options[key] = value if separator else rest.pop(0) if rest else refuse(f"{words}: {key} lacks its value")
        elif argument.startswith("-") and argument != "-":
            refuse(f"{words}: unknown option {key}")
        else:
            positional.append(argument)
    if len(positional) != allowed.positional:
        refuse(f"{words}: {len(positional)} arguments instead of {allowed.positional}: {positional}")
    return Call(command=words, arguments=tuple(positional), options=options, state=state)


def _begins(arguments: Sequence[str], words: str) -> bool:
    return list(arguments[: len(words.split())]) == words.split()


def _started(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").replace("\0", " ")
    except OSError:  # it has ended meanwhile
        return ""

"""The job that is measured: tokens wanted by name, each delivered to a file of its own; and whether it was done."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.effort import BenchmarkError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.server import Server

SECRETS = "secrets"
SPEC = "tooken.yml"
NAMES = "names.txt"
ONLY_OWNER = 0o600

_HEAD = "version: 1\nworkspace: benchmark\ntokens:\n"
_ENTRY = """\
  {name}:
    scopes: [tokens:read]
    expires_in: 90d
    deliver:
      - file: {{path: {secrets}/{name}}}
"""


def wanted(number: int, prefix: str = "ci") -> list[str]:
    """So many names."""
    return [f"{prefix}-{index:05}" for index in range(number)]


def write(folder: Path, names: Sequence[str]) -> None:
    """Writes down the wanted tokens: as a spec for this project, as a list of names for its rivals."""
    folder.mkdir(parents=True, exist_ok=True)
    entries = "".join(_ENTRY.format(name=name, secrets=SECRETS) for name in names)
    (folder / SPEC).write_text(_HEAD + entries, encoding="utf-8")
    (folder / NAMES).write_text("".join(f"{name}\n" for name in names), encoding="utf-8")


def command(*arguments: str) -> list[str]:
    """This project's command, as it is installed."""
    return [str(Path(sys.executable).with_name("tooken-ci")), *arguments]


def plan() -> list[str]:
    """This project's plan, in the folder of the job."""
    return command("plan", "--spec", SPEC, "--format", "json")


def apply() -> list[str]:
    """This project's apply, in the folder of the job."""
    return command("apply", "--spec", SPEC, "--format", "json", "--yes")


def check(server: Server, folder: Path, names: Sequence[str]) -> None:
    """Looks whether the job was done: these tokens are active, each delivered to its owner alone, and alive.

    Raises:
        BenchmarkError: it was not; the time that it took says nothing then.
    """
    active = set(server.active_names())
    if missing := [name for name in names if name not in active]:
        raise BenchmarkError(f"{len(missing)} of {len(names)} tokens were not made: {missing[0]} …")
    for name in names:
        file = folder / SECRETS / name
        if file.stat().st_mode & 0o777 != ONLY_OWNER:
            raise BenchmarkError(f"The secret of {name} can be read by others.")
        if not server.authenticates(file.read_text(encoding="utf-8").strip()):
            raise BenchmarkError(f"The secret of {name} does not authenticate.")

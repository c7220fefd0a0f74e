"""The start-up of the command, against that of what it is made of."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from benchmarks import job
from benchmarks.child import run
from benchmarks.effort import median
from benchmarks.table import Table, Verdict, seconds, times

if TYPE_CHECKING:
    from benchmarks.effort import Effort

RUNS = 21

_TEXT = """\
Whole processes, in turn with each other. The ratio is the time to that of `python -c "import click"`."""
_CLICK = 'python -c "import click"'
_VERSION = "tooken-ci --version"
_COMMANDS = {
    _CLICK: [sys.executable, "-c", "import click"],
    _VERSION: job.command("--version"),
    "tooken-ci --help": job.command("--help"),
    'python -c "import click, jsonschema, jsonschema_rs, requests, rich, yaml"': [
        sys.executable,
        "-c",
        "import click, jsonschema, jsonschema_rs, requests, rich, yaml",
    ],
}


def measure(effort: Effort) -> Table:
    """Runs each, many times."""
    taken: dict[str, list[float]] = {name: [] for name in _COMMANDS}

    def once() -> None:
        for name, command in _COMMANDS.items():
            taken[name].append(run(command).seconds)

    effort.repeat(RUNS, "start-up", once)
    medians = {name: median(values) for name, values in taken.items()}
    ratio = medians[_VERSION] / medians[_CLICK]
    return Table(
        title="Start-up",
        text=_TEXT,
        columns=("command", "time", "ratio"),
        rows=[(f"`{name}`", seconds(medians[name]), times(medians[name] / medians[_CLICK])) for name in _COMMANDS],
        verdicts=[
            Verdict(
                what="`--version`",
                target='at most 1.5 times `python -c "import click"`',
                measured=times(ratio),
                value=ratio,
                bound=1.5,
            )
        ],
    )

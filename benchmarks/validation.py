"""The validation of a large spec, against the time that libyaml alone needs to load the file."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import job
from benchmarks.child import run
from benchmarks.effort import median
from benchmarks.table import Table, Verdict, seconds, times

if TYPE_CHECKING:
    from benchmarks.effort import Effort

ENTRIES = 10_000
RUNS = 5

_TEXT = f"""\
`tooken-ci validate` of one file with {ENTRIES:,} entries, as a whole process, against
`yaml.load(text, Loader=yaml.CSafeLoader)` of the same text, timed alone in a process of its own."""
_LOAD = """\
import pathlib, sys, time, yaml
text = pathlib.Path(sys.argv[1]).read_text(encoding="utf-8")
started = time.perf_counter()
yaml.load(text, Loader=yaml.CSafeLoader)
print(time.perf_counter() - started)
"""


def measure(effort: Effort) -> Table:
    """Runs both, in turn, several times."""
    validated: list[float] = []
    loaded: list[float] = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        job.write(folder, job.wanted(ENTRIES))

        def once() -> None:
            validated.append(run(job.command("validate", "--spec", job.SPEC), cwd=folder).seconds)
            loaded.append(float(run([sys.executable, "-c", _LOAD, job.SPEC], cwd=folder).out))

        effort.repeat(RUNS, f"validate of {ENTRIES:,} entries", once)
    ratio = median(validated) / median(loaded)
    return Table(
        title="Validation",
        text=_TEXT,
        columns=("entries", "validate", "libyaml", "ratio"),
        rows=[(f"{ENTRIES:,}", seconds(median(validated)), seconds(median(loaded)), times(ratio))],
        verdicts=[
            Verdict(
                what="validate of 10,000 entries",
                target="at most 3 times the time libyaml needs to load the file",
                measured=times(ratio),
                value=ratio,
                bound=3,
            )
        ],
    )

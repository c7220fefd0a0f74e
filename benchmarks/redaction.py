"""What it costs to keep secrets out of all output: the redactor's and the search's share of a run with many secrets.

``python -m benchmarks.redaction ARGUMENT…`` runs the command with these arguments in a process of its own and prints,
in a line after its output, the seconds of processor time that both took, and those of the whole process.
"""

from __future__ import annotations

import functools
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import job
from benchmarks.child import run
from benchmarks.effort import median
from benchmarks.server import UNLIMITED, Server
from benchmarks.table import Table, Verdict, seconds
from tooken_ci.base import leaks
from tooken_ci.base.redact import Redactor
from tooken_ci.cli import run as run_command

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.effort import Effort

TOKENS = 1_000
RUNS = 3
FORMS = ("json", "text")
_TEXT = f"""\
An `apply` that makes {TOKENS:,} tokens, and so holds {TOKENS:,} secrets and the key, at debug level. All is processor
time, since a run that waits for a server would make any share look small. *Redactor* is what goes into making each
secret's forms known and into masking all output, *search* the leak check at the end, *run* the whole process, start
included, and the *share* that of both in it."""


def measure(effort: Effort) -> Table:
    """Runs it in each format, several times."""
    rows, worst = [], 0.0
    for form in FORMS:
        took = effort.repeat(RUNS, f"apply of {TOKENS:,} in {form}", partial(_once, form))
        redactor, search, whole = (median([one[index] for one in took]) for index in range(3))
        share = median([(one[0] + one[1]) / one[2] for one in took])
        worst = max(worst, share)
        rows.append((form, seconds(redactor), seconds(search), seconds(whole), f"{share:.1%}"))
    return Table(
        title="Keeping secrets out",
        text=_TEXT,
        columns=("format", "redactor", "search", "run", "share"),
        rows=rows,
        verdicts=[
            Verdict(
                what=f"redaction and leak check with {TOKENS:,} secrets",
                target="under 5 % of the run",
                measured=f"{worst:.1%}",
                value=worst,
                bound=0.05,
            )
        ],
    )


def _once(form: str) -> tuple[float, float, float]:
    names = job.wanted(TOKENS)
    command = [sys.executable, "-m", "benchmarks.redaction", "--debug", "apply", "--yes", "--format", form]
    with tempfile.TemporaryDirectory() as temporary, Server(limit=UNLIMITED) as server:
        folder = Path(temporary)
        job.write(folder, names)
        here = {"PYTHONPATH": str(Path(__file__).resolve().parents[1])}
        ended = run(command, cwd=folder, env={**server.environment(folder), **here})
        job.check(server, folder, names[:: TOKENS // 20])
    redactor, search, whole = map(float, ended.out.splitlines()[-1].split())
    return redactor, search, whole


def _timed(spent: list[float], function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, with its processor time added to a list."""

    @functools.wraps(function)
    def timed(*args: Any, **kwargs: Any) -> Any:
        began = time.thread_time()
        try:
            return function(*args, **kwargs)
        finally:
            spent.append(time.thread_time() - began)

    return timed


def main(arguments: list[str]) -> int:
    """Runs the command, and prints what was spent on what."""
    redactor: list[float] = []
    search: list[float] = []
    for name in ("add", "clean", "split", "finished"):
        setattr(Redactor, name, _timed(redactor, getattr(Redactor, name)))
    leaks.findings = _timed(search, leaks.findings)
    code = run_command(arguments)
    whole = time.process_time()
    sys.stdout.write(f"\n{sum(redactor)} {sum(search)} {whole}\n")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

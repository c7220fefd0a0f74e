"""Four processes on one workspace at once: how much of the common allowance they use, and what they meet."""

from __future__ import annotations

import dataclasses
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import job
from benchmarks.child import Child
from benchmarks.effort import BenchmarkError, median
from benchmarks.server import TOO_MANY_REQUESTS, Server, refused
from benchmarks.table import Table, Verdict, seconds

if TYPE_CHECKING:
    from benchmarks.effort import Effort

PROCESSES = 4
CREATES = 600
LIMIT = 1_000
RESERVE = LIMIT // 10
WINDOW = 7
RUNS = 2

_TEXT = f"""\
{PROCESSES} processes start together, and each makes {CREATES} tokens of its own in the same workspace, with {LIMIT:,}
requests in a window of {WINDOW} s for all of them. They know nothing of each other but what the answers tell of the
allowance. *Use* is the number of requests in a window that were not answered 429, over {LIMIT - RESERVE}, which is the
allowance less the reserve of a tenth; the last window, in which the work ended, is left out. A run fails for a process
that does not end with 0, or that leaves a token unmade or a secret that does not work."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Run:
    time: float
    windows: tuple[int, ...]
    sent: int
    refused: int
    failed: int


def measure(effort: Effort) -> Table:
    """Lets them run, several times."""
    runs = effort.repeat(RUNS, f"{PROCESSES} processes at once", _once)
    useful = [number for run in runs for number in run.windows]
    use = sum(useful) / len(useful) / (LIMIT - RESERVE)
    share = sum(run.refused for run in runs) / sum(run.sent for run in runs)
    failed = sum(run.failed for run in runs)
    return Table(
        title=f"{PROCESSES} processes on one workspace",
        text=_TEXT,
        columns=("run", "time", "requests", "useful requests in each full window", "use", "429s", "failures"),
        rows=[
            (
                str(number),
                seconds(run.time),
                f"{run.sent:,}",
                ", ".join(map(str, run.windows)),
                f"{sum(run.windows) / len(run.windows) / (LIMIT - RESERVE):.0%}",
                str(run.refused),
                str(run.failed),
            )
            for number, run in enumerate(runs, start=1)
        ],
        verdicts=[
            Verdict(
                what=f"{PROCESSES} processes at once: allowance less the reserve",
                target="at least 90 % used",
                measured=f"{use:.1%}, in the median {median([float(n) for n in useful]):.0f} of {LIMIT - RESERVE}",
                value=use,
                bound=0.9,
                at_least=True,
            ),
            Verdict(
                what=f"{PROCESSES} processes at once: requests answered 429",
                target="under 1 %",
                measured=f"{share:.2%}",
                value=share,
                bound=0.01,
            ),
            Verdict(
                what=f"{PROCESSES} processes at once: failures", target="0", measured=str(failed), value=failed, bound=0
            ),
        ],
    )


def _once() -> _Run:
    """One time: all are started, then all are waited for, and what each has made is looked at."""
    with Server(limit=LIMIT, window=WINDOW) as server, tempfile.TemporaryDirectory() as temporary:
        teams = [f"team{number}" for number in range(PROCESSES)]
        children: list[Child] = []
        for team in teams:
            job.write(Path(temporary, team), job.wanted(CREATES, team))
        for team in teams:
            folder = Path(temporary, team)
            children.append(Child(job.apply(), cwd=folder, env=server.environment(folder)))
        failed, taken = 0, 0.0
        for child, team in zip(children, teams, strict=True):
            try:
                taken = max(taken, child.end().seconds)
                job.check(server, Path(temporary, team), job.wanted(CREATES, team))
            except (BenchmarkError, OSError):
                failed += 1
        log = server.take_log()
    return _Run(time=taken, windows=_full(log), sent=len(log), refused=refused(log), failed=failed)


def _full(log: list[dict[str, Any]]) -> tuple[int, ...]:
    """The useful requests of each window in which there was work for all: the last window had not."""
    useful = Counter(request["reset"] for request in log if request["status"] != TOO_MANY_REQUESTS)
    return tuple(useful[reset] for reset in sorted(useful)[:-1])

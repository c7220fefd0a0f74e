"""Plans of large workspaces: requests, time, memory, and the ratio to the ideal of the rounds."""

from __future__ import annotations

import dataclasses
import math
import sys
import tempfile
from functools import partial
from pathlib import Path

from benchmarks import job
from benchmarks.child import Ended, run
from benchmarks.effort import Effort, median
from benchmarks.server import UNLIMITED, Server, refused
from benchmarks.table import Table, Verdict, seconds, times

SIZES = (1_000, 10_000, 100_000)
LATENCIES_MS = (0, 50)
SEQUENTIAL_UP_TO = 10_000
WORKERS = 8
PER_PAGE = 100
ENTRIES = 100
RUNS = 3
LOOP_RUNS = 2

_LOOP = Path(__file__).parent / "rivals" / "loop.py"
_TEXT = f"""\
The workspace holds so many active tokens; the spec declares {ENTRIES} others, each delivered to a file, and the rest is
unmanaged. The allowance is far above what is sent, so that this shows how fast a listing is read, not how it waits.
*Requests* were counted by the server. *Ideal* is `1 + ceil((pages - 1) / {WORKERS})` rounds of latency, *start-up* the
time of the same plan of an empty workspace without latency, and the *ratio* the time to the sum of both (without
latency the ideal is nothing, and no ratio is given). *Sequential*
is the `requests` loop, which reads the same pages one after the other and tells what is missing; it is left out for
100,000 tokens, where it takes a minute and tells nothing new. Its ratio is its time to that of the plan, the start-up
of both included. *Memory* is the peak resident memory of the process."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Point:
    tokens: int
    latency_ms: int
    requests: tuple[int, ...]
    refused: int
    time: float
    megabytes: float
    ratio: float
    sequential: float | None

    @property
    def pages(self) -> int:
        return math.ceil(self.tokens / PER_PAGE)


def measure(effort: Effort) -> Table:
    """Plans every size at every latency."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        job.write(folder, job.wanted(ENTRIES))
        with Server(limit=UNLIMITED) as server:
            start_up = _median(effort.repeat(RUNS, "plan of an empty workspace", partial(_plan, server, folder)))
            loop_start_up = _median(effort.repeat(RUNS, "loop over an empty workspace", partial(_loop, server, folder)))
        points = [_point(effort, folder, size, latency, start_up) for size in SIZES for latency in LATENCIES_MS]
    return Table(
        title="Plans of large workspaces",
        text=f"{_TEXT}\n\nStart-up was {seconds(start_up)}, that of the loop {seconds(loop_start_up)}.",
        columns=("active tokens", "latency", "requests", "time", "ratio", "sequential", "memory"),
        rows=[
            (
                f"{point.tokens:,}",
                f"{point.latency_ms} ms",
                "/".join(map(str, sorted(set(point.requests)))),
                seconds(point.time),
                times(point.ratio) if point.latency_ms else "",
                _sequential(point),
                f"{point.megabytes:.0f} MB",
            )
            for point in points
        ],
        verdicts=_verdicts(points),
    )


def _plan(server: Server, folder: Path) -> Ended:
    return run(job.plan(), cwd=folder, env=server.environment(folder))


def _loop(server: Server, folder: Path) -> Ended:
    return run([sys.executable, str(_LOOP), "--dry-run"], cwd=folder, env=server.environment(folder))


def _median(runs: list[Ended]) -> float:
    return median([ended.seconds for ended in runs])


def _point(effort: Effort, folder: Path, tokens: int, latency_ms: int, start_up: float) -> _Point:
    """Plans one size at one latency, several times."""
    what = f"{tokens:,} tokens at {latency_ms} ms"
    counts: list[int] = []
    limited: list[int] = []
    with Server(seed=tokens, latency_ms=latency_ms, limit=UNLIMITED) as server:

        def once() -> Ended:
            ended = _plan(server, folder)
            log = server.take_log()
            counts.append(len(log))
            limited.append(refused(log))
            return ended

        runs = effort.repeat(RUNS, f"plan of {what}", once)
        sequential = None
        if tokens <= SEQUENTIAL_UP_TO:
            sequential = _median(
                effort.repeat(LOOP_RUNS, f"sequential loop over {what}", partial(_loop, server, folder))
            )
    rounds = 1 + math.ceil((math.ceil(tokens / PER_PAGE) - 1) / WORKERS)
    return _Point(
        tokens=tokens,
        latency_ms=latency_ms,
        requests=tuple(counts),
        refused=sum(limited),
        time=_median(runs),
        megabytes=max(ended.megabytes for ended in runs),
        ratio=_median(runs) / (rounds * latency_ms / 1000 + start_up),
        sequential=sequential,
    )


def _sequential(point: _Point) -> str:
    if point.sequential is None:
        return "left out"
    return f"{seconds(point.sequential)} ({times(point.sequential / point.time)})"


def _verdicts(points: list[_Point]) -> list[Verdict]:
    middle = next(point for point in points if (point.tokens, point.latency_ms) == (10_000, 50))
    largest = max(point.megabytes for point in points)
    off = sum(count != point.pages for point in points for count in point.requests)
    limited = sum(point.refused for point in points)
    faster = (middle.sequential or 0) / middle.time
    return [
        Verdict(
            what="reads for a plan",
            target="exactly `ceil(active/100)`, on every size",
            measured=f"{off} of {sum(len(point.requests) for point in points)} plans took another number",
            value=off,
            bound=0,
        ),
        Verdict(what="429s met by plans alone", target="0", measured=str(limited), value=limited, bound=0),
        Verdict(
            what=f"plan of 10,000 at 50 ms, {WORKERS} workers",
            target="at most 1.25 times the ideal of rounds plus start-up",
            measured=times(middle.ratio),
            value=middle.ratio,
            bound=1.25,
        ),
        Verdict(
            what="the same, beside the sequential loop",
            target="at least 6 times faster",
            measured=times(faster),
            value=faster,
            bound=6,
            at_least=True,
        ),
        Verdict(
            what="memory of a plan of 100,000",
            target="under 250 MB",
            measured=f"{largest:.0f} MB",
            value=largest,
            bound=250,
        ),
    ]

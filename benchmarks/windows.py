"""An apply that needs many windows of a small allowance: its time against the ideal, and the 429s that it meets."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import job
from benchmarks.child import run
from benchmarks.effort import median
from benchmarks.server import Server, refused
from benchmarks.table import Table, Verdict, seconds, times

if TYPE_CHECKING:
    from benchmarks.effort import Effort

CREATES = 1_000
LIMIT = 100
WINDOW = 2
RESERVE = LIMIT // 10
RUNS = 2

_TEXT = f"""\
{CREATES:,} tokens are made with {LIMIT} requests in a window of {WINDOW} s, of which the command leaves a tenth to
others. Each new token takes two requests: one makes it, one tries its secret. *Ideal* is the time until the last window
that is needed begins: the windows needed are the requests sent over {LIMIT - RESERVE}, rounded up. The server's windows
end at whole seconds, and each starts with the first request after the one before it; so all but the first last
{WINDOW + 1} s for a client that comes at once. The time is that of the whole command, start-up included."""


def measure(effort: Effort) -> Table:
    """Applies in an empty workspace, several times."""
    runs = effort.repeat(RUNS, f"apply of {CREATES:,} with {LIMIT} requests in {WINDOW} s", _once)
    taken, ideal = median([one[0] for one in runs]), median([one[1] for one in runs])
    ratio = median([one[0] / one[1] for one in runs])
    sent = max(one[2] for one in runs)
    limited = sum(one[3] for one in runs)
    return Table(
        title="Apply through many windows",
        text=_TEXT,
        columns=("creates", "requests", "windows needed", "time", "ideal", "ratio", "429s, all runs"),
        rows=[
            (
                f"{CREATES:,}",
                f"{sent:,}",
                str(_windows(sent)),
                seconds(taken),
                seconds(ideal),
                times(ratio),
                str(limited),
            )
        ],
        verdicts=[
            Verdict(
                what=f"apply through {_windows(sent)} windows",
                target="at most 1.1 times the ideal that limit and reserve allow",
                measured=times(ratio),
                value=ratio,
                bound=1.1,
            ),
            Verdict(what="429s met by this apply, alone", target="0", measured=str(limited), value=limited, bound=0),
        ],
    )


def _windows(sent: int) -> int:
    return math.ceil(sent / (LIMIT - RESERVE))


def _once() -> tuple[float, float, int, int]:
    """One apply: its time, the ideal, the requests sent, and those answered 429."""
    names = job.wanted(CREATES)
    with Server(limit=LIMIT, window=WINDOW) as server, tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        job.write(folder, names)
        ended = run(job.apply(), cwd=folder, env=server.environment(folder))
        log = server.take_log()
        job.check(server, folder, names)
    first = log[0]["reset"] - log[0]["at"]
    ideal = first + (_windows(len(log)) - 2) * (WINDOW + 1)
    return ended.seconds, ideal, len(log), refused(log)

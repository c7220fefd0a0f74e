"""The same job, done by this project and by what a user would pick instead: 200 tokens, each delivered to a file."""

from __future__ import annotations

import dataclasses
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import job
from benchmarks.child import run
from benchmarks.effort import BenchmarkError, median
from benchmarks.server import Server, refused
from benchmarks.table import Table, Verdict, seconds, times

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.effort import Effort

TOKENS = 200
LATENCY_MS = 50
RUNS = 2
LONG_RUNS = 1
OURS, ANSIBLE = "tooken-ci", "Ansible"

_RIVALS = Path(__file__).parent / "rivals"
_TEXT = f"""\
{TOKENS} tokens that an empty workspace lacks are made, and each secret is delivered to a file of its own that only its
owner can read; then the same is run once more, when nothing is left to do. Every request takes {LATENCY_MS} ms at
least. After each run it is checked that exactly these {TOKENS} tokens are active and that every delivered secret
authenticates; a run that fails this counts for nothing.

`curl and jq` is a shell loop as the guides of such an API show it, `requests` a plain Python loop, `Ansible` a playbook
with `ansible.builtin.uri`. They send one request after the other, list and create, and that is all they do. `{OURS}`
also tries each new secret before it is delivered, hence its second request for each token, reads every file back, and
writes a delivery record beside it. The ratio is the time to that of `{OURS}`. Ansible runs less often than the
others, because it takes minutes; it is given its Python and pipelining, so that neither costs it time."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Run:
    first: float
    again: float
    sent: int
    refused: int


def measure(effort: Effort) -> Table:
    """Runs each of them several times."""
    runs = {
        name: effort.repeat(LONG_RUNS if name == ANSIBLE else RUNS, f"{TOKENS} tokens, {name}", partial(_once, command))
        for name, command in _contenders().items()
    }
    first = {name: median([run.first for run in done]) for name, done in runs.items()}
    return Table(
        title=f"{TOKENS} tokens, side by side",
        text=_TEXT,
        columns=("", "runs", "time", "ratio", "requests", "429s, all runs", "time with nothing to do"),
        rows=[
            (
                name,
                str(len(done)),
                seconds(first[name]),
                times(first[name] / first[OURS]),
                str(done[0].sent),
                str(sum(run.refused for run in done)),
                seconds(median([run.again for run in done])),
            )
            for name, done in runs.items()
        ],
        verdicts=[_alone(runs[OURS])],
    )


def _alone(runs: Sequence[_Run]) -> Verdict:
    limited = sum(run.refused for run in runs)
    return Verdict(what="429s met by this job, alone", target="0", measured=str(limited), value=limited, bound=0)


def _contenders() -> Mapping[str, Sequence[str]]:
    playbook = Path(sys.executable).with_name("ansible-playbook")
    if not playbook.exists():
        raise BenchmarkError("There is no ansible-playbook beside this Python; `make bench` brings it.")
    return {
        OURS: job.apply(),
        "curl and jq": [str(_RIVALS / "loop.sh")],
        "requests": [sys.executable, str(_RIVALS / "loop.py")],
        ANSIBLE: [str(playbook), "--inventory", "localhost,", str(_RIVALS / "playbook.yml")],
    }


def _once(command: Sequence[str]) -> _Run:
    """The job in an empty workspace, and then once more."""
    with Server(latency_ms=LATENCY_MS) as server, tempfile.TemporaryDirectory() as folder:
        first, log = _done(server, Path(folder), command)
        again, _ = _done(server, Path(folder), command)
    return _Run(first=first, again=again, sent=len(log), refused=refused(log))


def _done(server: Server, folder: Path, command: Sequence[str]) -> tuple[float, list[dict[str, Any]]]:
    """Does the job once: how long it took, and the requests."""
    names = job.wanted(TOKENS)
    job.write(folder, names)
    server.take_log()
    ended = run(command, cwd=folder, env=server.environment(folder))
    log = server.take_log()
    job.check(server, folder, names)
    if server.active_names() != names:
        raise BenchmarkError(f"{command[0]} made other tokens than the wanted ones.")
    return ended.seconds, log

"""The request allowance: it is waited for rather than run into, and a part of it is left to others."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.project import Project, entry, names, spec

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.sandbox import RunningSandbox

DOZEN = {f"ci-{number:02}": entry(f"out/ci-{number:02}") for number in range(12)}
"""A listing, a probe, and two requests each: 26, which no window of 24 holds."""

LIMIT = 24
SHORT_OF_THE_RESET = ("--deadline", "30s")
"""Within a window of a minute, a run with this deadline ends where it would begin to wait."""


def _windows(sandbox: RunningSandbox) -> list[int]:
    """How many requests each window of the server saw; none of them was answered 429."""
    requests = sandbox.requests()
    assert [request for request in requests if request["status"] == 429] == []
    return [len(list(group)) for _, group in itertools.groupby(requests, key=lambda request: request["reset"])]


def _all_done(data: Any) -> None:
    assert {result["status"] for result in data["results"]} == {"done"}


@pytest.mark.parametrize(("skew", "workers"), [(0, "64"), (3600, "8"), (-3600, "8")], ids=["right", "fast", "slow"])
def test_the_reset_is_waited_for(make_project: Callable[..., Project], skew: int, workers: str) -> None:
    """An apply that needs more than a window holds meets no 429, however wrong the runner's clock is."""
    project = make_project(limit=LIMIT, window=2)
    project.sandbox.advance(skew)
    project.write(spec(DOZEN))

    _all_done(project.apply("--workers", workers))

    windows = _windows(project.sandbox)
    assert sum(windows) == 26
    assert len(windows) >= 2
    assert max(windows) <= LIMIT - 2
    assert names(project.sandbox) == sorted(DOZEN)
    assert all(project.sandbox.authenticates(project.secret(f"out/{name}")) for name in DOZEN)


@pytest.mark.parametrize(
    ("arguments", "variable", "sent"),
    [
        ([], "", 22),
        (["--reserve", "0"], "", 24),
        (["--reserve", "50%"], "", 12),
        (["--reserve", "8"], "", 16),
        (["--reserve", "7"], "", 16),  # 17 are there, but what begins an entry puts two aside
        (["--reserve", "100%"], "", 1),
        ([], "50%", 12),
        (["--reserve", "8"], "50%", 16),
    ],
)
def test_the_reserve_is_left(
    make_project: Callable[..., Project], arguments: list[str], variable: str, sent: int
) -> None:
    """Of one window a run that is alone takes all but the reserve, and one request where all would be kept."""
    project = make_project(limit=LIMIT)
    project.write(spec(DOZEN))
    env = {"TOOKEN_RESERVE": variable}
    ended = project.run("apply", *SHORT_OF_THE_RESET, *arguments, code=3 if sent > 1 else 1, env=env)
    assert _windows(project.sandbox) == [sent]
    ended.says("deadline")


def test_a_long_wait_is_told(make_project: Callable[..., Project]) -> None:
    """Before a long wait standard error says once how long and why, with the numbers."""
    project = make_project(limit=LIMIT)
    project.write(spec(DOZEN))
    ended = project.run("apply", *SHORT_OF_THE_RESET, "--reserve", "7", code=3)
    told = re.findall(r"Waiting (\d+) s: (.*)\n", ended.err)
    assert [why for _, why in told] == ["8 requests left until the reset, of which 7 are kept for others."]
    assert 30 < int(told[0][0]) <= 62


def test_two_runs_share_one_allowance(make_project: Callable[..., Project], tmp_path: Path) -> None:
    """Two applies at once, for which one window is not enough, both wait and both do all their work."""
    project = make_project(limit=LIMIT, window=2)
    other = Project(tmp_path / "other", project.sandbox)
    project.write(spec(DOZEN))
    theirs = {f"bot-{number:02}": entry(f"out/bot-{number:02}") for number in range(12)}
    other.write(spec(theirs))

    both = [(one, one.start("apply", "--format", "json")) for one in (project, other)]
    ended = [one.end(running) for one, running in both]

    assert [run.code for run in ended] == [0, 0], [run.err for run in ended]
    for run in ended:
        _all_done(run.data)
    assert names(project.sandbox) == sorted([*DOZEN, *theirs])
    answered = [request for request in project.sandbox.requests() if request["status"] != 429]
    assert len(answered) == 2 * 26
    assert len({request["reset"] for request in answered}) >= 3


@pytest.mark.parametrize(
    "fault", [{}, {"retry_after": 2, "headers": False}, {"headers": False}], ids=["headers", "Retry-After", "neither"]
)
def test_a_429_is_waited_for(make_project: Callable[..., Project], fault: dict[str, Any]) -> None:
    """A 429 that others caused fails nothing: nothing is sent until the reset, or as long as it says."""
    project = make_project(window=1)
    project.write(spec({name: DOZEN[name] for name in sorted(DOZEN)[:3]}))
    project.sandbox.set_faults([{"do": "429", "method": "POST", "path": "/v1/tokens", "occurrence": 2, **fault}])

    _all_done(project.apply("--workers", "1"))

    requests = project.sandbox.requests()
    refused = next(number for number, request in enumerate(requests) if request["status"] == 429)
    until = requests[refused]["at"] + fault.get("retry_after", 0) if fault else requests[refused]["reset"]
    assert [request["status"] for request in requests[refused:]].count(429) == 1
    assert requests[refused + 1]["at"] >= until
    assert len(requests) == 1 + 1 + 2 * 3 + 1

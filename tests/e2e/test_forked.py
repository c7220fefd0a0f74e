"""A run that is forked is one like any other: what the other tests find out by it holds for the command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.e2e.project import entry, spec
from tests.support.probe import ENDS
from tests.support.zygote import COMMAND, ROOT, Forked, usual_environment, zygote

if TYPE_CHECKING:
    from tests.e2e.project import Project

ENVIRONMENT = {**usual_environment(), "HOME": "/nowhere", "GIVEN": "ü", "GITHUB_ACTIONS": "true"}


def _forked(how: str) -> Forked:
    forking = zygote(*COMMAND, environment=usual_environment())
    line = [str(ROOT / "tests" / "support" / "probe.py"), how]
    return forking.start(line, call="tests.support.probe:main", folder=ROOT, path=ROOT, environment=ENVIRONMENT)


def _executed(how: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.support.probe", how],
        cwd=ROOT,
        env=ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


def test_the_same_state() -> None:
    """What a run finds is the same, forked or executed: descriptors, signals, streams, limits, and no secret."""
    forked, executed = _forked("its state"), _executed("its state")
    out, err = forked.communicate(timeout=30)
    assert (forked.returncode, err) == (executed.returncode, executed.stderr) == (0, "")
    found, expected = json.loads(out), json.loads(executed.stdout)
    assert set(expected.pop("filters")) <= set(found.pop("filters"))  # libraries add theirs when they are imported
    assert found == expected


@pytest.mark.parametrize("how", sorted(ENDS.keys() - {"its state"}))
def test_the_same_end(how: str) -> None:
    """Every end of a run is told as it was: its code or signal, and all that it printed until then."""
    forked, executed = _forked(how), _executed(how)
    out, err = forked.communicate(timeout=30)
    assert (forked.returncode, out) == (executed.returncode, executed.stdout)
    assert err.splitlines()[-1:] == executed.stderr.splitlines()[-1:]


def test_several_at_once() -> None:
    """Runs that go on side by side have an end each."""
    runs = [_forked(how) for how in ("with a thread", "killed", "a code")]
    assert [run.wait(timeout=30) for run in runs] == [0, -9, 7]
    assert len({run.pid for run in runs}) == 3
    for run in runs:
        run.communicate(timeout=30)


@pytest.mark.parametrize("variable", ["PYTHONHASHSEED", "LC_ALL", "TZ", "SSL_CERT_FILE", "COVERAGE_PROCESS_START"])
def test_what_counts_at_the_start(still_project: Project, variable: str) -> None:
    """A run whose environment tells the interpreter how to start is executed."""
    still_project.write(spec({"ci": entry("ci")}))
    given = {variable: "0" if variable == "PYTHONHASHSEED" else os.devnull}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tests.support.zygote.Zygote.start", lambda *_, **__: pytest.fail("it was forked"))
        running = still_project.start("--version", env=given)
    assert isinstance(running, subprocess.Popen)
    still_project.end(running)

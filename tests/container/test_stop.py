"""A job that is cancelled, in the container: there the command is process 1, which the kernel treats otherwise."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.container.conftest import Lab
    from tests.support.sandbox import RunningSandbox

pytestmark = [pytest.mark.container, pytest.mark.timeout(300)]

NAME = "tooken-ci-cancelled"
PROGRAM = "[sh, store.sh]"
SPEC = f"""
version: 1
workspace: sandbox
tokens:
  ci:
    scopes: [tokens:read]
    expires_in: 90d
    rotation: {{overlap: 0}}
    deliver:
      - exec: {{name: shop, check: {PROGRAM}, record: {PROGRAM}, write: {PROGRAM}, read: {PROGRAM}}}
"""
STORE = """
case $TOOKEN_CI_STEP in
  record-read) if [ -e record ]; then cat record; fi ;;
  record-write) cat >record ;;
  write)
    if [ ! -e healthy ]; then touch hangs; trap '' INT TERM; exec sleep 60; fi
    cat >value
    ;;
  read) if [ -e value ]; then cat value; fi ;;
esac
"""


@pytest.fixture
def options(lab: Lab, image: str, sandbox: RunningSandbox, tmp_path: Path) -> Iterator[Callable[..., list[str]]]:
    """Gives what starts a command in a workspace whose store hangs until it is healthy."""
    (tmp_path / "tooken.yml").write_text(SPEC, encoding="utf-8")
    (tmp_path / "store.sh").write_text(STORE, encoding="utf-8")
    env = {"INPUT_API-KEY": sandbox.api_key, "INPUT_API-URL": sandbox.url, "GITHUB_ACTIONS": "true", "CI": "true"}

    def of(command: str, **more: str) -> list[str]:
        given = {**env, "INPUT_COMMAND": command, **more}
        where = (f"--volume={tmp_path}:/github/workspace", "--workdir=/github/workspace")
        return [*where, *(f"--env={name}={value}" for name, value in given.items()), image]

    given_way = os.getpriority(os.PRIO_PROCESS, 0)
    os.setpriority(os.PRIO_PROCESS, 0, 0)  # these tests go by the clock, whatever .ci/run has begun them with
    yield of
    os.setpriority(os.PRIO_PROCESS, 0, given_way)
    lab.podman("rm", "--force", NAME)


def test_what_hangs_is_not_waited_for(
    lab: Lab, options: Callable[..., list[str]], sandbox: RunningSandbox, tmp_path: Path
) -> None:
    """SIGINT ends the run before the runner's next signal, 7.5 s later, with a report; the next run mends it."""
    started = lab.podman("run", "--detach", f"--name={NAME}", *options("apply"))
    assert started.returncode == 0, started.stderr
    _wait_for(tmp_path / "hangs")
    assert _ended(lab, [(signal.SIGINT, 7.5)]) == 3
    said = lab.podman("logs", NAME).stderr
    assert "The run was stopped by SIGINT" in said
    assert "::error " in said
    (tmp_path / "healthy").touch()
    sandbox.advance(240)
    for command in ("apply", "plan"):
        again = lab.podman("run", "--rm", *options(command, **{"INPUT_FAIL-ON-CHANGES": "true"}))
        assert again.returncode == 0, again.stderr
    assert len(sandbox.active_tokens()) == 1


def test_a_second_signal_ends_it_at_once(
    lab: Lab, options: Callable[..., list[str]], sandbox: RunningSandbox, tmp_path: Path
) -> None:
    """The second signal kills the command although it is process 1, to which most signals do nothing by default."""
    sandbox.set_faults([{"do": "delay", "method": "GET", "path": "/v1/tokens", "seconds": 60}])
    started = lab.podman("run", "--detach", f"--name={NAME}", *options("plan"))
    assert started.returncode == 0, started.stderr
    end = time.monotonic() + 30
    while not sandbox.requests() and time.monotonic() < end:
        time.sleep(0.05)
    assert _ended(lab, [(signal.SIGINT, 1.2), (signal.SIGTERM, 2.5)]) == 128 + signal.SIGTERM


def _wait_for(path: Path) -> None:
    end = time.monotonic() + 30
    while not path.exists() and time.monotonic() < end:
        time.sleep(0.05)
    assert path.exists()


def _ended(lab: Lab, signals: list[tuple[signal.Signals, float]]) -> int:
    """The exit code after these signals, each sent unless the container ended within the seconds after the last."""
    for number, patience in signals:
        sent = lab.podman("kill", f"--signal={number.name}", NAME)
        assert sent.returncode == 0, sent.stderr
        end = time.monotonic() + patience
        while time.monotonic() < end:
            state = lab.podman("inspect", "--format={{.State.Running}} {{.State.ExitCode}}", NAME).stdout.split()
            if state[0] == "false":
                return int(state[1])
    raise AssertionError("it still runs")

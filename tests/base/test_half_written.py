"""What is half written is private, and gone when the run ends, however it is ended."""

from __future__ import annotations

import contextlib
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tooken_ci.base import half_written

HOLDING = """
import signal, sys, threading, time
from pathlib import Path
from tooken_ci.base.half_written import half_written
from tooken_ci.base.times import Stop
from tooken_ci.cli import program, signals

def write():
    with half_written(Path("."), ".half-") as (handle, _):
        print("holds", flush=True)
        time.sleep(600)

def run():
    threading.Thread(target=write, daemon=True).start()
    sys.stdin.readline()
    return 3

program.run = run
stop = Stop()
with signals.heeding_signals(stop):
    program.main()
"""


def _files(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def test_private_and_gone(tmp_path: Path) -> None:
    """It is 0600 while it is written, and gone whether that goes well or not."""
    with half_written.half_written(tmp_path, ".half-") as (handle, path):
        assert stat.S_IMODE(os.fstat(handle).st_mode) == 0o600
        assert path.startswith(f"{tmp_path}/.half-")
        os.close(handle)
    assert _files(tmp_path) == []
    with contextlib.suppress(KeyboardInterrupt), half_written.half_written(tmp_path, ".half-") as (handle, _):
        os.close(handle)
        assert len(_files(tmp_path)) == 1
        raise KeyboardInterrupt
    assert _files(tmp_path) == []


def test_what_took_its_place_stays(tmp_path: Path) -> None:
    """Once it stands under its own name it is no longer half written."""
    with half_written.half_written(tmp_path, ".half-") as (handle, path):
        os.close(handle)
        Path(path).replace(tmp_path / "whole")
    assert _files(tmp_path) == ["whole"]


@pytest.mark.parametrize("ended", ["by itself", "by signals"])
def test_no_end_leaves_it(tmp_path: Path, ended: str) -> None:
    """A run that ends without waiting for the thread that writes removes what that one leaves, as a signal's does."""
    running = subprocess.Popen(
        [sys.executable, "-c", HOLDING], cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert running.stdout is not None
    assert running.stdin is not None
    with running:
        assert running.stdout.readline() == "holds\n"
        assert len(_files(tmp_path)) == 1
        if ended == "by itself":
            running.stdin.write("end\n")
            running.stdin.flush()
            assert running.wait(timeout=30) == 3
        else:
            running.send_signal(signal.SIGTERM)
            while running.poll() is None:
                try:
                    running.wait(timeout=0.3)
                except subprocess.TimeoutExpired:
                    running.send_signal(signal.SIGTERM)
            assert running.returncode == -signal.SIGTERM
    assert _files(tmp_path) == []

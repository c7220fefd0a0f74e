"""What is half written is private, and gone when the run ends, however it is ended."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tooken_ci.base import half_written

if TYPE_CHECKING:
    from collections.abc import Iterator

HOLDING = """
import signal, sys, threading, time
from pathlib import Path
from tooken_ci.base.half_written import half_written
from tooken_ci.base.times import Stop
from tooken_ci.cli import program, signals

def write():
    with half_written(Path("whole")):
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
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def open_umask() -> Iterator[None]:
    """The loosest of all umasks, which hides nothing by itself."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("open_umask")
def test_private_and_gone(tmp_path: Path) -> None:
    """It is 0600 in a folder that is 0700 while it is written, and both go, whether that goes well or not."""
    with half_written.half_written(tmp_path / "whole") as (handle, half):
        assert stat.S_IMODE(os.fstat(handle).st_mode) == 0o600
        assert _mode(half.parent) == 0o700
        assert half.parent.parent == tmp_path
        os.close(handle)
    assert _files(tmp_path) == []
    with contextlib.suppress(KeyboardInterrupt), half_written.half_written(tmp_path / "whole") as (handle, _):
        os.close(handle)
        assert len(_files(tmp_path)) == 2
        raise KeyboardInterrupt
    assert _files(tmp_path) == []


def test_what_took_its_place_stays(tmp_path: Path) -> None:
    """Once it stands under its own name it is no longer half written."""
    with half_written.half_written(tmp_path / "whole") as (handle, half):
        os.close(handle)
        half.replace(tmp_path / "whole")
    assert _files(tmp_path) == ["whole"]


def test_what_a_killed_run_left(tmp_path: Path) -> None:
    """What the kernel cut off, with its file or already without, goes with the next write; what else is there stays."""
    with half_written.half_written(tmp_path / "whole") as (handle, half):
        os.close(handle)
        left = half.parent.name
    name = left[: -len("a1b2c3d4")]
    for folder in ("00000001", "00000002"):
        (tmp_path / f"{name}{folder}").mkdir()
    (tmp_path / f"{name}00000001" / half.name).write_text("half a secret", encoding="utf-8")
    (tmp_path / f"{name}notes").mkdir()
    (tmp_path / "whole").touch()
    with half_written.half_written(tmp_path / "whole") as (handle, _):
        os.close(handle)
    assert _files(tmp_path) == [f"{name}notes", "whole"]


def test_no_link_leads_elsewhere(tmp_path: Path) -> None:
    """A link where a killed run's folder would be leads nobody to remove what stands elsewhere."""
    with half_written.half_written(tmp_path / "whole") as (handle, half):
        os.close(handle)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "kept").touch()
    half.parent.symlink_to(elsewhere)
    with pytest.raises(NotADirectoryError), half_written.half_written(tmp_path / "whole"):
        pytest.fail("it was made")
    assert (elsewhere / "kept").exists()


def test_names_that_begin_alike(tmp_path: Path) -> None:
    """What is written beside one file is not taken for what was left beside another, however long their names are."""
    name = "long" * 60
    with half_written.half_written(tmp_path / f"{name}1") as (handle, half):
        os.close(handle)
        with half_written.half_written(tmp_path / f"{name}2") as (other, _):
            os.close(other)
        assert half.exists()


@pytest.mark.parametrize(
    ("files", "told"),
    [(True, "its folder permits files but no folder.*: Operation not permitted"), (False, "^Operation not permitted$")],
)
def test_a_folder_that_permits_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, files: bool, told: str
) -> None:
    """Where a file could be made, but no folder, that is what is said; else the reason is the system's own."""

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "mkdir", refuse)
    monkeypatch.setattr(os, "access", lambda *_: files)
    with pytest.raises(PermissionError) as caught, half_written.half_written(tmp_path / "whole"):
        pytest.fail("it was made")
    assert re.search(told, caught.value.strerror or "")
    assert _files(tmp_path) == []


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
        assert len(_files(tmp_path)) == 2
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


def test_what_another_run_is_at_work_on_stays(tmp_path: Path) -> None:
    """Two runs that write the same file at once keep out of each other's way; what nobody holds any longer goes."""
    path = tmp_path / "file"
    with half_written.half_written(path) as (first, one), half_written.half_written(path) as (second, other):
        assert one.exists()
        os.close(first)
        os.close(second)
        other.replace(path)
        one.replace(path)
    assert list(tmp_path.iterdir()) == [path]

"""Starts the command again and again without importing it anew: a process that has imported all of it forks for each.

It is the real command in a process of its own, which can be killed like any other; only its waits are not waited, but
move the time that it shares with the server.
"""

from __future__ import annotations

import dataclasses
import errno
import gc
import importlib
import json
import os
import pkgutil
import select
import signal
import subprocess
import sys
import time
import types
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, Self

import tooken_ci
from tests.crash.store import Harm
from tests.crash.timing import SharedTime
from tooken_ci.base import times
from tooken_ci.cli import main

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 40.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class Ended:
    """How a run ended.

    Attributes:
        code: the exit code; negative = the signal that ended it.
        out: standard output.
        err: standard error.
    """

    code: int
    out: str
    err: str


class Zygote:
    """Runs the command, one run at a time."""

    def __init__(self, shared: SharedTime, folder: Path, client: int) -> None:
        """Starts the process for one of two clients that run at once; it keeps what the runs print in a folder."""
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.zygote", str(shared.path), str(client)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._received = b""
        self.pid = 0

    def start(
        self,
        *arguments: str,
        folder: Path,
        environment: Mapping[str, str],
        rename: tuple[int, Harm] | None = None,
    ) -> int:
        """Starts a run.

        Args:
            arguments: the command line.
            folder: its working directory.
            environment: all of it.
            rename: which of its renames of files, from 1, is refused, or killed before it is done or after.

        Returns:
            Its process id.
        """
        self._send(
            {
                "arguments": arguments,
                "folder": str(folder),
                "environment": dict(environment),
                "out": str(self._folder / "out"),
                "err": str(self._folder / "err"),
                "renames": str(self._folder / "renames"),
                "rename": rename,
            }
        )
        self.pid = int(self._receive())
        return self.pid

    def end(self) -> Ended:
        """Waits for the run."""
        code = int(self._receive())
        self.pid = 0
        out, err = ((self._folder / name).read_text(encoding="utf-8", errors="replace") for name in ("out", "err"))
        return Ended(code=code, out=out, err=err)

    @property
    def renames(self) -> int:
        """How many files the last run has renamed, or was about to."""
        return len((self._folder / "renames").read_bytes())

    def kill(self) -> None:
        """Kills the run where it stands."""
        os.kill(self.pid, signal.SIGKILL)

    def stop(self) -> None:
        """Ends the process, and a run that is still under way."""
        if self.running:
            self.kill()
        if self._process.stdin is not None:
            self._process.stdin.close()
        if self._process.wait(timeout=PATIENCE) != 0:
            raise RuntimeError("the process that forks the runs failed")
        if self._process.stdout is not None:
            self._process.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def running(self) -> bool:
        """Whether a run that was started has not ended yet."""
        return bool(self.pid) and b"\n" not in self._received and not self._ready(0)

    def _send(self, order: Mapping[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        self._process.stdin.flush()

    def _receive(self) -> bytes:
        while b"\n" not in self._received:
            if not self._ready(PATIENCE):
                if self.pid:
                    self.kill()
                err = (self._folder / "err").read_text(encoding="utf-8", errors="replace")
                raise AssertionError(f"the run did not end within {PATIENCE:.0f} s:\n{err}")
            assert self._process.stdout is not None
            more = os.read(self._process.stdout.fileno(), 4096)
            if not more:
                raise AssertionError("the process that forks the runs has ended")
            self._received += more
        line, _, self._received = self._received.partition(b"\n")
        return line

    def _ready(self, seconds: float) -> bool:
        assert self._process.stdout is not None
        return bool(select.select([self._process.stdout], [], [], seconds)[0])


def _import_all() -> None:
    """Imports what any command might, so that no run has to."""
    for found in pkgutil.walk_packages(tooken_ci.__path__, "tooken_ci."):
        if not found.name.startswith("tooken_ci.sandbox") and not found.name.endswith("__main__"):
            importlib.import_module(found.name)
    for name in ("jsonschema", "jsonschema_rs", "requests", "rich.progress", "yaml"):
        importlib.import_module(name)


def _serve(shared: SharedTime) -> None:
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            _become(json.loads(line), shared)
        _tell(pid)
        _, status = os.waitpid(pid, 0)
        _tell(os.waitstatus_to_exitcode(status))


def _tell(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


def _become(order: Mapping[str, Any], shared: SharedTime) -> NoReturn:
    """Becomes the run: its folder, environment, streams and time are its own."""
    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["environment"])
    _redirect(0, os.devnull, os.O_RDONLY)
    for descriptor, name in ((1, "out"), (2, "err")):
        _redirect(descriptor, order[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    _watch_renames(order["renames"], order["rename"])
    _share_time(shared)
    sys.argv = ["tooken-ci", *order["arguments"]]
    code = _ended()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)


def _share_time(shared: SharedTime) -> None:
    """Has every wait of the run, and of the destinations between two tries, move the time."""
    times.__dict__["time"] = shared  # it has the two functions that are used
    waiting = types.SimpleNamespace(monotonic=time.monotonic, time=time.time, sleep=shared.sleep)
    for name, module in list(sys.modules.items()):
        if name.startswith("tooken_ci.destinations."):
            for known, instead in ((time, waiting), (time.sleep, shared.sleep)):
                for attribute in [key for key, value in vars(module).items() if value is known]:
                    setattr(module, attribute, instead)


def _watch_renames(path: str, rename: tuple[int, str] | None) -> None:
    """Counts the files that take another's place; the interpreter tells before it is done."""
    counted = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    number = 0
    chosen, harm = rename or (0, "")

    def hook(event: str, _: tuple[Any, ...]) -> None:
        nonlocal number
        if event == "os.remove" and number == chosen and harm == Harm.KILLED_AFTER:  # what it was written in is left
            os.kill(os.getpid(), signal.SIGKILL)
        if event != "os.rename":
            return
        number += 1
        os.write(counted, b".")
        if number == chosen and harm == Harm.KILLED_BEFORE:
            os.kill(os.getpid(), signal.SIGKILL)
        if number == chosen and harm == Harm.REFUSED:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    sys.addaudithook(hook)


def _ended() -> int:
    try:
        main()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 0


def _redirect(descriptor: int, path: str, flags: int) -> None:
    opened = os.open(path, flags, 0o600)
    os.dup2(opened, descriptor)
    os.close(opened)


def _main() -> None:
    _import_all()
    gc.collect()
    gc.freeze()
    with SharedTime(Path(sys.argv[1]), int(sys.argv[2])) as shared:
        _serve(shared)


if __name__ == "__main__":
    _main()

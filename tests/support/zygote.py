"""Starts a program again and again without importing it anew: a process that has imported all of it forks for each.

It is the real program in a process of its own, with its own folder, environment, streams, signals and end. What it does
not have is a start: where that is what a test is about, the program is executed. So it is where the interpreter itself
reads the environment as it starts (``fits``), or where coverage does.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TextIO

from tests.support.forking import NUMBER

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 40.0
_FLOORS = ("base", "spec", "tooken", "plan", "destinations", "apply", "render", "ci", "cli")
_LIBRARIES = ("boto3", "github", "gitlab", "hvac", "jsonschema", "jsonschema_rs", "requests", "rich.progress", "yaml")
COMMAND = (*(f"tooken_ci.{floor}.*" for floor in _FLOORS), *_LIBRARIES)
"""What a run of the command may import."""

_AT_THE_START = ("COV", "LANG", "LC_", "LD_", "MALLOC", "OPENSSL", "PYTHON", "SSL", "TZ")
"""Variables that count when a process starts, and not again."""


class Forked:
    """A run, with what the tests use of ``subprocess.Popen``.

    Attributes:
        args: its command line.
        pid: its process.
        returncode: its exit code, or the signal that ended it as a negative number; None while it runs.
        stdout, stderr: its streams, where they are pipes.
    """

    def __init__(self, args: Sequence[str], report: int, stdout: TextIO | None, stderr: TextIO | None) -> None:
        self.args = args
        self.stdout = stdout
        self.stderr = stderr
        self.returncode: int | None = None
        self._report = report
        self.pid = self._told()

    def _told(self) -> int:
        told = os.read(self._report, NUMBER.size)
        if not told:
            raise RuntimeError("the process that forks the runs has ended")
        return int(NUMBER.unpack(told)[0])

    def poll(self) -> int | None:
        """Its exit code, if it has ended."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(timeout=0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Waits for its end."""
        if self.returncode is None:
            if not select.select([self._report], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(self.args, timeout or 0)
            self.returncode = os.waitstatus_to_exitcode(self._told())
            os.close(self._report)
        return self.returncode

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """Reads what it prints until nobody can print there any more, and waits for its end."""
        end = None if timeout is None else time.monotonic() + timeout
        parts: dict[TextIO, list[bytes]] = {stream: [] for stream in (self.stdout, self.stderr) if stream is not None}
        waiting = {stream for stream in parts if not stream.closed}
        while waiting:
            left = None if end is None else max(0, end - time.monotonic())
            ready = select.select(list(waiting), [], [], left)[0]
            if not ready:
                raise subprocess.TimeoutExpired(self.args, timeout or 0)
            for stream in ready:
                if part := os.read(stream.fileno(), 65_536):
                    parts[stream].append(part)
                else:
                    waiting.remove(stream)
                    stream.close()
        self.wait(None if end is None else max(0, end - time.monotonic()))
        out, err = (
            "" if stream is None else b"".join(parts[stream]).decode("utf-8") for stream in (self.stdout, self.stderr)
        )
        return out, err

    def send_signal(self, number: int) -> None:
        """Sends a signal, unless it has ended."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        """Asks it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Kills it."""
        self.send_signal(signal.SIGKILL)


Running = subprocess.Popen[str] | Forked
"""A run, executed or forked."""


class Zygote:
    """A process that forks runs of one program; several may run at once. It starts when the first run does."""

    def __init__(self, *imports: str, environment: Mapping[str, str]) -> None:
        """Keeps what it will import (``package.*``: all of the package), and the environment it will start in."""
        self._imports = imports
        self._environment = dict(environment)
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._orders, self._theirs = socket.socketpair()

    def fits(self, environment: Mapping[str, str]) -> bool:
        """Whether a run with this environment would have started no differently from this process."""
        counts = _at_the_start(environment)
        return counts == _at_the_start(self._environment) and not any(name.startswith("COV") for name in counts)

    def start(
        self,
        command: Sequence[str],
        *,
        call: str,
        given: Sequence[Any] = (),
        folder: Path,
        environment: Mapping[str, str],
        path: Path | None = None,
        stdout: int = subprocess.PIPE,
        stderr: int = subprocess.PIPE,
    ) -> Forked:
        """Starts a run, with nothing to read on its standard input.

        Args:
            command: what ``sys.argv`` holds.
            call: what it does, as ``module:function``.
            given: what that is called with.
            folder: its working directory.
            environment: all of it.
            path: where it looks first for modules; beside the program by default.
            stdout: a file's descriptor, or a new pipe.
            stderr: as stdout.
        """
        order = {
            "command": command,
            "call": call,
            "given": given,
            "folder": str(folder),
            "environment": dict(environment),
            "path": str(path or Path(command[0]).parent),
        }
        with contextlib.ExitStack() as ours:
            written = ours.enter_context(os.fdopen(os.memfd_create("order"), "wb"))
            written.write(json.dumps(order).encode())
            written.seek(0)
            nothing = ours.enter_context(Path(os.devnull).open("rb"))
            (out, theirs_out), (err, theirs_err) = _stream(stdout, ours), _stream(stderr, ours)
            report, theirs_report = os.pipe()
            ours.callback(os.close, theirs_report)
            handed = [written.fileno(), nothing.fileno(), theirs_out, theirs_err, theirs_report]
            with self._lock:
                if self._process is None:
                    self._process = self._begin()
                socket.send_fds(self._orders, [b"."], handed)
        return Forked(command, report, out, err)

    def _begin(self) -> subprocess.Popen[bytes]:
        with self._theirs as theirs:
            return subprocess.Popen(
                [sys.executable, "-m", "tests.support.forking", str(theirs.fileno()), *self._imports],
                cwd=ROOT,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )

    def stop(self) -> None:
        """Ends it, and the runs that are still under way."""
        self._orders.close()
        self._theirs.close()
        if self._process is not None and self._process.wait(timeout=PATIENCE) != 0:
            raise RuntimeError("the process that forks the runs failed")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _stream(wanted: int, ours: contextlib.ExitStack) -> tuple[TextIO | None, int]:
    """A stream of the run: our end of it, and its own."""
    if wanted != subprocess.PIPE:
        return None, wanted
    read, written = os.pipe()
    ours.callback(os.close, written)
    return os.fdopen(read, encoding="utf-8"), written


def _at_the_start(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name.startswith(_AT_THE_START)}


def usual_environment() -> dict[str, str]:
    """The environment of a process that forks: nobody's, and no secret's."""
    kept = {name: value for name, value in os.environ.items() if name.startswith(("PATH", "LD_LIBRARY_PATH"))}
    return {**kept, "HOME": os.devnull, "LANG": "C.UTF-8"}


_running: dict[tuple[str, ...], Zygote] = {}


def zygote(*imports: str, environment: Mapping[str, str]) -> Zygote:
    """The one that has imported this, which is started when it is first asked for."""
    if imports not in _running:
        _running[imports] = Zygote(*imports, environment=environment)
    return _running[imports]


def stop_all() -> None:
    """Ends all of them."""
    while _running:
        _running.popitem()[1].stop()

"""A child process, with what it took: wall time, and peak memory as the kernel counted it for that child."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import tempfile
import time
from typing import TYPE_CHECKING

from benchmarks.effort import BenchmarkError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

KIB_PER_MB = 1_000_000 / 1024


@dataclasses.dataclass(frozen=True, kw_only=True)
class Ended:
    """How a child ended.

    Attributes:
        seconds: from the start to the end.
        megabytes: its peak resident memory. It is never less than that of the benchmark itself when it starts the
            child, so whatever takes much memory happens in children.
        out: its standard output.
    """

    seconds: float
    megabytes: float
    out: str


class Child:
    """A child that runs from construction until ``end``; what it prints goes to files, so that it never waits."""

    def __init__(
        self, command: Sequence[str], *, cwd: Path | None = None, env: Mapping[str, str] | None = None
    ) -> None:
        self._command = command
        self._out = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115  # closed in end
        self._err = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115  # closed in end
        self._started = time.perf_counter()
        self._process = subprocess.Popen(  # noqa: S603  # nosec B603  # only what the benchmark brings
            command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=self._out, stderr=self._err
        )

    def end(self) -> Ended:
        """Waits for it.

        Raises:
            BenchmarkError: it failed.
        """
        _, status, usage = os.wait4(self._process.pid, 0)
        seconds = time.perf_counter() - self._started
        self._process.returncode = os.waitstatus_to_exitcode(status)  # it is not there any more to be waited for
        with self._out, self._err:
            self._out.seek(0)
            self._err.seek(0)
            out, err = self._out.read(), self._err.read()
        if self._process.returncode != 0:
            raise BenchmarkError(f"{self._command[0]} failed ({self._process.returncode}).\n{err[-2000:]}{out[-2000:]}")
        return Ended(seconds=seconds, megabytes=usage.ru_maxrss / KIB_PER_MB, out=out)


def run(command: Sequence[str], *, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> Ended:
    """Runs a child to its end.

    Raises:
        BenchmarkError: it failed.
    """
    return Child(command, cwd=cwd, env=env).end()

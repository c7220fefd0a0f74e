"""Starts the command again and again, in forks, by a time that it shares with the server: no wait is waited.

It is the real command in a process of its own, which can be killed like any other.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
import subprocess
from typing import TYPE_CHECKING, Self

from tests.support.zygote import COMMAND, ROOT, usual_environment, zygote

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.crash.store import Harm
    from tests.crash.timing import SharedTime
    from tests.support.zygote import Forked

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
        """Makes ready for one of two clients that run at once; what the runs print is kept in a folder."""
        self._time = str(shared.path.resolve())
        self._client = client
        self._folder = folder.resolve()
        self._folder.mkdir(parents=True, exist_ok=True)
        self._run: Forked | None = None

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
        forking = zygote(*COMMAND, "tests.crash.forked", environment=usual_environment())
        with (self._folder / "out").open("wb") as out, (self._folder / "err").open("wb") as err:
            self._run = forking.start(
                ["tooken-ci", *arguments],
                call="tests.crash.forked:run",
                given=[self._time, self._client, str(self._folder / "renames"), rename],
                folder=folder,
                path=ROOT,
                environment=environment,
                stdout=out.fileno(),
                stderr=err.fileno(),
            )
        return self._run.pid

    def end(self) -> Ended:
        """Waits for the run."""
        assert self._run is not None
        try:
            code = self._run.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.stop()
            raise AssertionError(f"the run did not end within {PATIENCE:.0f} s:\n{self._printed('err')}") from None
        self._run = None
        return Ended(code=code, out=self._printed("out"), err=self._printed("err"))

    def _printed(self, name: str) -> str:
        return (self._folder / name).read_text(encoding="utf-8", errors="replace")

    @property
    def renames(self) -> int:
        """How many files the last run has renamed, or was about to."""
        return len((self._folder / "renames").read_bytes())

    def kill(self) -> None:
        """Kills the run where it stands."""
        if self._run is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._run.pid, signal.SIGKILL)

    def stop(self) -> None:
        """Ends a run that is still under way."""
        if self._run is not None:
            self.kill()
            self._run.wait(PATIENCE)
            self._run = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def running(self) -> bool:
        """Whether a run that was started has not ended yet."""
        return self._run is not None and self._run.poll() is None

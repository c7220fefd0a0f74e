"""What the tests of the ``exec`` destination share: stores behind real programs, small shell scripts all of them."""

from __future__ import annotations

import shlex
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.destinations.support import SECRET, TOKEN_ID, held, mark, record
from tooken_ci.base.secret import Secret
from tooken_ci.destinations.exec_store import ExecDestination, Programs

if TYPE_CHECKING:
    from collections.abc import Sequence

SCRIPT = """#!/bin/sh
cd {folder} || exit 1
env > "env-$TOOKEN_CI_STEP"
tr '\\0' '\\n' < /proc/$$/cmdline > "argv-$TOOKEN_CI_STEP"
cat /proc/[0-9]*/cmdline > "everybody-$TOOKEN_CI_STEP" 2> /dev/null
case $TOOKEN_CI_STEP in
  write) cat > value ;;
  read) if [ -e value ]; then cat value; fi ;;
  record-write) cat > record ;;
  record-read) if [ -e record ]; then cat record; fi ;;
esac
"""


class Store:
    """A folder that is reached only by way of a program; each step leaves there how everybody was started.

    Attributes:
        folder: holds ``value`` and ``record`` once they were stored.
        program: serves every step.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.program = script(folder / "store.sh", SCRIPT.format(folder=shlex.quote(str(folder))))

    def open(self, **others: Any) -> ExecDestination:
        """The destination; any of its programs, or its time-out, may be another."""
        every = {key: (str(self.program), key) for key in ("write", "record", "read")}
        return ExecDestination(Programs(**{"name": "shop", "timeout": 10.0, **every, **others}))

    def sh(self, name: str, *lines: str) -> tuple[str, ...]:
        """A program of its own for one step, from the lines of a shell script."""
        return (str(script(self.folder / name, "\n".join(["#!/bin/sh", *lines, ""]))),)

    def told(self, step: str) -> dict[str, str]:
        """The environment that a step's program had."""
        lines = (self.folder / f"env-{step}").read_text(encoding="utf-8").splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line)

    @property
    def value(self) -> Path:
        return self.folder / "value"

    @property
    def record(self) -> Path:
        return self.folder / "record"


def script(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    path.chmod(0o700)
    return path


def deliver(destination: ExecDestination, token_id: str = TOKEN_ID, secret: str = SECRET) -> None:
    """Mark, secret, record: as an apply does it."""
    destination.write_record(record(marks=(mark(),)))
    destination.write(Secret(secret))
    destination.write_record(record(of=held(token_id, secret)))


def gone(pids: Sequence[int], *, within: float = 3) -> bool:
    """Whether these processes end at once; one that nobody has waited for yet is over too."""
    end = time.monotonic() + within
    while any(_runs(pid) for pid in pids):
        if time.monotonic() > end:
            return False
        time.sleep(0.01)  # a signal takes a moment to arrive
    return True


def _runs(pid: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return False

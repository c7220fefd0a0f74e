"""What a forked run of the command is there: its renames are counted, and each of its waits moves the shared time."""

from __future__ import annotations

import errno
import os
import signal
import sys
import time
import types
from pathlib import Path
from typing import Any, NoReturn

from tests.crash.store import Harm
from tests.crash.timing import SharedTime
from tooken_ci.base import times
from tooken_ci.cli import main


def run(shared: str, client: int, renames: str, rename: tuple[int, str] | None) -> NoReturn:
    """Runs the command.

    Args:
        shared: the file of the time.
        client: which of two clients that run at once it is.
        renames: where to count the files that it renames.
        rename: which of them, from 1, is killed before it is done, or refused.
    """
    _watch_renames(renames, rename)
    _share_time(SharedTime(Path(shared), client))
    main()


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

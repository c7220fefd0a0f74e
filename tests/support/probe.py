"""A program that tells in what state it was started, and ends in one of several ways."""

from __future__ import annotations

import atexit
import gc
import json
import locale
import os
import resource
import signal
import sys
import threading
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tooken_ci.base import children, half_written, leaks, redact

if TYPE_CHECKING:
    from collections.abc import Callable

_STATUS = ("Umask", "SigBlk", "SigIgn", "SigCgt", "CapEff", "NoNewPrivs", "CoreDumping")


def _state() -> dict[str, Any]:
    """What the start of a program settles, by the system, by the interpreter and by ours."""
    status = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return {
        "arguments": sys.argv[1:],
        "folder": str(Path.cwd()),
        "environment": dict(os.environ),
        "open": sorted(path.name for path in Path("/proc/self/fd").iterdir()),
        "status": [line for line in status if line.startswith(_STATUS)],
        "group": (os.getpgrp(), os.getsid(0)),
        "limits": [resource.getrlimit(getattr(resource, name)) for name in dir(resource) if name.startswith("RLIMIT")],
        "streams": [
            (each.encoding, each.errors, each.line_buffering, each.isatty(), each.fileno())
            for each in (sys.stdin, sys.stdout, sys.stderr)
        ],
        "input": sys.stdin.read(),
        "handlers": [str(signal.getsignal(number)).partition(" at ")[0] for number in (signal.SIGINT, signal.SIGTERM)],
        "threads": threading.active_count(),
        "flags": str(sys.flags),
        "path": sys.path,
        "filters": list(map(str, warnings.filters)),
        "collector": (gc.isenabled(), gc.get_threshold()),
        "locale": (locale.setlocale(locale.LC_CTYPE), time.tzname),
        "hooks": [sys.excepthook.__module__, threading.excepthook.__module__, sys.unraisablehook.__module__],
        "known": [
            {name: str(value) for name, value in vars(each).items() if name != "_lock"}
            for each in (redact.redactor, leaks.written, children.children)
        ],
        "half written": sorted(half_written._folders),
    }


def _killed() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _with_a_thread() -> None:
    def later() -> None:
        time.sleep(0.1)
        print("the thread")  # noqa: T201

    threading.Thread(target=later).start()


def _into_nothing() -> None:
    os.close(1)
    print("lost")  # noqa: T201


ENDS: dict[str, Callable[[], object]] = {
    "a code": lambda: sys.exit(7),
    "words": lambda: sys.exit("words"),
    "nothing to say": lambda: None,
    "an error": lambda: 1 / 0,
    "interrupted": lambda: signal.raise_signal(signal.SIGINT),
    "terminated": lambda: signal.raise_signal(signal.SIGTERM),
    "killed": _killed,
    "at once": lambda: os._exit(9),
    "with a thread": _with_a_thread,
    "with a last word": lambda: atexit.register(print, "the last word"),
    "into nothing": _into_nothing,
    "its state": lambda: print(json.dumps(_state())),  # noqa: T201
}


def main() -> None:
    """Ends as it is told."""
    ENDS[sys.argv[1]]()


if __name__ == "__main__":
    main()

"""The process that forks: it has imported what its runs need, and becomes one of them at each order.

A fork has the folder, environment, streams and command line of its order, nothing of the process that forked is open
in it, and it ends as every Python program does. The process itself sees no order and no output: it passes on what it
was handed, and so knows no secret.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import pkgutil
import select
import signal
import socket
import struct
import sys
import threading
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

NUMBER = struct.Struct("=q")
"""How a process id is told, and later the status of the one that ended."""

HANDED = 5
"""What comes with each byte: the order, the three streams, and where to tell the numbers."""


class _Forking:
    """The loop, which only a fork leaves."""

    def __init__(self, orders: socket.socket) -> None:
        self._orders = orders
        self._poll = select.poll()
        self._poll.register(orders, select.POLLIN)
        self._runs: dict[int, tuple[int, int]] = {}

    def next_run(self) -> dict[str, Any]:
        """Forks at every order, and gives it in the fork; ends with all runs when nobody gives orders any more."""
        while True:
            for ready, _ in self._poll.poll():
                if ready in self._runs:
                    self._reap(ready)
                    continue
                byte, handed, _, _ = socket.recv_fds(self._orders, 1, HANDED)
                if not byte:
                    self._end()
                pid = os.fork()
                if pid == 0:
                    return self._become(*handed)
                self._started(pid, *handed)

    def _started(self, pid: int, order: int, *streams_and_report: int) -> None:
        *streams, report = streams_and_report
        for descriptor in (order, *streams):
            os.close(descriptor)
        run = os.pidfd_open(pid)
        self._runs[run] = pid, report
        self._poll.register(run, select.POLLIN)
        os.write(report, NUMBER.pack(pid))

    def _reap(self, run: int) -> None:
        pid, report = self._runs.pop(run)
        self._poll.unregister(run)
        os.close(run)
        _, status = os.waitpid(pid, 0)
        os.write(report, NUMBER.pack(status))
        os.close(report)

    def _end(self) -> None:
        for pid, _ in self._runs.values():
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        sys.exit(0)

    def _become(self, order: int, *streams_and_report: int) -> dict[str, Any]:
        *streams, report = streams_and_report
        self._orders.close()
        for run, (_, others) in self._runs.items():
            os.close(run)
            os.close(others)
        os.close(report)
        for descriptor, stream in enumerate(streams):
            os.dup2(stream, descriptor)
            os.close(stream)
        with open(order, "rb") as file:
            ordered: dict[str, Any] = json.load(file)
        return ordered


def _called(order: dict[str, Any], interrupted: Any) -> Callable[..., object]:
    """Makes the process what the order says, and gives what it is to call."""
    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["environment"])
    sys.argv = list(order["command"])
    sys.path[0] = order["path"]
    signal.signal(signal.SIGINT, interrupted)
    module, _, name = order["call"].partition(":")
    called: Callable[..., object] = getattr(importlib.import_module(module), name)
    return called


def _import(names: Sequence[str]) -> None:
    """Imports modules; with ``.*`` every module of a package that does nothing else when it is imported."""
    for name in names:
        package = importlib.import_module(name.removesuffix(".*"))
        if name.endswith(".*"):
            for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
                if not found.name.endswith("__main__"):
                    importlib.import_module(found.name)


def _main() -> None:
    _import(sys.argv[2:])
    interrupted = signal.signal(signal.SIGINT, signal.SIG_DFL)  # with no words
    gc.collect()
    gc.freeze()
    order = _Forking(socket.socket(fileno=int(sys.argv[1]))).next_run()
    try:
        _called(order, interrupted)(*order["given"])
    except SystemExit as ended:
        if not isinstance(ended.code, int):
            raise
        _end(ended.code)
    _end(0)


def _end(code: int) -> NoReturn:
    """Ends as the interpreter does, but that it does not take down, one by one, the modules that others imported."""
    threading._shutdown()  # type: ignore[attr-defined]  # what the interpreter calls
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        sys.exit(code)  # the interpreter will tell
    os._exit(code)


if __name__ == "__main__":
    _main()

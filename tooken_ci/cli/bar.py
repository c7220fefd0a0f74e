"""A bar for each kind of work, and a countdown while the run waits, on a person's terminal."""

from __future__ import annotations

import sys
import threading
import time

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TaskID
from rich.table import Column
from rich.text import Text

from tooken_ci.base.text import safe

_PATIENCE = 0.5
"""Seconds of work before a bar is shown: most of it is done by then."""


class Bar:
    """Gone from the screen when all is done; what is printed meanwhile stands above it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._since: float | None = None
        self._shown: Progress | None = None
        self._tasks: dict[str, TaskID] = {}
        self._waiting: TaskID | None = None

    def step(self, what: str, done: int, total: int) -> None:
        """Move the bar; work that takes no time is not worth one."""
        with self._lock:
            self._since = self._since or time.monotonic()
            if time.monotonic() - self._since < _PATIENCE:
                return
            shown = self._show()
            self._end_wait(shown)
            if what in self._tasks:
                shown.update(self._tasks[what], completed=done, total=total)
            else:
                self._tasks[what] = shown.add_task(what, completed=done, total=total)

    def wait(self, seconds: float, why: str) -> None:
        """Count down."""
        with self._lock:
            shown = self._show()
            self._end_wait(shown)
            self._waiting = shown.add_task(why, total=None, until=time.monotonic() + seconds)

    def rest(self) -> None:
        """Leave the screen to others until the next step."""
        with self._lock:
            if self._shown is not None:
                self._shown.stop()
            self._since = self._shown = self._waiting = None
            self._tasks.clear()

    def _show(self) -> Progress:
        if self._shown is None:
            # the standard error of now: the one that masks secrets, which it finds only in lines that are not broken
            console = Console(file=sys.stderr, soft_wrap=True, markup=False, emoji=False, highlight=False)
            columns = (SpinnerColumn(), _What(), BarColumn(), _Left())
            self._shown = Progress(*columns, console=console, transient=True, redirect_stdout=False)
            self._shown.start()
        return self._shown

    def _end_wait(self, shown: Progress) -> None:
        if self._waiting is not None:
            shown.remove_task(self._waiting)
            self._waiting = None


class _What(ProgressColumn):
    """What is done; or how many seconds a wait still takes, and why: where the line is too long, the reason is cut."""

    def __init__(self) -> None:
        super().__init__(Column(no_wrap=True))

    def render(self, task: Task) -> Text:
        until = task.fields.get("until")
        if until is None:
            return Text(safe(task.description))
        return Text(f"waiting {max(0.0, until - time.monotonic()):.0f} s: {safe(task.description)}")


class _Left(ProgressColumn):
    """How many of how many are done."""

    def render(self, task: Task) -> Text:
        return Text("" if task.total is None else f"{task.completed:.0f} of {task.total:.0f}")

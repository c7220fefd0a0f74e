"""A person at a terminal, who is asked and answers."""

from __future__ import annotations

import os
import pty
import subprocess
from contextlib import ExitStack
from typing import TYPE_CHECKING

from tests.e2e.project import TIMEOUT, Ended, command

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.project import Project


def _read(terminal: int) -> Iterator[str]:
    """What the terminal shows, until the last process has left it."""
    while True:
        try:
            shown = os.read(terminal, 4096)
        except OSError:  # Linux tells the end so
            return
        if not shown:
            return
        yield shown.decode()


def answering(project: Project, *arguments: str, answer: bytes, question: str = "Apply this plan?") -> Ended:
    """Runs the command with a person at the terminal, who answers as soon as the question stands there."""
    terminal, theirs = pty.openpty()
    with ExitStack() as stack:
        stack.callback(os.close, terminal)
        try:
            running = subprocess.Popen(
                [*command(), *arguments],
                cwd=project.folder,
                env=project.environment({"TERM": "dumb"}),
                stdin=theirs,
                stdout=subprocess.PIPE,
                stderr=theirs,
                text=True,
                start_new_session=True,
            )
        finally:
            os.close(theirs)
        stack.callback(running.kill)
        shown, asked = "", False
        for part in _read(terminal):
            shown += part
            if question in shown and not asked:
                asked = True
                os.write(terminal, answer)
        assert running.stdout is not None
        out = running.stdout.read()
        running.stdout.close()
        ended = Ended(code=running.wait(timeout=TIMEOUT), out=out, err=shown.replace("\r\n", "\n"))
    project.scan({"standard output": ended.out.encode(), "the terminal": ended.err.encode()})
    return ended

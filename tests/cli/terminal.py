"""A pseudo-terminal, and what a person sees on it."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import pty
import re
import subprocess
import threading
from typing import TYPE_CHECKING

from tests.e2e.project import TIMEOUT, command
from tooken_ci.base.redact import RedactingStream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tests.e2e.project import Project

XTERM = {"TERM": "xterm", "COLUMNS": "80", "LINES": "24"}
_PART = re.compile(r"\x1b\[(?P<count>\d*)(?P<code>[A-Zl-m])|\x1b\[\?25[lh]|(?P<move>[\r\n])|(?P<text>[^\x1b\r\n]+)")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Watched:
    """How a command ended that a person watched.

    Attributes:
        code: its exit code.
        out: its standard output, which was no terminal.
        shown: all that ever went to the terminal.
    """

    code: int
    out: str
    shown: str


def read(terminal: int) -> Iterator[str]:
    """What goes to the terminal, until the last process has left it."""
    pending = b""
    while True:
        try:
            part = os.read(terminal, 4096)
        except OSError:  # Linux tells the end so
            return
        if not part:
            return
        whole = (pending + part).decode(errors="ignore")
        pending = (pending + part)[len(whole.encode()) :]
        yield whole


class Hands:
    """The clock of a module, moved by hand; each look at it may wait for something."""

    def __init__(self) -> None:
        self.at = 100.0
        self.looked: Callable[[], object] = lambda: None

    def monotonic(self) -> float:
        self.looked()
        return self.at


class Terminal:
    """A terminal that this process writes to for a while.

    Attributes:
        shown: all that went to it, once nobody watches any more.
    """

    shown = ""

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """Makes it standard error, which masks secrets as the program's does."""
        terminal, theirs = pty.openpty()
        parts: list[str] = []
        reader = threading.Thread(target=lambda: parts.extend(read(terminal)))
        reader.start()
        try:
            with os.fdopen(theirs, "w", encoding="utf-8") as stream:
                masking = RedactingStream(stream)
                with contextlib.redirect_stderr(masking):
                    yield
                masking.finish()
        finally:
            reader.join(timeout=TIMEOUT)
            os.close(terminal)
            self.shown = "".join(parts)


def at_terminal(
    project: Project,
    *arguments: str,
    env: Mapping[str, str] | None = None,
    at: str = "",
    then: Callable[[subprocess.Popen[str]], None] | None = None,
) -> Watched:
    """Runs the command at a terminal; as soon as a text stands there, something is done to it."""
    terminal, theirs = pty.openpty()
    with contextlib.ExitStack() as stack:
        stack.callback(os.close, terminal)
        running = stack.enter_context(
            subprocess.Popen(
                [*command(), *arguments],
                cwd=project.folder,
                env=project.environment({**XTERM, **(env or {})}),
                stdin=theirs,
                stdout=subprocess.PIPE,
                stderr=theirs,
                text=True,
                start_new_session=True,
            )
        )
        stack.callback(running.kill)
        os.close(theirs)
        shown = ""
        for part in read(terminal):
            shown += part
            if then is not None and at in shown:
                then(running)
                then = None
        out, _ = running.communicate(timeout=TIMEOUT)
    project.scan({"standard output": out.encode(), "the terminal": shown.replace("\r\n", "").encode()})
    assert "Traceback" not in shown
    return Watched(code=running.returncode, out=out, shown=shown)


def screen(shown: str) -> list[str]:
    """The lines that are left on a screen after all that was written to it, without the empty ones."""
    lines, row, column = [""], 0, 0
    assert _PART.sub("", shown) == "", "the terminal was sent what is not understood here"
    for part in _PART.finditer(shown):
        if part["text"]:
            line = lines[row].ljust(column)
            lines[row] = line[:column] + part["text"] + line[column + len(part["text"]) :]
            column += len(part["text"])
        elif part["move"] == "\n":
            row += 1
            lines += [""] * (row + 1 - len(lines))
        elif part["move"]:
            column = 0
        elif part["code"] == "A":
            row = max(0, row - int(part["count"] or 1))
        elif part["code"] == "K":
            lines[row] = ""
    return [line.rstrip() for line in lines if line.strip()]

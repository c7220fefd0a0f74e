"""Runs a program of the user's: bounded in time and in output, and nothing of it is left when it is over."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
import selectors
import signal
import subprocess
import time
from typing import IO, TYPE_CHECKING

from tooken_ci.base.children import RunOverError, children
from tooken_ci.base.redact import MASK, redactor
from tooken_ci.base.text import safe

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LARGEST = 65_536
"""Bytes of each output that are kept; what comes after them is read, so that the program goes on, and dropped."""

_SLICE = 0.05
"""Seconds between two looks at whether the program has ended, while somebody else may hold its output open."""

_GRACE = 1.0
"""Seconds that a program gets to tidy up, once its time is over, before it is killed."""

_WORD = re.compile(r"[A-Za-z0-9_+=~-]{20,}")
"""What could be a secret that this process never saw, perhaps encoded: an older one, which the program has read."""


class NotStartedError(Exception):
    """The program could not be started, so it did nothing; the text says why."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Ended:
    """How a program ended. What it printed may hold secrets, so it shows in no ``repr``.

    Attributes:
        code: its exit code; negative = the signal that ended it; None = its time was over.
        out: its standard output, up to one byte more than ``LARGEST``.
        err: its standard error, likewise.
    """

    code: int | None
    out: bytes = dataclasses.field(repr=False)
    err: bytes = dataclasses.field(repr=False)

    @property
    def how(self) -> str:
        """How it failed, for people: the exit code, and the first line of its standard error, masked and harmless."""
        if self.code is None:
            told = "took too long and was stopped"
        elif self.code < 0:
            told = f"was ended by {_signal_name(-self.code)}"
        else:
            told = f"ended with exit code {self.code}"
        text = redactor.clean(self.err.decode(errors="replace"))
        said = next((line.strip() for line in text.splitlines() if line.strip()), "")
        return f"{told}: {safe(_WORD.sub(_masked, said)).rstrip('.')}" if said else told


def run(command: Sequence[str], *, given: bytes | None, environment: Mapping[str, str], seconds: float) -> Ended:
    """Run a program in a session of its own, and wait for it, though not for what it leaves running: that is killed.

    Args:
        command: the program and its arguments; no shell reads them.
        given: its standard input; a program that does not read all of it does no harm. None = none at all.
        environment: all that it gets.
        seconds: how long it may take.

    Raises:
        NotStartedError: there is no such program, or it may not be executed, or the run is over.
    """
    until = time.monotonic() + seconds
    process = _start(command, environment, subprocess.DEVNULL if given is None else subprocess.PIPE)
    pipes = [pipe for pipe in (process.stdin, process.stdout, process.stderr) if pipe is not None]
    try:
        out, err = _exchange(process, given or b"", until)
        if not _ends(process, until - time.monotonic()):
            _signal_all(process, signal.SIGTERM)
            _ends(process, _GRACE)
            return Ended(code=None, out=out, err=err)
        return Ended(code=process.returncode, out=out, err=err)
    finally:
        _signal_all(process, signal.SIGKILL)
        children.ended(process)
        for pipe in pipes:
            pipe.close()
        _ends(process, _GRACE)


def _start(command: Sequence[str], environment: Mapping[str, str], stdin: int) -> subprocess.Popen[bytes]:
    def begin() -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603  # nosec B603  # what the spec names is to run, without a shell
            command,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            bufsize=0,
            start_new_session=True,
        )

    try:
        return children.start(begin)
    except RunOverError as error:
        raise NotStartedError(str(error)) from None
    except OSError as error:
        raise NotStartedError((error.strerror or type(error).__name__).lower()) from None
    except ValueError:
        raise NotStartedError("an argument or a variable has a character that none can have") from None


def _exchange(process: subprocess.Popen[bytes], given: bytes, until: float) -> tuple[bytes, bytes]:
    """Give the program its input and take its output, side by side, until it has ended, closed both, or time is over.

    A process that it left behind may hold the output open for ever; so what counts is that the program has ended.
    """
    out, err = bytearray(), bytearray()
    with selectors.DefaultSelector() as waiting:
        for pipe, kept in ((process.stdout, out), (process.stderr, err)):
            if pipe is not None:
                os.set_blocking(pipe.fileno(), False)
                waiting.register(pipe, selectors.EVENT_READ, kept)
        if process.stdin is not None:
            os.set_blocking(process.stdin.fileno(), False)
            waiting.register(process.stdin, selectors.EVENT_WRITE, bytearray(given))
        while waiting.get_map():
            ended = process.poll() is not None  # asked before the last reading: then all it printed is in the pipes
            left = until - time.monotonic()
            if left <= 0 and not ended:
                break
            for key, _ in waiting.select(0 if ended else min(left, _SLICE)):
                _move(waiting, key)
            if ended:
                break
    return bytes(out), bytes(err)


def _move(waiting: selectors.BaseSelector, key: selectors.SelectorKey) -> None:
    """Move what one pipe is ready for, and let go of it once that was the last."""
    pipe: IO[bytes] = key.fileobj  # type: ignore[assignment]  # a file is what was registered
    buffer: bytearray = key.data
    if key.events == selectors.EVENT_READ:
        data = os.read(key.fd, LARGEST)
        buffer += data[: LARGEST + 1 - len(buffer)]
        more = bool(data)
    else:
        try:
            del buffer[: os.write(key.fd, buffer)]
        except BrokenPipeError:  # it closed its standard input, and has a right to
            buffer.clear()
        more = bool(buffer)
    if not more:
        waiting.unregister(pipe)
        pipe.close()


def _ends(process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Whether the program ends within some seconds; without a wait where they are over already."""
    try:
        process.wait(max(seconds, 0))
    except subprocess.TimeoutExpired:
        return False
    return True


def _signal_all(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Signal the program and whatever it started, as far as that stayed in its session's first group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):  # the latter where all that is left are zombies
        os.killpg(process.pid, number)


def _masked(word: re.Match[str]) -> str:
    """A long word, masked where it has digits or upper and lower case: those of people seldom have."""
    text = word[0]
    mixed = text not in {text.lower(), text.upper()} or any(char.isdigit() for char in text)
    return MASK if mixed else text


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"

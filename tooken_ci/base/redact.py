"""The one redactor: no output of the process shows a secret that it was told of, in any of the usual encodings.

Secrets enter it when they come to exist (``Secret`` sees to that). Everything that is written to standard output or
standard error passes a ``RedactingStream``; files other than destinations are written through ``redactor.clean``.
A stream holds back only the longest tail that could be the beginning of a secret, and never releases it by time.
"""

from __future__ import annotations

import contextlib
import io
import re
import threading
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MASK = "***"
"""What stands where a secret stood; of fixed length, so that it tells nothing of the secret's."""

MINIMUM = 8
"""Shorter values are not masked: they would eat ports, ids and words."""


def forms(value: str) -> set[str]:
    """The secret in raw, base64, URL-quoted, JSON-escaped and shell-quoted form, and each long line of it."""
    # Only here, because `tooken-ci --version` has no secret to mask.
    import base64
    import json
    import shlex
    import urllib.parse

    raw = value.encode()
    found = {
        value,
        base64.b64encode(raw).decode(),
        base64.b64encode(raw).decode().rstrip("="),
        base64.urlsafe_b64encode(raw).decode(),
        base64.urlsafe_b64encode(raw).decode().rstrip("="),
        urllib.parse.quote(value, safe=""),
        urllib.parse.quote(value),
        urllib.parse.quote_plus(value),
        json.dumps(value)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
        shlex.quote(value),
    }
    found.update(line for line in value.splitlines() if len(line) >= MINIMUM)
    return found


class Redactor:
    """Knows every form of every secret of the process. Thread-safe.

    Forms are found by their heads, their first 8 characters, so that neither a new secret nor a line of output costs
    more for the thousand secrets that are known already: most of them begin alike.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_head: dict[str, tuple[str, ...]] = {}
        self._like_a_head: re.Pattern[str] | None = None
        self._beginnings: set[str] = set()
        self._longest = 0

    def add(self, value: str) -> None:
        """Make a secret known; from now on no form of it passes."""
        with self._lock:
            heads = len(self._by_head)
            for form in forms(value):
                head = form[:MINIMUM]
                found = {*self._by_head.get(head, ()), form}
                # longest first: a form that contains another must be masked as a whole
                self._by_head[head] = tuple(sorted(found, key=lambda form: (-len(form), form)))
                self._beginnings.update(form[:length] for length in range(1, MINIMUM))
                self._longest = max(self._longest, len(form))
            if len(self._by_head) > heads:
                self._like_a_head = _like_any(self._by_head)

    def clean(self, text: str) -> str:
        """The text with every form of every known secret masked."""
        parts = []
        shown = 0
        for start, end in self._matches(text):
            parts += [text[shown:start], MASK]
            shown = end
        return "".join([*parts, text[shown:]]) if parts else text

    def split(self, text: str) -> tuple[str, str]:
        """The part of the text that can be shown, masked, and the tail that may be the beginning of a secret."""
        keep = self._tail_start(text, 0)
        for start, end in self._matches(text):
            if start < keep < end:
                # a whole secret lies across the cut: it is masked now, what follows it is judged anew
                keep = self._tail_start(text, end)
        return self.clean(text[:keep]), text[keep:]

    def _matches(self, text: str) -> Iterator[tuple[int, int]]:
        """Where forms stand in the text: the leftmost first, of one place the longest, none overlapping."""
        at = 0
        while self._like_a_head is not None and (like := self._like_a_head.search(text, at)) is not None:
            at = like.start()
            for form in self._by_head.get(like[0], ()):
                if text.startswith(form, at):
                    yield at, at + len(form)
                    at += len(form)
                    break
            else:
                at += 1

    def _tail_start(self, text: str, least: int) -> int:
        """Where the longest tail begins, not before ``least``, that is the beginning, but not the whole, of a form."""
        for start in range(max(least, len(text) - self._longest + 1), len(text)):
            tail = text[start:]
            if len(tail) < MINIMUM:
                if tail in self._beginnings:
                    return start
            elif any(len(form) > len(tail) and form.startswith(tail) for form in self._by_head.get(tail[:MINIMUM], ())):
                return start
        return len(text)


def _like_any(heads: Iterable[str]) -> re.Pattern[str]:
    """What has at each place a character that one of the heads has there; most of a text is ruled out by it at once."""
    places = (sorted(set(characters)) for characters in zip(*heads, strict=True))
    return re.compile("".join(f"[{''.join(map(re.escape, characters))}]" for characters in places))


redactor = Redactor()
"""The process's redactor: a leak is a leak of the process, so there is exactly one."""


class RedactingStream(io.TextIOBase):
    """A text stream that masks what it passes on, also where a secret is split over several writes."""

    def __init__(self, stream: TextIO, cleaner: Redactor = redactor, *, lossy: bool = False) -> None:
        """Wrap a stream.

        Args:
            stream: the one below.
            cleaner: knows the secrets.
            lossy: what cannot be written is lost, and no error; ``finish`` and ``tell_runner`` fail all the same.
        """
        super().__init__()
        self._loss = contextlib.suppress(OSError) if lossy else contextlib.nullcontext()
        self._stream = stream
        self._redactor = cleaner
        self._held = ""
        self._lock = threading.RLock()

    def write(self, text: str) -> int:
        """Take the text; what may be the beginning of a secret waits for what follows."""
        with self._lock:
            shown, self._held = self._redactor.split(self._held + text)
            if shown:
                with self._loss:
                    self._stream.write(shown)
        return len(text)

    def flush(self) -> None:
        """Flush what was passed on; what is held back stays held back."""
        with self._lock, self._loss:
            self._stream.flush()

    def tell_runner(self, line: str) -> None:
        """Pass a line by the redactor: the one audited way, for the command that has the CI runner mask a secret.

        It stands in a line of its own, whatever was written before, since the runner heeds nothing else.
        """
        with self._lock:
            self._stream.write(f"\n{line}\n")
            self._stream.flush()

    def finish(self) -> None:
        """Release the tail, now that nothing can follow it, and flush; the stream below stays open."""
        with self._lock:
            self._stream.write(self._redactor.clean(self._held))
            self._held = ""
            self._stream.flush()

    def isatty(self) -> bool:
        """Whether a person reads along."""
        return self._stream.isatty()

    def writable(self) -> bool:
        """It is a stream to write to."""
        return True

    def fileno(self) -> int:
        """Not given: whoever wrote to the file below would pass the redactor by.

        Raises:
            io.UnsupportedOperation: always.
        """
        raise io.UnsupportedOperation("fileno")

    @property
    def encoding(self) -> str:  # type: ignore[override]  # typeshed has a plain attribute
        """The encoding of the stream below."""
        return self._stream.encoding

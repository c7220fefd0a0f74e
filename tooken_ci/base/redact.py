"""The one redactor: no output of the process shows a secret that it was told of, in any of the usual encodings.

Secrets enter it when they come to exist (``Secret`` sees to that). Everything that is written to standard output or
standard error passes a ``RedactingStream``; files other than destinations are written through ``redactor.clean``.
A stream holds back only the longest tail that could be the beginning of a secret, and never releases it by time.
"""

from __future__ import annotations

import base64
import io
import json
import re
import shlex
import threading
import urllib.parse
from typing import TextIO

MASK = "***"
"""What stands where a secret stood; of fixed length, so that it tells nothing of the secret's."""

MINIMUM = 8
"""Shorter values are not masked: they would eat ports, ids and words."""


def forms(value: str) -> set[str]:
    """The secret in raw, base64, URL-quoted, JSON-escaped and shell-quoted form, and each long line of it."""
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
    """Knows every form of every secret of the process. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._forms: frozenset[str] = frozenset()
        self._pattern: re.Pattern[str] | None = None

    def add(self, value: str) -> None:
        """Make a secret known; from now on no form of it passes."""
        with self._lock:
            new = forms(value) - self._forms
            if new:
                self._forms |= new
                # longest first: a form that contains another must be masked as a whole
                longest_first = sorted(self._forms, key=lambda form: (-len(form), form))
                self._pattern = re.compile("|".join(map(re.escape, longest_first)))

    def clean(self, text: str) -> str:
        """The text with every form of every known secret masked."""
        return self._pattern.sub(MASK, text) if self._pattern else text

    def split(self, text: str) -> tuple[str, str]:
        """The part of the text that can be shown, masked, and the tail that may be the beginning of a secret."""
        pattern, known = self._pattern, self._forms
        if pattern is None:
            return text, ""
        keep = _tail_start(text, known)
        for match in pattern.finditer(text):
            if match.start() < keep < match.end():
                # a whole secret lies across the cut: it is masked now, what follows it is judged anew
                keep = match.end() + _tail_start(text[match.end() :], known)
        return pattern.sub(MASK, text[:keep]), text[keep:]


def _tail_start(text: str, known: frozenset[str]) -> int:
    """Where the longest tail of the text begins that is the beginning, but not the whole, of a form."""
    longest = max(map(len, known), default=0)
    firsts = {form[0] for form in known}
    for start in range(max(0, len(text) - longest + 1), len(text)):
        if text[start] in firsts:
            tail = text[start:]
            if any(len(form) > len(tail) and form.startswith(tail) for form in known):
                return start
    return len(text)


redactor = Redactor()
"""The process's redactor: a leak is a leak of the process, so there is exactly one."""


class RedactingStream(io.TextIOBase):
    """A text stream that masks what it passes on, also where a secret is split over several writes."""

    def __init__(self, stream: TextIO, cleaner: Redactor = redactor) -> None:
        super().__init__()
        self._stream = stream
        self._redactor = cleaner
        self._held = ""
        self._lock = threading.RLock()

    def write(self, text: str) -> int:
        """Take the text; what may be the beginning of a secret waits for what follows."""
        with self._lock:
            shown, self._held = self._redactor.split(self._held + text)
            if shown:
                self._stream.write(shown)
        return len(text)

    def flush(self) -> None:
        """Flush what was passed on; what is held back stays held back."""
        with self._lock:
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

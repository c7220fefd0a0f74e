"""What was really passed on to standard output or standard error, for the search at the end of the run."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, TextIO

from tooken_ci.base.redact import redactor

if TYPE_CHECKING:
    from tooken_ci.base.leaks import Search

KEPT = 1_048_576
"""Characters of a stream that are kept for the search; what is older was searched for what was known by then."""


class Heard(io.TextIOBase):
    """A stream that passes on what is written to it, and remembers it for the search.

    It stands below the redactor. What it remembers is bounded: what is older is searched before it is forgotten.
    """

    def __init__(self, name: str, stream: TextIO) -> None:
        """Listen to a stream.

        Args:
            name: how a finding calls it.
            stream: the one below.
        """
        super().__init__()
        self.name = name
        self._stream = stream
        self._texts: list[str] = []
        self._size = 0
        self._found = False

    def write(self, text: str) -> int:
        """Remember the text and pass it on."""
        self._texts.append(text)
        self._size += len(text)
        if self._size > KEPT:
            self._forget()
        self._stream.write(text)
        return len(text)

    def shows_a_secret(self, search: Search) -> bool:
        """Whether anything that was passed on does."""
        return self._found or search.finds("".join(self._texts))

    def _forget(self) -> None:
        # Only here: hardly any run prints so much.
        from tooken_ci.base.leaks import Search

        text = "".join(self._texts)
        search = Search(redactor.every_form())
        self._found = self._found or search.finds(text)
        tail = text[-search.longest :] if search.longest else ""  # may be the beginning of what comes next
        self._texts, self._size = [tail], 0

    def flush(self) -> None:
        """Flush the stream below."""
        self._stream.flush()

    def isatty(self) -> bool:
        """Whether a person reads along."""
        return self._stream.isatty()

    def writable(self) -> bool:
        """It is a stream to write to."""
        return True

    @property
    def encoding(self) -> str:  # type: ignore[override]  # typeshed has a plain attribute
        """The encoding of the stream below."""
        return self._stream.encoding

"""The search at the end of a run: does anything that it wrote show a secret?

It trusts nothing that the redactor did: it looks in another way for every form of every secret of ours, as it is and
escaped once more, in what was really passed on to standard output and standard error, in the files as they stand, and
in what was sent for people to read.
"""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

from tooken_ci.base.forms import SHORTEST, undone
from tooken_ci.base.redact import redactor

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from pathlib import Path

    from tooken_ci.base.heard import Heard

_STEP = 4

_PART = 1_048_576
"""Bytes of a file that are searched at a time."""


class Search:
    """A search for some forms of secrets.

    Every fourth place of a text is looked at, for what stands around the middle of some form: wherever a form stands,
    one of four neighbouring pieces of it begins at such a place.
    """

    def __init__(self, wanted: Collection[str]) -> None:
        self.longest = max(map(len, wanted), default=0)
        self._step = min(_STEP, min(map(len, wanted), default=_STEP + SHORTEST) - SHORTEST + 1)
        self._pieces: dict[str, str] = {}
        self._others: dict[str, list[str]] = {}  # forms that share a piece with one that is known already
        for form in wanted:
            for at in self._middle(form):
                piece = form[at : at + SHORTEST]
                if self._pieces.setdefault(piece, form) is not form:
                    self._others.setdefault(piece, []).append(form)

    def finds(self, text: str) -> bool:
        """Whether the text shows a secret, be it escaped once more with what stands around it."""
        bare = undone(text)
        return self._finds(text) or (bare != text and self._finds(bare))

    def _finds(self, text: str) -> bool:
        pieces = self._pieces
        places = range(0, len(text) - SHORTEST + 1, self._step)
        return any(self._stands(text, at) for at in [at for at in places if text[at : at + SHORTEST] in pieces])

    def _middle(self, form: str) -> range:
        """Where its pieces begin."""
        middle = (len(form) - SHORTEST - self._step + 1) // 2
        return range(middle, middle + self._step)

    def _stands(self, text: str, at: int) -> bool:
        """Whether a form stands around a piece."""
        piece = text[at : at + SHORTEST]
        return any(
            at >= before and text.startswith(form, at - before)
            for form in (self._pieces[piece], *self._others.get(piece, ()))
            for before in self._middle(form)
        )


class Written:
    """The files that the run wrote, each from where it began to, and what of that a destination was to receive.

    Beside them, texts that it sent elsewhere for people to read, such as a comment.

    Attributes:
        unsearched: the files that could not be read when they were searched.
    """

    def __init__(self) -> None:
        self._from: dict[Path, int] = {}
        self._delivered: dict[Path, list[str]] = {}
        self._sent: list[tuple[str, str]] = []
        self.unsearched: list[str] = []

    def note(self, path: Path, start: int = 0) -> None:
        """From there on the file is this run's; it is searched at the end."""
        self._from.setdefault(path.absolute(), start)

    def exempt(self, path: Path, text: str) -> None:
        """Exactly this text in it was to stand there: a destination is to have the secret in it."""
        self._delivered.setdefault(path.absolute(), []).append(text)

    def sent(self, name: str, text: str) -> None:
        """A text was sent for people to read; it is searched at the end under its name."""
        self._sent.append((name, text))

    def with_secrets(self, search: Search) -> Iterator[str]:
        """The files, and the texts that were sent, that show a secret where they should not."""
        for path, start in self._from.items():
            if any(map(search.finds, self._parts(path, start, search.longest))):
                yield str(path)
        yield from dict.fromkeys(name for name, text in self._sent if search.finds(text))

    def _parts(self, path: Path, start: int, overlap: int) -> Iterator[str]:
        """What is to be searched, in parts that share so many characters; what is gone meanwhile shows nothing."""
        delivered = self._delivered.get(path, [])
        size = -1 if delivered else _PART
        decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")  # a part may end within a character
        try:
            if not path.is_file():
                return
            with path.open("rb") as file:
                file.seek(start)
                before, data = "", b"-"
                while data:
                    data = file.read(size)
                    text = before + decoder.decode(data, final=not data)
                    for piece in delivered:
                        text = text.replace(piece, "\n", 1)
                    yield text
                    before = text[-overlap:] if overlap else ""
        except FileNotFoundError:
            return
        except OSError:
            self.unsearched.append(str(path))


written = Written()
"""The process's files; see ``base.files``, which fills it."""


def findings(streams: Iterable[Heard]) -> list[str]:
    """Names each stream, file and sent text that shows a secret; never the secret."""
    wanted = redactor.every_form()
    if not wanted:
        return []
    search = Search(wanted)
    return [
        *(stream.name for stream in streams if stream.shows_a_secret(search)),
        *written.with_secrets(search),
    ]

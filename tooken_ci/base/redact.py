"""The one redactor: no output of the process shows a secret that it was told of, in any of its forms.

Secrets enter it when they come to exist (``Secret`` sees to that). Texts from outside are masked before anything of
them is escaped (``base.text``), and everything that is written passes it once more: what goes to standard output or
standard error by a ``RedactingStream``, files other than destinations by ``base.files``. There it knows what is ours
alone: a value that merely stood in a store may be spelt like anything, also like the words around it. A stream
holds back only the longest tail that could be the beginning of a secret, and never releases it by time.
"""

from __future__ import annotations

import bisect
import contextlib
import io
import re
import threading
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from collections.abc import Set as AbstractSet

MASK = "***"
"""What stands where a secret stood; of fixed length, so that it tells nothing of the secret's."""

MINIMUM = 8
"""Shorter values are not masked: they would eat ports, ids and words."""


_SHORT = 4000
"""Characters of a text up to which a look at each place costs less than the pattern that rules out most of them."""


class _Alike:
    """All forms that begin with the same 8 characters. Most secrets of one maker do, so none is looked at one by one.

    Attributes:
        forms: in alphabetical order, so that those with one beginning stand together.
        lengths: the different ones, the longest first.
    """

    __slots__ = ("forms", "lengths")

    def __init__(self) -> None:
        self.forms: list[str] = []
        self.lengths: list[int] = []

    def add(self, form: str) -> None:
        """Add a new one."""
        bisect.insort(self.forms, form)
        if len(form) not in self.lengths:
            bisect.insort(self.lengths, len(form), key=lambda length: -length)

    def may_begin(self, tail: str) -> bool:
        """Whether the text is the beginning, but not the whole, of a form."""
        at = bisect.bisect_right(self.forms, tail)
        return at < len(self.forms) and self.forms[at].startswith(tail)


class Redactor:
    """Knows every form of every secret of the process. Thread-safe.

    Forms are found by their heads, their first 8 characters, so that neither a new secret nor a line of output costs
    more for the thousand secrets that are known already.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._values: set[str] = set()
        self._compared: set[str] = set()
        self._read: set[str] = set()
        self._forms: set[str] = set()
        self._ours: set[str] = set()
        self._by_head: dict[str, _Alike] = {}
        self._beginnings: set[str] = set()
        self._pattern: re.Pattern[str] | None = None

    def add(self, value: str) -> None:
        """Make a secret known; from now on no form of it passes."""
        with self._lock:
            self._add(value)

    def add_compared(self, value: str) -> None:
        """Make known a secret that stands at a destination, and that this process looks at and hands to nobody.

        Nothing can write it but this program, where the same text came to it in another way, such as a name in the
        spec: so the forms in which it writes texts are enough.
        """
        from tooken_ci.base.forms import forms_as_written

        with self._lock:
            if value in self._read:
                self._add(value)
            elif len(value) >= MINIMUM and value not in self._values and value not in self._compared:
                self._compared.add(value)
                self._learn(forms_as_written(value), ours=True)

    def add_read(self, value: str) -> None:
        """Make known a value that was read from a store, until ``add`` or ``add_compared`` says that it is ours.

        Whoever writes there chooses it. So it is masked where a text from outside shows it, and not in what is finished
        (``finished``), or it could cut a piece out of what is not text but syntax; nor does the leak check look for it.
        """
        from tooken_ci.base.forms import forms

        with self._lock:
            known = value in self._values or value in self._read
            if len(value) >= MINIMUM and not known:
                self._read.add(value)
                self._learn(forms(value), ours=value in self._compared)

    def _add(self, value: str) -> None:
        # Only here, because `tooken-ci --version` has no secret to mask.
        from tooken_ci.base.forms import forms

        if value not in self._values:
            self._values.add(value)
            self._learn(forms(value), ours=True)

    def _learn(self, made: frozenset[str], *, ours: bool) -> None:
        if ours:
            self._ours |= made
        for form in made - self._forms:
            self._forms.add(form)
            head = form[:MINIMUM]
            alike = self._by_head.get(head) or _Alike()
            alike.add(form)
            if head not in self._by_head:  # other threads look for it from here on
                self._beginnings.update(head[:length] for length in range(1, MINIMUM))
                self._by_head[head] = alike
                self._pattern = None

    @property
    def knows_any(self) -> bool:
        """Whether there is a secret of ours."""
        return bool(self._ours)

    def every_form(self) -> set[str]:
        """Every form of every secret of ours, for the search at the end of the run, which trusts nothing else here."""
        with self._lock:
            return self._ours.copy()

    def clean(self, text: str) -> str:
        """A text from outside with every form masked of all that is known; see ``base.text.masked``."""
        return self._judge(text, 0, self._forms, last=True)[0]

    def finished(self, text: str, covered: int = 0) -> str:
        """What is written as it is, masked: words of ours among which all that came from outside was masked before.

        Args:
            text: all of it, or what ``split`` kept, and nothing follows.
            covered: how much of its beginning belongs to a secret that was masked already.
        """
        return self._judge(text, covered, self._ours, last=True)[0]

    def split(self, text: str, covered: int = 0) -> tuple[str, str, int]:
        """Mask what can be judged as ``finished`` does, and keep the tail that may be the beginning of a secret.

        Args:
            text: what was kept of the text before, and what follows it.
            covered: how much of its beginning belongs to a secret that was masked already.

        Returns:
            What can be shown, the tail that is kept, and how much of that belongs to what is masked already.
        """
        return self._judge(text, covered, self._ours, last=False)

    def _judge(self, text: str, covered: int, among: AbstractSet[str], *, last: bool) -> tuple[str, str, int]:
        parts: list[str] = []
        shown = covered  # what stands before it has been shown or masked
        for at in self._like_a_head(text, last=last):
            if not last and self._may_go_on(text, at):
                parts.append(text[shown:at])
                return "".join(parts), text[at:], max(shown - at, 0)
            end = self._longest_at(text, at, among)
            if end > at:
                if at >= shown:  # else it overlaps the one before, and both are masked as one
                    parts += [text[shown:at], MASK]
                shown = max(shown, end)
        return "".join([*parts, text[shown:]]), "", 0

    def _like_a_head(self, text: str, *, last: bool) -> Iterator[int]:
        """Where a form may begin; near the end also those of which less than the head is there."""
        heads = self._by_head
        if heads:
            whole = len(text) - MINIMUM + 1
            if whole > _SHORT:
                yield from self._in_a_long_text(text)
            else:
                yield from [at for at in range(whole) if text[at : at + MINIMUM] in heads]
            if not last:
                yield from (at for at in range(max(whole, 0), len(text)) if text[at:] in self._beginnings)

    def _in_a_long_text(self, text: str) -> Iterator[int]:
        like = self._pattern
        if like is None:
            with self._lock:  # or a secret that another thread adds meanwhile would be missing in it for ever
                like = self._pattern = _like_any(tuple(self._by_head))
        found = like.search(text)
        while found is not None:
            if found[0] in self._by_head:
                yield found.start()
            found = like.search(text, found.start() + 1)

    def _may_go_on(self, text: str, at: int) -> bool:
        """Whether the text from there on is the beginning of a form whose end is still to come."""
        if len(text) - at < MINIMUM:
            return True
        alike = self._by_head[text[at : at + MINIMUM]]
        return len(text) - at < alike.lengths[0] and alike.may_begin(text[at:])

    def _longest_at(self, text: str, at: int, among: AbstractSet[str]) -> int:
        """Where the longest of these forms that begins there ends; there itself if none does."""
        for length in self._by_head[text[at : at + MINIMUM]].lengths:
            if at + length <= len(text) and text[at : at + length] in among:
                return at + length
        return at


def _like_any(heads: Sequence[str]) -> re.Pattern[str]:
    """What has at each place a character that one of the heads has there."""
    places = (sorted(set(characters)) for characters in zip(*heads, strict=True))
    return re.compile("".join(f"[{''.join(map(re.escape, characters))}]" for characters in places))


redactor = Redactor()
"""The process's redactor: a leak is a leak of the process, so there is exactly one."""


class RedactingStream(io.TextIOBase):
    """A text stream that masks what it passes on, also where a secret is split over several writes."""

    def __init__(
        self,
        stream: TextIO | io.TextIOBase,
        cleaner: Redactor = redactor,
        *,
        lossy: bool = False,
        runner: TextIO | None = None,
    ) -> None:
        """Wrap a stream.

        Args:
            stream: the one below.
            cleaner: knows the secrets.
            lossy: what cannot be written is lost, and no error; ``finish`` and ``tell_runner`` fail all the same.
            runner: where the CI runner reads; the one below where left out.
        """
        super().__init__()
        self._loss = contextlib.suppress(OSError) if lossy else contextlib.nullcontext()
        self._stream = stream
        self._runner = stream if runner is None else runner
        self._redactor = cleaner
        self._held = ""
        self._covered = 0
        self._lock = threading.RLock()

    def write(self, text: str) -> int:
        """Take the text; what may be the beginning of a secret waits for what follows."""
        with self._lock:
            shown, self._held, self._covered = self._redactor.split(self._held + text, self._covered)
            if shown:
                with self._loss:
                    self._stream.write(shown)
        return len(text)

    def flush(self) -> None:
        """Flush what was passed on; what is held back stays held back."""
        with self._lock, self._loss:
            self._stream.flush()

    def tell_runner(self, *lines: str) -> None:
        """Pass lines by the redactor: the one audited way, for the commands that have the CI runner mask a secret.

        They stand in lines of their own, whatever was written before, since the runner heeds nothing else.
        """
        with self._lock:
            self._runner.write("\n" + "".join(f"{line}\n" for line in lines))
            self._runner.flush()

    def finish(self) -> None:
        """Release the tail, now that nothing can follow it, and flush; the stream below stays open."""
        with self._lock:
            held, covered, self._held, self._covered = self._held, self._covered, "", 0
            self._stream.write(self._redactor.finished(held, covered))
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

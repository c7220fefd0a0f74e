"""Cuts a page to what there is room for: between sections and between rows, never inside of one."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence


@dataclasses.dataclass(frozen=True, kw_only=True)
class Section:
    """A part of a page that can be left out, or shown with the first of its rows only.

    Attributes:
        what: what its rows are, in the plural; of one that is shown whole or not at all, what it is.
        rank: how much it matters; 1 matters most.
        rows: each with its line end; they are made only as far as there is room.
        count: how many rows there are.
        head: what stands before the first row.
        tail: what stands after the last, and ends what the head began.
        whole: it is shown whole or not at all.
    """

    what: str
    rank: int
    rows: Iterable[str]
    count: int
    head: str = ""
    tail: str = "\n"
    whole: bool = False

    def left_out(self, left: int) -> str:
        """What is told of it where not all is shown."""
        return f"the {self.what}" if self.whole else f"{left} of {self.count} {self.what}"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Page:
    """What is to be shown.

    Attributes:
        top: always stands at the beginning.
        sections: in the order of the page.
        bottom: always stands at the end.
        where: where all of it can be found, as a sentence.
    """

    top: str
    sections: Sequence[Section]
    bottom: str
    where: str

    def note(self, left_out: Iterable[str]) -> str:
        """What is told of all that is left out."""
        return f"> [!NOTE]\n> Left out here for its size: {', '.join(left_out)}. {self.where}\n\n"


def in_bytes(text: str) -> int:
    """How long a text is in a file."""
    return len(text.encode("utf-8", "surrogateescape"))


def whole(page: Page) -> str:
    """The page with all that it has."""
    parts = ("".join((part.head, *part.rows, part.tail)) for part in page.sections if part.count)
    return "".join((page.top, *parts, page.bottom))


def fit(page: Page, limit: int, size: Callable[[str], int]) -> str:
    """The page, no larger than allowed; empty where not even its top and bottom find room.

    What is whole or not at all goes first, the least important before the others; then rows go. A section of many rows
    leaves half of what room there is to those that matter less, until all of them had their turn.

    Args:
        page: what is to be shown.
        limit: how large it may become.
        size: how large a text is.
    """
    parts = [_Part(section, size) for section in page.sections if section.count]
    note = page.note(part.section.left_out(part.section.count) for part in parts)
    room = limit - size(page.top) - size(page.bottom)
    if room < size(note):
        return page.top + page.bottom if room >= 0 else ""
    room -= size(note)
    by_rank = sorted(parts, key=lambda part: part.section.rank)
    for part in by_rank:
        room -= part.show(room // 2) if not part.section.whole else 0
    for part in by_rank:
        room -= part.show(room) if not part.section.whole else 0
    for part in by_rank:
        room -= part.show(room) if part.section.whole else 0
    left_out = [part.section.left_out(part.left) for part in parts if part.left]
    return "".join((page.top, page.note(left_out) if left_out else "", *(part.text() for part in parts), page.bottom))


class _Part:
    """As much of a section as is shown.

    Attributes:
        section: the section.
    """

    def __init__(self, section: Section, size: Callable[[str], int]) -> None:
        self.section = section
        self._size = size
        self._rows = iter(section.rows)
        self._next = next(self._rows, "")
        self._shown: list[str] = []

    @property
    def left(self) -> int:
        """How many rows are not shown."""
        return self.section.count - len(self._shown)

    def show(self, room: int) -> int:
        """Show further rows, as many as there is room for, and tell how much of it that takes."""
        section, rows = self.section, list[str]()
        used = 0 if self._shown else sum(map(self._size, (section.head, self._more(section.count), section.tail)))
        while self._next and used + (size := self._size(self._next)) <= room:
            used += size
            rows.append(self._next)
            self._next = next(self._rows, "")
        if not rows or (section.whole and self._next):
            return 0
        self._shown += rows
        return used

    def text(self) -> str:
        """What is shown of it."""
        if not self._shown:
            return ""
        more = self._more(self.left) if self.left else ""
        return "".join((self.section.head, *self._shown, more, self.section.tail))

    def _more(self, left: int) -> str:
        """A line of its own: no table goes on in it."""
        return "" if self.section.whole else f"\nAnd {left} more.\n"

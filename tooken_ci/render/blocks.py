"""The pieces that a page in Markdown is built of: tables, lists, and what is folded away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tooken_ci.render.fit import Section

if TYPE_CHECKING:
    from collections.abc import Iterable


def table(
    what: str, head: tuple[str, ...], rows: Iterable[tuple[str, ...]], *, count: int, rank: int, title: str, fold: bool
) -> Section:
    """A table with a title, which is all that is seen of it where it is folded away.

    Args:
        what: what its rows are, in the plural.
        head: the names of its columns: few, since a telephone shows three side by side.
        rows: their cells, each made safe.
        count: how many there are.
        rank: how much the table matters.
        title: ours, or made safe; a table that is not folded may do without.
        fold: show the title alone until it is asked for.
    """
    begin, end = _frame(title, fold=fold)
    head_row = f"| {' | '.join(head)} |\n|{' --- |' * len(head)}\n"
    lines = (f"| {' | '.join(row)} |\n" for row in rows)
    return Section(what=what, rank=rank, rows=lines, count=count, head=begin + head_row, tail=end)


def bullets(
    what: str, rows: Iterable[str], *, count: int, rank: int, title: str, fold: bool = False, whole: bool = False
) -> Section:
    """A list with a title; the arguments are those of ``table``."""
    begin, end = _frame(title, fold=fold)
    lines = (f"- {row}\n" for row in rows)
    return Section(what=what, rank=rank, rows=lines, count=count, head=begin, tail=end, whole=whole)


def alert(kind: str, what: str, rows: Iterable[str], *, count: int, rank: int) -> Section:
    """A coloured box, of which a Markdown that does not know it makes a quotation.

    Args:
        kind: ``CAUTION`` or ``WARNING``.
        what: what its rows are, in the plural.
        rows: each made safe, and a line of the box.
        count: how many there are.
        rank: how much the box matters.
    """
    lines = (f"> {row}\n" for row in rows)
    return Section(what=what, rank=rank, rows=lines, count=count, head=f"> [!{kind}]\n", tail="\n")


def diagram(what: str, text: str, *, rank: int, title: str, legend: str, fold: bool) -> Section:
    """A diagram in Mermaid's language, with a line below it that says how to read it."""
    begin, end = _frame(title, fold=fold)
    fenced = f"```mermaid\n{text}```\n\n<sub>{legend}</sub>\n"
    return Section(what=what, rank=rank, rows=[fenced], count=1 if text else 0, head=begin, tail=end, whole=True)


def _frame(title: str, *, fold: bool) -> tuple[str, str]:
    if fold:
        return f"<details><summary>{title}</summary>\n\n", "\n</details>\n\n"
    return f"### {title}\n\n" if title else "", "\n"

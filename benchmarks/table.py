"""What a measurement gives: a table, and a verdict for each target."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclasses.dataclass(frozen=True, kw_only=True)
class Verdict:
    """A target and what was measured.

    Attributes:
        what: what the target is about.
        target: the target in words.
        measured: the figure as it is shown.
        value: the figure.
        bound: the most that it may be, or the least.
        at_least: whether the bound is the least.
    """

    what: str
    target: str
    measured: str
    value: float
    bound: float
    at_least: bool = False

    @property
    def holds(self) -> bool:
        """Whether the target is met."""
        return self.value >= self.bound if self.at_least else self.value <= self.bound

    def __str__(self) -> str:
        if self.holds:
            return "holds"
        off = abs(self.value - self.bound)
        return f"missed by {off / self.bound:.1%}" if self.bound else f"missed by {off:g}"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Table:
    """The figures of one measurement.

    Attributes:
        title: its heading.
        text: what each row means and how it was measured, in Markdown.
        columns: the heads of the columns.
        rows: the cells.
        verdicts: the targets that it is about.
    """

    title: str
    text: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    verdicts: Sequence[Verdict] = ()


def seconds(value: float) -> str:
    """A time, with the digits that matter."""
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.2f} s"


def times(value: float) -> str:
    """A ratio."""
    return f"{value:.2f} times"

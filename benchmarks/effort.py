"""How much a run of the benchmark does, and how it tells of its progress."""

from __future__ import annotations

import dataclasses
import statistics
import sys
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Result = TypeVar("Result")


class BenchmarkError(Exception):
    """A measurement is worth nothing: what was run failed, or did not do the work."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Effort:
    """The effort of this run.

    Attributes:
        quick: one run of everything, to see that it works.
    """

    quick: bool = False

    def repeat(self, runs: int, what: str, once: Callable[[], Result]) -> list[Result]:
        """Does something so many times, once if it is to be quick, and tells of each."""
        runs = 1 if self.quick else runs
        results = []
        for number in range(1, runs + 1):
            say(f"  {what}: {number} of {runs}")
            results.append(once())
        return results


def say(text: str) -> None:
    """Tells of the progress on standard error."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def median(values: list[float]) -> float:
    """The median, as a number that may be shown."""
    return float(statistics.median(values))

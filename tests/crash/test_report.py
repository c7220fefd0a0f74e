"""The page that ``make crash`` writes."""

from __future__ import annotations

from tests.crash.campaign import Tally
from tests.crash.report import written
from tests.crash.words import Words


def test_the_page_tells_all_numbers() -> None:
    """Each number stands where it belongs, those of the two searches at the end too."""
    tally = Tally(cases=1_001, runs=1_002, kills=1_003, faults=1_004, checks=1_005)
    words = Words(
        secrets=41, forms=5_000, runs=131, places=1_234, leaks=("a",), texts=91, formats=3, effects=("b", "c")
    )
    page = written({"first apply": tally}, tally, words)
    assert "| first apply | 1,001 | 1,002 | 1,003 | 1,004 | 1,005 | 0 |" in page
    assert "| 5,000 forms of 41 secrets, in 1,234 outputs and files of 131 runs | 1 |" in page
    assert "| 91 texts in 3 formats | 2 |" in page
    assert "{" not in page

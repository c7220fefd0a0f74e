"""The example files: each good one is valid, each bad one says exactly what its neighbour ``.txt`` expects."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.spec.support import KINDS, faults
from tooken_ci.spec.load import load

HERE = Path(__file__).parent
GOOD = sorted((HERE / "good").glob("*.yml"))
BAD = sorted((HERE / "bad").glob("*.yml"))


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_good_example(path: Path) -> None:
    """A good example is valid, and nothing about it is worth a warning."""
    assert load([str(path)], kinds=KINDS).warnings == ()


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_bad_example(path: Path) -> None:
    """A bad example gives all its faults at once, in the order of lines, each with its place and the next step."""
    told = [str(fault).replace(f"{path}:", "FILE:").removeprefix("FILE:") for fault in faults([str(path)])]
    assert told == path.with_suffix(".txt").read_text("utf-8").splitlines()


def test_every_example_is_found() -> None:
    """The folders are not empty, and no expectation is left without its example."""
    assert GOOD
    assert [path.stem for path in BAD] == sorted(path.stem for path in (HERE / "bad").glob("*.txt"))

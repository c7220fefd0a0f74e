"""What SECURITY.md says is shown by tests, and each of them exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tooken_ci.base.position import Position
from tooken_ci.destinations.interface import Surroundings
from tooken_ci.destinations.job import JobKind
from tooken_ci.spec.kinds import SettingsError

TOP = Path(__file__).parent.parent
TEXT = (TOP / "SECURITY.md").read_text(encoding="utf-8")
ROWS = [line for line in TEXT.splitlines() if line.startswith("|") and "---" not in line][1:]
NAMED = sorted(set(re.findall(r"`(tests/\S+?\.py::\w+)`", TEXT)))


def test_each_threat_names_what_stops_it_and_a_test() -> None:
    """Every row of the table has its four cells, the last of them with a test."""
    assert len(ROWS) > 10
    for line in ROWS:
        cells = [cell.strip() for cell in line[1:-1].split("|")]
        assert len(cells) == 4, line
        assert all(cells[1:]), line
        assert "::test_" in cells[3], line


@pytest.mark.parametrize("name", NAMED)
def test_each_named_test_exists(name: str) -> None:
    """A test that the table names is there, under that very name."""
    path, _, test = name.partition("::")
    assert re.search(rf"^def {test}\(", (TOP / path).read_text(encoding="utf-8"), re.MULTILINE), name


def test_it_says_how_to_report() -> None:
    """A report goes by GitHub's private reporting; no address stands there that nobody reads."""
    assert "Report a vulnerability" in TEXT
    assert "@" not in TEXT


@pytest.mark.parametrize(
    "name",
    ["PATH", "path", "LD_PRELOAD", "DYLD_INSERT_LIBRARIES", "GITHUB_TOKEN", "RUNNER_TEMP", "NODE_OPTIONS", "BASH_ENV"],
)
def test_no_secret_steers_a_later_step(name: str) -> None:
    """A variable that steers the runner, or what later steps run, is refused for a secret."""
    with pytest.raises(SettingsError, match="steers the runner"):
        JobKind(Surroundings()).parse({"env": name}, Position("tooken.yml", 1, 1))

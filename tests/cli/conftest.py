"""Fixtures: a clock moved by hand, a terminal, and projects as the tests of the whole command have them."""

from __future__ import annotations

import pytest

from tests.cli.terminal import XTERM, Hands, Terminal
from tests.e2e.conftest import make_project
from tooken_ci.cli import bar, progress

__all__ = ["make_project"]


@pytest.fixture
def hands(monkeypatch: pytest.MonkeyPatch) -> Hands:
    """Gives the clock of both displays."""
    hands = Hands()
    monkeypatch.setattr(bar, "time", hands)
    monkeypatch.setattr(progress, "time", hands)
    return hands


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Gives a terminal of 80 columns, whatever this process runs at."""
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in XTERM.items():
        monkeypatch.setenv(name, value)
    return Terminal()

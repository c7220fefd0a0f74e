"""Progress where a log is kept: now and then a line."""

from __future__ import annotations

import contextlib
import io
import sys
import threading
from typing import TYPE_CHECKING

from tooken_ci.base.redact import RedactingStream
from tooken_ci.cli.bar import Bar
from tooken_ci.cli.progress import Lines, display

if TYPE_CHECKING:
    import pytest

    from tests.cli.terminal import Hands, Terminal


def test_lines_come_every_ten_seconds(hands: Hands, capsys: pytest.CaptureFixture[str]) -> None:
    """In a log a line stands every 10 seconds at the most, the first one after 10 seconds; waits and rests add none."""
    lines = Lines()
    for second in range(26):
        lines.step("tokens read", second, 26)
        lines.wait(60, "why")
        lines.rest()
        hands.at += 1
    assert capsys.readouterr().err == "10 of 26 tokens read.\n20 of 26 tokens read.\n"


def test_lines_from_many_threads(hands: Hands, capsys: pytest.CaptureFixture[str]) -> None:
    """Two threads that come at the same moment tell one line between them."""
    lines = Lines()
    hands.at += 10
    together = threading.Barrier(2)

    def meet() -> None:
        with contextlib.suppress(threading.BrokenBarrierError):
            together.wait(timeout=0.2)

    hands.looked = meet
    threads = [threading.Thread(target=lines.step, args=("tokens read", 1, 2)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    assert capsys.readouterr().err == "1 of 2 tokens read.\n"


def test_which_display(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal gets the bar; CI gets lines even where it claims to be a terminal, and so does any other stream."""
    with terminal.watched():
        assert isinstance(display(in_ci=False), Bar)
        assert isinstance(display(in_ci=True), Lines)
    monkeypatch.setattr(sys, "stderr", RedactingStream(io.StringIO()))
    assert isinstance(display(in_ci=False), Lines)

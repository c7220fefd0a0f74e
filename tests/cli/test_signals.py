"""Which signals ask a run to end."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from tooken_ci.base.errors import StoppedError
from tooken_ci.base.times import Stop
from tooken_ci.cli.signals import asking, heeding_signals

if TYPE_CHECKING:
    from collections.abc import Iterator

ASKING = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT]
MAY_BE_IGNORED = [signal.SIGHUP, signal.SIGQUIT]


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    """Has what every signal does put back, so that no other test is ended by one."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in ASKING}
    for number in MAY_BE_IGNORED:
        signal.signal(number, signal.SIG_DFL)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", ASKING, ids=lambda number: number.name)
def test_it_asks_the_run_to_end(number: signal.Signals) -> None:
    """An interruption, a termination, and the end of the terminal alike ask a run to end, which names the signal."""
    stop = Stop()
    with heeding_signals(stop):
        signal.raise_signal(number)
    assert stop.by == number.name


@pytest.mark.parametrize("number", [one for one in ASKING if one != signal.SIGINT], ids=lambda number: number.name)
def test_it_is_no_answer(number: signal.Signals) -> None:
    """Who is asked whether a plan is to be applied, and is gone, has not agreed."""
    with pytest.raises(StoppedError, match=f"was stopped by {number.name}"), asking():
        signal.raise_signal(number)


@pytest.mark.parametrize("number", MAY_BE_IGNORED, ids=lambda number: number.name)
def test_what_is_ignored_already(number: signal.Signals) -> None:
    """A run that was started to outlive its terminal, as by nohup, does."""
    signal.signal(number, signal.SIG_IGN)
    stop = Stop()
    with heeding_signals(stop):
        signal.raise_signal(number)
    assert stop.by == ""
    assert signal.getsignal(number) is signal.SIG_IGN

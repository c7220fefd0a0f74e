"""A release that has to end while a request hangs tells what it has done, and what it cannot know."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from tests.tooken.support import MovedClock, token_body
from tooken_ci.apply.release import Open, release
from tooken_ci.base.errors import ExitCode, StoppedError, TookenCIError
from tooken_ci.ci.host import Host, HostKind
from tooken_ci.cli.leasing import do_each
from tooken_ci.cli.output import Output
from tooken_ci.cli.reporting import Reporting
from tooken_ci.render.report import Report
from tooken_ci.tooken.model import read_token

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMES = ["a.e-1-1-1", "b.e-1-1-1", "c.e-1-1-1"]


class Overdue(MovedClock):
    """A clock on which a stopped run is overdue at once."""

    def overdue(self) -> bool:
        return self.stopped


class Hanging:
    """A client of which one call stops the run and hangs.

    Attributes:
        sent: how many requests went out.
    """

    def __init__(self, clock: Overdue, call: str, until: threading.Event) -> None:
        self._clock = clock
        self._call = call
        self._until = until
        self.sent = 0

    def find_active(self, name: str) -> tuple[Any, ...]:
        self._perhaps(f"GET {name}")
        return (read_token(token_body(id=f"tok_{name}", name=name)),)

    def revoke(self, token_id: str) -> None:
        self._perhaps(f"DELETE {token_id}")

    def _perhaps(self, call: str) -> None:
        self.sent += 1
        if call == self._call:
            self._clock.stop()
            self._until.wait(20)


@pytest.fixture
def until() -> Iterator[threading.Event]:
    """Gives what the hanging call waits for, which comes when the test is over."""
    event = threading.Event()
    yield event
    event.set()


@pytest.mark.parametrize(
    ("call", "code", "reason", "errors"),
    [
        ("GET a.e-1-1-1", ExitCode.FAILED, "interrupted", ["not revoked; ", "not revoked; ", "not revoked; "]),
        ("DELETE tok_a.e-1-1-1", ExitCode.PARTIAL, "partial", ["not known to be ", "not revoked; ", "not revoked; "]),
        ("GET b.e-1-1-1", ExitCode.PARTIAL, "partial", ["", "not revoked; ", "not revoked; "]),
    ],
)
def test_what_hangs(call: str, code: ExitCode, reason: str, errors: list[str], until: threading.Event) -> None:
    """A look-up that hangs has changed nothing, a revocation may have; each lease that was not come to is named."""
    clock = Overdue()
    context: Any = SimpleNamespace(client=Hanging(clock, call, until), clock=clock)
    reporting = Reporting(output=Output(), host=Host(kind=HostKind.OTHER_CI), report=Report())
    waiting = Open(NAMES)
    with pytest.raises(TookenCIError) as ended:
        do_each(
            reporting,
            context,
            lambda: release(context, waiting, exact=True),
            unclear=lambda: bool(waiting.changing),
            unsettled=waiting.unsettled,
        )
    reporting.fail(ended.value)
    assert (reporting.exit_code, ended.value.code) == (code, reason)
    assert isinstance(ended.value, StoppedError) is (code is ExitCode.FAILED)
    leases = reporting.report.leases or ()
    assert [lease.token for lease in leases] == NAMES
    for lease, error in zip(leases, errors, strict=True):
        assert (lease.status, lease.error[: len(error)]) == ("failed" if error else "released", error)

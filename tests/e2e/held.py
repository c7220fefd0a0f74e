"""Holds a request at the server, so that a test can look at, or kill, a run that stands at a known point."""

from __future__ import annotations

import contextlib
import dataclasses
import re
import signal
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.project import Project
    from tests.support.sandbox import RunningSandbox
    from tests.support.zygote import Running

PATIENCE = 20.0
PAUSE = 0.005
FOR_GOOD = 120.0
"""Seconds of a delay that outlasts every test: the server never comes to do the work."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Point:
    """A request of one run, by what it asks for.

    Attributes:
        method: the HTTP method.
        path: a regular expression for the path below /v1.
        occurrence: which of those that match, from 1, counted from the moment that the delay is set.
    """

    method: str
    path: str = "/tokens"
    occurrence: int = 1

    def matches(self, request: dict[str, Any]) -> bool:
        """Whether a request in the log is of this kind."""
        return request["method"] == self.method and re.fullmatch(f"/v1{self.path}", request["path"]) is not None


CREATION = Point(method="POST", occurrence=2)
"""The creation of the first token; the first POST is the probe of the scope."""

LISTING = Point(method="GET")
"""The first page of the list."""

PROOF = Point(method="GET", occurrence=2)
"""The proof of the first token; the first GET is the list."""

LOOK_UP = Point(method="GET", occurrence=3)
"""The fresh look at the entry before its older generation is revoked."""

REVOCATION = Point(method="DELETE", path="/tokens/.+", occurrence=2)
"""The revocation of the older generation; the first DELETE is the probe of the scope."""


def kill(project: Project, running: Running) -> None:
    """Kills a run that stands at a point, and makes sure that it was still there."""
    running.kill()
    assert project.end(running).code == -signal.SIGKILL


@contextlib.contextmanager
def hold(sandbox: RunningSandbox, point: Point, *, seconds: float = FOR_GOOD) -> Iterator[None]:
    """Delays the request at a point before its work is done."""
    fault = {"do": "delay", "method": point.method, "path": f"/v1{point.path}", "seconds": seconds}
    sandbox.clear_requests()
    sandbox.set_faults([{**fault, "occurrence": point.occurrence}])
    try:
        yield
    finally:
        sandbox.set_faults([])


def wait_for(sandbox: RunningSandbox, point: Point, *, done: bool = False) -> None:
    """Waits until a request has arrived at the server (``done``: was answered), and no longer than is sensible."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        matching = [request for request in sandbox.requests() if point.matches(request)]
        if len(matching) >= point.occurrence:
            reached = matching[point.occurrence - 1]
            if reached["status"] is not None or not done:
                assert done or reached["status"] is None, "the request was not held long enough"
                return
        time.sleep(PAUSE)
    raise AssertionError(f"{point} was not reached")

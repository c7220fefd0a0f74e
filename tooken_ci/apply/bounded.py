"""Ends in time, whatever hangs: a request, a resolver, a network drive, somebody's program."""

from __future__ import annotations

import concurrent.futures
import threading
from typing import TYPE_CHECKING, TypeVar

from tooken_ci.base.children import children
from tooken_ci.base.errors import DeadlineError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tooken_ci.base.times import Clock

T = TypeVar("T")

_GLANCE = 0.1
"""Seconds between two looks at the clock."""


def bounded(work: Callable[[], T], clock: Clock, otherwise: Callable[[], T]) -> T:
    """What the work makes; or, once the run should have ended and the work still hangs, what is made otherwise.

    The work is done in a thread of its own, so that the calling one can leave. What hangs is left alone, as it is when
    the process is killed; the process must then end without waiting for its threads. A program of the user's is killed,
    for it would outlive the process, and might write after all was told.

    Args:
        work: is told by the clock itself when to end.
        clock: the run's.
        otherwise: must not wait for anything.
    """
    made: concurrent.futures.Future[T] = concurrent.futures.Future()

    def begin() -> None:
        try:
            made.set_result(work())
        except BaseException as error:  # noqa: BLE001  # raised again where the result is asked for
            made.set_exception(error)

    thread = threading.Thread(target=begin, name="work", daemon=True)
    thread.start()
    while not concurrent.futures.wait([made], _GLANCE).done:
        if clock.overdue():
            try:
                return otherwise()
            except DeadlineError as error:
                error.explain("What was under way had no answer even then.")
                raise
            finally:
                children.end()
    thread.join()
    return made.result()

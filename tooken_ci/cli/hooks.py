"""What nobody catches is told as shortly as anything else, and masked: also in a thread that outlives the run."""

from __future__ import annotations

import contextlib
import sys
import threading
from typing import TYPE_CHECKING

from tooken_ci.base.text import safe_lines

if TYPE_CHECKING:
    from types import TracebackType


def install() -> None:
    """Take the place of the interpreter's own hooks, which would write past the redactor once the run is over."""
    sys.excepthook = _uncaught
    threading.excepthook = _in_a_thread
    sys.unraisablehook = _unraisable


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    _tell(f"This is a fault of tooken-ci itself ({kind.__name__}).", error, trace)


def _in_a_thread(hooked: threading.ExceptHookArgs) -> None:
    if hooked.exc_type is not SystemExit:
        told = f"This is a fault of tooken-ci itself, in a thread of its own ({hooked.exc_type.__name__})."
        _tell(told, hooked.exc_value, hooked.exc_traceback)


def _unraisable(hooked: sys.UnraisableHookArgs) -> None:
    told = f"This is a fault of tooken-ci itself, while something was taken down ({hooked.exc_type.__name__})."
    _tell(told, hooked.exc_value, hooked.exc_traceback)


def _tell(told: str, error: BaseException | None, trace: TracebackType | None) -> None:
    import logging
    import traceback

    text = f"Error: {told}\n  Run again with --debug and report what it prints.\n"
    if error is not None and logging.getLogger("tooken_ci").level == logging.DEBUG:
        text = "".join(traceback.format_exception(type(error), error, trace)) + text
    with contextlib.suppress(OSError, ValueError, AttributeError):  # standard error may be closed, or none at all
        sys.stderr.write(safe_lines(text))
        sys.stderr.flush()

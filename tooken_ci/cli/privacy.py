"""Keeps the process's memory, in which the key and the secrets stand, to the process."""

from __future__ import annotations

import contextlib
import ctypes
import resource
import sys

_PR_SET_DUMPABLE = 4
"""From Linux's ``sys/prctl.h``."""


def keep_memory_private() -> None:
    """From now on no core is dumped, and no other process of this user may look into this one, where Linux sees to it.

    A limit alone does not keep a crash handler, which gets the core through a pipe, from being started. Programs of the
    user's that are started later inherit the limit, and not the rest.
    """
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)

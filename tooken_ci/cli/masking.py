"""Has the CI runner mask a secret that later steps can reach: the one way by the redactor, and only to the runner."""

from __future__ import annotations

import errno
import sys
from typing import TYPE_CHECKING

from tooken_ci.base.redact import RedactingStream

if TYPE_CHECKING:
    from collections.abc import Callable

    from tooken_ci.base.secret import Secret
    from tooken_ci.ci.host import Host


def mask_for(host: Host) -> Callable[[Secret], None]:
    """What to call before anything else is done with a secret that later steps can reach.

    Where the runner did not start this command itself, what it prints may go anywhere, and nothing is told. What is
    returned raises ``OSError`` where the runner could not be told.
    """

    def mask(secret: Secret) -> None:
        if not host.masks or not isinstance(sys.stderr, RedactingStream):
            return
        from tooken_ci.ci.github import masks

        if sys.__stderr__ is None:
            raise BrokenPipeError(errno.EPIPE, "standard error is closed")
        sys.stderr.tell_runner(*masks(secret))

    return mask

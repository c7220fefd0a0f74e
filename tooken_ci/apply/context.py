"""What every step of an apply needs."""

from __future__ import annotations

import dataclasses
import logging
import secrets
from typing import TYPE_CHECKING

from tooken_ci.base.progress import Silence
from tooken_ci.plan.terms import USUAL, Terms

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tooken_ci.base.progress import Progress
    from tooken_ci.base.record import Look
    from tooken_ci.base.secret import Secret
    from tooken_ci.base.times import Clock
    from tooken_ci.destinations.interface import Destination
    from tooken_ci.plan.result import Result
    from tooken_ci.spec.model import Entry, Spec, Target
    from tooken_ci.tooken.client import Client
    from tooken_ci.tooken.model import Token

log = logging.getLogger(__name__)


def new_run() -> str:
    """An id for one run: random, so that no two runs ever share it."""
    return secrets.token_hex(6)


def _nobody_hears(secret: Secret) -> None:
    del secret


@dataclasses.dataclass(frozen=True, kw_only=True)
class Context:
    """What every step of an apply needs.

    Attributes:
        spec: what the team wants.
        client: the workspace.
        open: gives the destination behind a target.
        look: tells what stands at each of some targets of one group, now.
        clock: for deadlines; never for the time of day, which is the server's.
        run: this run's own id; it stands in its marks.
        tell: hears each result as it comes, one at a time.
        workers: how many entries are served side by side.
        progress: hears how far the work has come.
        terms: on which the rules are applied.
        mask: hears each secret that later steps can reach, before it gets there; raises ``OSError`` where that fails.
    """

    spec: Spec
    client: Client
    open: Callable[[Target], Destination]
    look: Callable[[Sequence[Target]], Sequence[Look]]
    clock: Clock
    run: str
    tell: Callable[[Result], None]
    workers: int = 1
    progress: Progress = dataclasses.field(default_factory=Silence)
    terms: Terms = USUAL
    mask: Callable[[Secret], None] = _nobody_hears

    def active_of(self, entry: Entry) -> tuple[Token, ...]:
        """A fresh look at an entry: every active token that may be its own, one look-up for each of its names.

        Raises:
            WorkspaceError: a list kept changing while it was read.
            ApiError: a list could not be read.
            StoppedError: the run is to end.
        """
        return tuple(token for name in entry.names for token in self.client.find_active(name))

    def all_of(self, entry: Entry) -> tuple[Token, ...]:
        """The same, over all statuses."""
        return tuple(token for name in entry.names for token in self.client.find(name))

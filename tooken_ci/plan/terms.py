"""The terms on which a run applies the rules, as the user set them."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from tooken_ci.base.record import YOUNG

if TYPE_CHECKING:
    import datetime as dt


@dataclasses.dataclass(frozen=True, kw_only=True)
class Terms:
    """The terms on which a run applies the rules.

    Attributes:
        busy_grace: the age below which another run's mark, or an undelivered generation, makes an entry busy; zero =
            nothing does.
        revoke_used: an older generation goes although it is still used.
    """

    busy_grace: dt.timedelta = YOUNG
    revoke_used: bool = False

    @property
    def hasty(self) -> bool:
        """The grace is shorter than a run that is at work may need; none at all is a decision, and no slip."""
        return bool(self.busy_grace) and self.busy_grace < YOUNG


USUAL = Terms()

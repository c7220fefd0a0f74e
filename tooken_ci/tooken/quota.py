"""The workspace's request allowance, as the answers tell it: limit, remaining, reset."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tooken_ci.tooken.servertime import ServerTime

_WHOLE = re.compile(r"[0-9]{1,15}")

WINDOW = 60.0
"""Seconds a window lasts: the limit is documented as so many requests a minute."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Allowance:
    """What is known of the allowance at one moment.

    Attributes:
        limit: requests a window; None = the answers do not tell.
        remaining: what is left of them; None = the answers do not tell.
        resets_in: seconds until a full window starts; 0 = now, or not known.
    """

    limit: int | None
    remaining: int | None
    resets_in: float


class Quota:
    """Follows the rate-limit headers; whatever they hold, it never fails over them."""

    def __init__(self, server_time: ServerTime) -> None:
        self._server_time = server_time
        self._limit: int | None = None
        self._remaining: int | None = None
        self._reset: float | None = None

    def note(self, headers: Mapping[str, str]) -> None:
        """Take what an answer says; a header that is missing or nonsense leaves what was known."""
        limit, remaining, reset = (
            _whole(headers.get(f"X-RateLimit-{name}")) for name in ("Limit", "Remaining", "Reset")
        )
        self._limit = limit or self._limit
        self._remaining = remaining if remaining is not None else self._remaining
        self._reset = float(reset) if reset is not None else self._reset

    def look(self) -> Allowance:
        """The allowance as it stands now; a window that has ended counts as a full one."""
        now = self._server_time.epoch()
        left = max(0.0, self._reset - now) if self._reset is not None and now is not None else 0.0
        remaining = self._remaining if left > 0 or self._remaining is None else self._limit
        return Allowance(limit=self._limit, remaining=remaining, resets_in=left)

    def wait(self) -> float:
        """Seconds to wait before the next request: until the reset where nothing remains, else 0."""
        allowance = self.look()
        return allowance.resets_in if allowance.remaining == 0 else 0.0

    def wait_after_refusal(self, headers: Mapping[str, str]) -> float:
        """Seconds to wait after a 429: as ``Retry-After`` says, else until the reset; 0 where neither is told."""
        told = _whole(headers.get("Retry-After"))
        return float(told) if told is not None else self.look().resets_in


def _whole(text: str | None) -> int | None:
    return int(text) if text is not None and _WHOLE.fullmatch(text) else None

"""The one source of time: everything the sandbox does is dated by it, and tests can move it."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from email.utils import formatdate


class Clock:
    """The machine's clock plus an offset."""

    def __init__(self) -> None:
        self.offset = 0.0

    def now(self) -> float:
        """Returns the sandbox's time in Unix seconds."""
        return time.time() + self.offset

    def advance(self, seconds: float) -> None:
        """Moves the time, forwards or (for tests of skewed clocks) backwards."""
        self.offset += seconds

    def http_date(self) -> str:
        """Returns the time as the ``Date`` header states it."""
        return formatdate(self.now(), usegmt=True)


def to_iso(moment: float) -> str:
    """Returns Unix seconds as ISO 8601 in UTC, in whole seconds."""
    return datetime.fromtimestamp(int(moment), UTC).isoformat().replace("+00:00", "Z")


def from_iso(text: str) -> int:
    """Reads an ISO 8601 date as Unix seconds; one without an offset is taken as UTC.

    Raises:
        ValueError: the text is no date, or one outside the years 1 to 9999.
    """
    moment = datetime.fromisoformat(text.upper())
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    try:
        return int(moment.astimezone(UTC).timestamp())
    except OverflowError as error:
        raise ValueError(f"{text} is outside the years 1 to 9999") from error

"""Points in time as the spec writes them: ISO 8601 with a zone, ``2027-01-01T00:00:00Z``."""

from __future__ import annotations

import re
from datetime import UTC, datetime

EXAMPLE = "2027-01-01T00:00:00Z"

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_TIME = r"[Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?"
_NO_ZONE = re.compile(_DATE.pattern + _TIME)
_FULL = re.compile(_DATE.pattern + _TIME + r"([Zz]|[+-][0-9]{2}:[0-9]{2})")


def parse(text: str) -> datetime:
    """Read a point in time and give it in UTC.

    Raises:
        ValueError: no such form or no such time; it tells the form that was probably meant.
    """
    if _DATE.fullmatch(text):
        raise ValueError(f"it lacks a time and a zone, such as {text}T00:00:00Z")
    if _NO_ZONE.fullmatch(text):
        raise ValueError(f"it lacks a zone: Z for UTC, as in {text}Z, or an offset such as +02:00")
    if not _FULL.fullmatch(text):
        raise ValueError(f"a point in time is written like {EXAMPLE}")
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError("there is no such date or time") from error

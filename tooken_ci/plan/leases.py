"""Leases: how the token of one job is named, so that no job ever takes another's for its own, and what became of it."""

from __future__ import annotations

import dataclasses
import enum
import re
from typing import TYPE_CHECKING

from tooken_ci.base import naming

if TYPE_CHECKING:
    import datetime as dt

_LONGEST_PART = 15
_PLAIN = re.compile(r"[A-Za-z0-9]{1,15}")
_CHANCE = r"-[0-9a-f]{6}"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Job:
    """What tells one job of a CI system from every other, its siblings and its own re-runs included.

    Attributes:
        run: the pipeline or workflow run.
        attempt: which attempt at it, from 1.
        leg: which of its jobs, and which step of that; letters and digits.
    """

    run: str
    attempt: str
    leg: str

    def __post_init__(self) -> None:
        """Keep the names of leases short and unmistakable.

        Raises:
            ValueError: a part has other characters than letters and digits, or too many.
        """
        if not all(_PLAIN.fullmatch(part) for part in (self.run, self.attempt, self.leg)):
            raise ValueError(f"a job's parts have 1 to {_LONGEST_PART} letters and digits")

    def lease_of(self, entry: str) -> str:
        """The name of this job's lease of an entry; a random part is added where that is taken."""
        return f"{entry}{naming.LEASE_MARK}{self.run}-{self.attempt}-{self.leg}"


def is_lease_named(token_name: str, wanted: str) -> bool:
    """Whether a token bears the name of a lease, with or without a random part."""
    return re.fullmatch(re.escape(wanted) + f"({_CHANCE})?", token_name) is not None


class LeaseStatus(enum.StrEnum):
    """What became of a lease."""

    LEASED = "leased"
    RELEASED = "released"
    FAILED = "failed"


@dataclasses.dataclass(frozen=True, kw_only=True)
class LeaseResult:
    """What became of one lease.

    Attributes:
        token: its name.
        id: its id; None where none was made, or none is known.
        status: how it ended.
        expires_at: when it ends by itself, UTC; None where that is not known.
        error: why it failed; empty where it did not.
    """

    token: str
    id: str | None
    status: LeaseStatus
    expires_at: dt.datetime | None = None
    error: str = ""

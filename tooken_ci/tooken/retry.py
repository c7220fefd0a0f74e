"""Which fault of which call is tried again: one table, and an immutable policy, apart from the transport."""

from __future__ import annotations

import dataclasses
import enum
import random
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_CHANCE = random.SystemRandom()


class CallKind(enum.StrEnum):
    """What a call does."""

    READ = enum.auto()
    REVOKE = enum.auto()
    CREATE = enum.auto()
    ROTATE = enum.auto()

    @property
    def method(self) -> str:
        """The HTTP method."""
        return {CallKind.READ: "GET", CallKind.REVOKE: "DELETE"}.get(self, "POST")


class Fault(enum.Enum):
    """How an exchange can fail in passing, as far as a client can tell such faults apart.

    A connection that breaks before a byte of the answer looks the same whether the server has read the request or not.
    """

    REFUSED = "no connection came about: not a byte of the request was sent"
    BROKEN = "the connection broke or timed out before the answer was complete"
    TRUNCATED = "the answer is shorter than it says"
    NOT_JSON = "the answer to a success is not JSON"
    RATE_LIMITED = "429"
    SERVER_FAULT = "500, 502, 503 or another 5xx"


class Again(enum.Enum):
    """Whether a call is sent again after a fault."""

    FREELY = enum.auto()
    """The server did nothing, or doing it twice changes nothing."""

    BY_NAME = enum.auto()
    """The server may have made the token. A repeat of the same body makes no second one, since names are unique: it
    makes the first, or is answered 409, and a look-up by name then tells whose token it is."""

    NEVER = enum.auto()
    """The server may have acted, and a second time would do harm: a rotation kills the secret of the one before."""


_F, _N, _X = Again.FREELY, Again.BY_NAME, Again.NEVER
_COLUMNS = (CallKind.READ, CallKind.REVOKE, CallKind.CREATE, CallKind.ROTATE)
TABLE: Mapping[Fault, Mapping[CallKind, Again]] = MappingProxyType(
    {
        fault: MappingProxyType(dict(zip(_COLUMNS, row, strict=True)))
        for fault, row in {
            # fault             GET DELETE POST rotate
            Fault.REFUSED: (_F, _F, _F, _F),
            Fault.BROKEN: (_F, _F, _N, _X),
            Fault.TRUNCATED: (_F, _F, _N, _X),
            Fault.NOT_JSON: (_F, _F, _N, _X),
            Fault.RATE_LIMITED: (_F, _F, _F, _F),
            Fault.SERVER_FAULT: (_F, _F, _N, _X),
        }.items()
    }
)
"""For each fault and call, whether it is sent again. Every other 4xx, and a redirect, is final and stands not here."""

SURELY_REFUSED = frozenset({Fault.REFUSED, Fault.RATE_LIMITED})
"""Faults after which the server has certainly done nothing."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class RetryPolicy:
    """Exponential backoff with full jitter, under a total deadline.

    Attributes:
        tries: how often one request is sent at the most.
        first_pause: the longest first pause, seconds; it doubles from try to try.
        longest_pause: the longest of all pauses, seconds.
        deadline: how long one call may take with all its tries, seconds; waiting for the quota apart.
        longest_wait: how long one call may wait after 429s, seconds; waiting for the reset beforehand apart.
    """

    tries: int = 5
    first_pause: float = 0.5
    longest_pause: float = 15.0
    deadline: float = 90.0
    longest_wait: float = 300.0

    def pause(self, tried: int) -> float:
        """How long to wait after the ``tried``-th try, from 1; seconds, random."""
        return _CHANCE.uniform(0, min(self.longest_pause, self.first_pause * 2 ** (tried - 1)))

"""How a live token differs from its entry (rule 2), and what that says about the cause."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import TYPE_CHECKING

from tooken_ci.base import naming, times
from tooken_ci.base.text import quoted, safe
from tooken_ci.plan.model import Cause

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tooken_ci.spec.model import Entry
    from tooken_ci.tooken.model import Token

SPREAD = dt.timedelta(seconds=60)
"""Each expiry carries a random number of seconds below this, by which a run knows its own tokens."""

_ROUNDING = dt.timedelta(seconds=1)
_LIFE_TOLERANCE = dt.timedelta(minutes=5)
_ORDER = tuple(Cause)


@dataclasses.dataclass(frozen=True)
class Reason:
    """Why something is to be done: the cause in one word, and a sentence without its full stop."""

    cause: Cause
    text: str


def strongest(reasons: Iterable[Reason]) -> Cause:
    """The cause that counts where several hold."""
    return min((reason.cause for reason in reasons), key=_ORDER.index)


def differences(entry: Entry, token: Token) -> list[Reason]:
    """What of a token is not as its entry asks, the time apart; scopes compare as sets. Empty where it is as asked."""
    reasons = []
    if token.scopes != entry.scopes:
        reasons.append(Reason(Cause.SPEC, _scopes(entry.scopes, token.scopes)))
    expiry = _expiry(entry, token)
    if expiry:
        reasons.append(Reason(Cause.SPEC, expiry))
    if entry.previously and (name := naming.split(token.name)[0]) != entry.name:
        reasons.append(Reason(Cause.SPEC, f"it bears the previous name {quoted(name)}"))
    return reasons


def _scopes(wanted: frozenset[str], found: frozenset[str]) -> str:
    parts = []
    if missing := wanted - found:
        parts.append(f"lack {', '.join(sorted(missing))}")
    if surplus := found - wanted:
        parts.append(f"have {', '.join(safe(scope, limit=60) for scope in sorted(surplus))} too many")
    return f"its scopes {' and '.join(parts)}"


def _expiry(entry: Entry, token: Token) -> str:
    if entry.expires_at is not None:
        if token.expires_at is None:
            return f"it never expires, and should at {times.show(entry.expires_at)}"
        if not -_ROUNDING <= token.expires_at - entry.expires_at <= SPREAD:
            return f"it expires at {times.show(token.expires_at)}, and should at {times.show(entry.expires_at)}"
    elif entry.expires_in is not None:
        if token.expires_at is None:
            return "it never expires, and should"
        if token.expires_at - token.created_at > entry.expires_in + _LIFE_TOLERANCE:
            return "its life is longer than expires_in"
    elif token.expires_at is not None:
        # the list of the design leaves this case out; a token that ends unrenewed would leave a dead secret behind
        return f"it expires at {times.show(token.expires_at)}, and should never"
    return ""

"""What the team allows itself, held against the entries. Pure; validate and plan tell the breaches."""

from __future__ import annotations

import dataclasses
import re
import warnings
from typing import TYPE_CHECKING

from tooken_ci.base import times
from tooken_ci.base.errors import Fault
from tooken_ci.spec.durations import show
from tooken_ci.spec.shown import listed, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime, timedelta

    from tooken_ci.base.position import Position
    from tooken_ci.spec.model import Entry, Policy, Spec


@dataclasses.dataclass(frozen=True, kw_only=True)
class Breach:
    """One rule of the policy that one entry breaks.

    Attributes:
        entry: the entry's name.
        rule: the key of the rule under ``policy``.
        fault: what was found and what is allowed, at the line that breaks it.
    """

    entry: str
    rule: str
    fault: Fault


def breaches(spec: Spec, now: datetime | None = None) -> tuple[Breach, ...]:
    """Every rule of the policy that an entry breaks, in the order of files and lines.

    Args:
        spec: the spec.
        now: the time from which an absolute ``expires_at`` is judged; without it, it is not.
    """
    order = {file: number for number, file in enumerate(spec.files)}
    found = (
        Breach(entry=entry.name, rule=rule, fault=fault)
        for entry in (*spec.entries, *spec.leases)
        for rule, fault in _broken(entry, spec.policy, now)
    )
    return tuple(sorted(found, key=lambda breach: _place(breach.fault.position, order)))


def _place(position: Position, order: Mapping[str, int]) -> tuple[int, int]:
    return order.get(position.file, len(order)), position.line


def _broken(entry: Entry, policy: Policy, now: datetime | None) -> Iterator[tuple[str, Fault]]:
    endless = entry.expires_in is None and entry.expires_at is None
    if policy.require_expiry and endless:
        yield "require_expiry", _endless(entry, "the policy requires an end (require_expiry)")
    elif policy.max_lifetime is not None and endless:
        yield "max_lifetime", _endless(entry, f"the policy allows at most {show(policy.max_lifetime)} (max_lifetime)")
    elif policy.max_lifetime is not None:
        yield from _too_long(entry, policy.max_lifetime, now)
    forbidden = sorted(entry.scopes & policy.forbidden_scopes)
    if forbidden:
        message = f"{quoted(entry.name)} asks for {listed(forbidden)}, which the policy forbids (forbidden_scopes)."
        yield "forbidden_scopes", Fault(entry.where("scopes"), message, hint="Remove it from the scopes.")
    if policy.name_pattern is not None and not _matches(policy.name_pattern, entry.name):
        message = f"The name {quoted(entry.name)} does not match {quoted(policy.name_pattern)} (name_pattern)."
        yield "name_pattern", Fault(entry.position, message, hint="Choose a name that the policy allows.")


def _endless(entry: Entry, rule: str) -> Fault:
    return Fault(entry.position, f"{quoted(entry.name)} never expires; {rule}.", hint="Give it 'expires_in'.")


def _too_long(entry: Entry, longest: timedelta, now: datetime | None) -> Iterator[tuple[str, Fault]]:
    allowed = f"the policy allows at most {show(longest)} (max_lifetime)."
    if entry.expires_in is not None and entry.expires_in > longest:
        message = f"{quoted(entry.name)} lives {show(entry.expires_in)}; {allowed}"
        yield "max_lifetime", Fault(entry.where("expires_in"), message, hint="Shorten 'expires_in'.")
    if entry.expires_at is not None and now is not None and entry.expires_at - now > longest:
        message = f"{quoted(entry.name)} lives until {times.show(entry.expires_at)}; {allowed}"
        yield "max_lifetime", Fault(entry.where("expires_at"), message, hint="Choose an earlier 'expires_at'.")


def _matches(pattern: str, name: str) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what a later Python will read otherwise
        return re.fullmatch(pattern, name) is not None

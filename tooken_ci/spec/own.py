"""The token that tooken-ci itself runs with, as far as the spec knows it: what it must be able to do."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from tooken_ci.base import scopes
from tooken_ci.base.errors import Fault
from tooken_ci.spec.shown import listed, quoted, suggestion

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from tooken_ci.spec.build import Part
    from tooken_ci.spec.model import Entry, Named

_NEEDED = (scopes.READ, scopes.WRITE, scopes.REVOKE)
_AT_ONCE = timedelta(0)


def faults(parts: Sequence[Part], declared: Collection[str]) -> Iterator[Fault]:
    """What is wrong about ``self``, or about doing without it.

    Args:
        parts: of the spec.
        declared: the names of all tokens, of those too in which something else is wrong.
    """
    entries = [entry for part in parts for entry in part.entries]
    giving = [part for part in parts if isinstance(part.document.data, dict) and "self" in part.document.data]
    if giving:
        if len(giving) == 1 and giving[0].own is not None:  # what else may be wrong with it is told elsewhere
            yield from _unfit(giving[0].own, entries, declared)
        return
    for entry in entries:
        kept = entry.watched or entry.ephemeral or entry.overlap > _AT_ONCE
        if scopes.WRITE in entry.scopes and not kept:
            yield Fault(
                entry.where("rotation"),
                f"{quoted(entry.name)} has {scopes.WRITE} and an overlap of 0, so it may be the token that runs "
                "tooken-ci, which would revoke it before its work is done.",
                hint="Say which token runs it with 'self: NAME' at the top, or give it an overlap.",
            )


def _unfit(named: Named, entries: Sequence[Entry], declared: Collection[str]) -> Iterator[Fault]:
    if named.text not in declared:
        hint = suggestion(named.text, declared, what="Declared tokens")
        yield Fault(
            named.position, f"'self' names {quoted(named.text)}, but no token of that name is declared.", hint=hint
        )
        return
    entry = next((entry for entry in entries if entry.name == named.text), None)
    if entry is None:  # something else is wrong with it, and told
        return
    if entry.ephemeral:
        message = f"'self' names {quoted(entry.name)}, which is ephemeral: its tokens are leases of one job."
        yield Fault(named.position, message, hint="Name an entry that is delivered to a store that is kept.")
        return
    if entry.in_place:
        message = (
            f"{quoted(entry.name)} runs tooken-ci ('self' at {named.position}), so it cannot be rotated in place: "
        )
        message += "the key would be dead in the middle of the run."
        yield Fault(entry.where("rotation"), message, hint="Say 'strategy: replace' for this entry.")
    if entry.watched:
        message = f"'self' names {quoted(entry.name)}, which is only watched: its secret is delivered nowhere."
        yield Fault(named.position, message, hint=f"Give it a destination under 'deliver' at {entry.position}.")
    needed = (*_NEEDED, scopes.ROTATE) if any(other.in_place for other in entries) else _NEEDED
    missing = [scope for scope in needed if scope not in entry.scopes]
    if missing:
        yield Fault(
            entry.where("scopes"),
            f"{quoted(entry.name)} runs tooken-ci ('self' at {named.position}) but lacks {listed(missing)}.",
            hint="Add what it lacks: without it a run cannot finish its work.",
        )

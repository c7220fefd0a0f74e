"""What of a spec a run sees to: all of it, some entries, what is due, or what is to be rotated now."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from tooken_ci.base.errors import UsageError
from tooken_ci.base.text import quoted
from tooken_ci.plan.model import Cause, EntryPlan
from tooken_ci.spec.shown import suggestion

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection

    from tooken_ci.spec.model import Spec

_LONGEST_HINT = 300
_DUE = frozenset({Cause.TIME, Cause.REPAIR})


@dataclasses.dataclass(frozen=True, kw_only=True)
class Focus:
    """What of a spec a run sees to. Where it is not all, ``absent`` and ``prune`` are left alone.

    Attributes:
        names: the entries; None = all of them.
        due: only what is due, or what an earlier run left unfinished; what the spec asks for beyond that waits.
        forced: the entries are rotated, whatever their age.
    """

    names: frozenset[str] | None = None
    due: bool = False
    forced: bool = False

    @property
    def whole(self) -> bool:
        """Whether it is all of the spec."""
        return self.names is None and not self.due

    def sees(self, entry: str) -> bool:
        """Whether the run sees to an entry."""
        return self.names is None or entry in self.names

    def forces(self, entry: str) -> bool:
        """Whether an entry is rotated, whatever its age."""
        return self.forced and self.sees(entry)

    def part(self, plan: EntryPlan) -> EntryPlan:
        """The part of an entry's plan that the run sees to."""
        if not self.due:
            return plan
        return dataclasses.replace(plan, actions=tuple(action for action in plan.actions if action.cause in _DUE))


EVERYTHING = Focus()


def only(spec: Spec, names: Collection[str]) -> Focus:
    """Some entries of a spec; all of it where no name is given.

    Raises:
        UsageError: the spec declares no such entry.
    """
    if not names:
        return EVERYTHING
    declared = {entry.name for entry in spec.entries}
    for name in names:
        if any(lease.name == name for lease in spec.leases):
            raise UsageError(
                f"{quoted(name)} is ephemeral: its tokens are made for one job each.",
                hint=f"Use 'tooken-ci lease {name}'.",
            )
        if name not in declared:
            hint = suggestion(name, sorted(declared), what="Its tokens")
            short = hint if len(hint) <= _LONGEST_HINT else "Give the name of an entry."
            raise UsageError(f"The spec declares no token {quoted(name)}.", hint=short)
    return Focus(names=frozenset(names))


def rotation(
    spec: Spec, names: Collection[str], *, overlap: dt.timedelta | None = None, in_place: bool | None = None
) -> tuple[Spec, Focus]:
    """What a rotation by hand sees to, and the spec as it stands for it.

    Args:
        spec: what the team wants.
        names: the entries to rotate now; where none is given, what is due.
        overlap: how long the old secrets live on, instead of what the entries say.
        in_place: the strategy, instead of what the entries say.

    Raises:
        UsageError: the spec declares no such entry, or one cannot be rotated.
    """
    focus = only(spec, names)
    asked = [entry for entry in spec.entries if focus.sees(entry.name)]
    for entry in asked:
        if names and entry.watched:
            raise UsageError(
                f"{quoted(entry.name)} is only watched: without a destination its new secret would be lost.",
                hint="Give it a destination under 'deliver'.",
            )
        lacking = next((target for target in entry.deliver if not target.keeps_record), None)
        if in_place and lacking is not None:
            raise UsageError(
                f"{quoted(entry.name)} cannot be rotated in place: {quoted(lacking.place)} keeps no delivery record.",
                hint="Leave out --strategy in_place, or give other names.",
            )
    changed = {
        entry.name: dataclasses.replace(
            entry,
            overlap=entry.overlap if overlap is None else overlap,
            in_place=entry.in_place if in_place is None else in_place,
        )
        for entry in asked
    }
    entries = tuple(changed.get(entry.name, entry) for entry in spec.entries)
    return dataclasses.replace(spec, entries=entries), dataclasses.replace(focus, due=not names, forced=bool(names))

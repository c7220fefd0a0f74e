"""Looks at destinations: those that one look serves together, and the groups side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tooken_ci.apply.side_by_side import side_by_side

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tooken_ci.apply.context import Context
    from tooken_ci.base.record import Look
    from tooken_ci.spec.model import Entry, Target


def look_at(context: Context, targets: Iterable[Target]) -> Mapping[str, Look]:
    """What stands at each of some targets now, by place.

    Raises:
        StoppedError: the run is to end.
    """
    groups: dict[tuple[str, str, str], list[Target]] = {}
    for target in targets:
        alone = "" if target.group else target.place
        groups.setdefault((target.kind, target.group, alone), []).append(target)

    def look(group: Sequence[Target]) -> Sequence[Look]:
        context.clock.check()
        return context.look(group)

    together = list(groups.values())
    looked = side_by_side(look, together, context.workers)
    return {
        target.place: found
        for group, looks in zip(together, looked, strict=True)
        for target, found in zip(group, looks, strict=True)
    }


def look_at_entry(context: Context, entry: Entry) -> tuple[Look, ...]:
    """What stands at each destination of an entry now, in their order."""
    looks = look_at(context, entry.deliver)
    return tuple(looks[target.place] for target in entry.deliver)

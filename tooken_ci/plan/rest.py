"""Whether an entry is at rest. Most of a large spec mostly is; the lifecycle need not be gone through for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tooken_ci.plan import due
from tooken_ci.plan.difference import differences

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from tooken_ci.base.record import Look
    from tooken_ci.spec.model import Entry
    from tooken_ci.tooken.model import Token


def at_rest(
    entry: Entry,
    lone: Token | None,
    *,
    workspace: str,
    looks: Mapping[str, Look],
    now: dt.datetime,
) -> bool:
    """Whether an entry's plan is certainly empty: its one token is as it asks, not due, and held at each destination.

    False says nothing: ``plan_entry`` may still find nothing to do or to tell.

    Args:
        entry: the entry; whether it breaks the policy is not looked at.
        lone: its living token, if it has only this one; None where it has none or several.
        workspace: the label that its records must bear.
        looks: what a look at each destination found, by place.
        now: the server's time.
    """
    if lone is None or entry.watched or entry.expires_at is not None or entry.in_place:
        return False
    for target in entry.deliver:
        look = looks[target.place]
        held = look.held
        if (
            held is None
            or held.id != lone.id
            or look.record is None
            or look.record.workspace != workspace
            or look.marks
        ):
            return False
    return not differences(entry, lone) and not due.reasons(entry, lone, now)

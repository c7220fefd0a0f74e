"""Whether an entry is at rest. Most of a large spec is, at most times; the lifecycle need not be gone through for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tooken_ci.plan import due
from tooken_ci.plan.difference import differences
from tooken_ci.plan.view import family

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from tooken_ci.base.record import Look
    from tooken_ci.plan.model import Generation
    from tooken_ci.spec.model import Entry


def at_rest(
    entry: Entry,
    *,
    workspace: str,
    generations: Mapping[str, Sequence[Generation]],
    looks: Mapping[str, Look],
    now: dt.datetime,
) -> bool:
    """Whether an entry's plan is certainly empty: its one token is as it asks, not due, and held at each destination.

    False says nothing: ``plan_entry`` may still find nothing to do or to tell.

    Args:
        entry: the entry; whether it breaks the policy is not looked at.
        workspace: the label that its records must bear.
        generations: those of every name, as ``grouped`` gives them.
        looks: what a look at each destination found, by place.
        now: the server's time.
    """
    living = family(entry, generations)
    if len(living) != 1 or entry.watched or entry.expires_at is not None:
        return False
    token = living[0].token
    for target in entry.deliver:
        look = looks[target.place]
        held = look.held
        if held is None or held.id != token.id or look.record is None or look.record.workspace != workspace:
            return False
    return not differences(entry, token) and not due.reasons(entry, token, now)

"""What a plan costs in requests, told before it is paid."""

from __future__ import annotations

import dataclasses
import math
from itertools import groupby
from typing import TYPE_CHECKING

from tooken_ci.plan.model import ActionKind, Origin
from tooken_ci.tooken.listing import pages
from tooken_ci.tooken.quota import WINDOW

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tooken_ci.plan.model import Action, Plan
    from tooken_ci.tooken.model import Token
    from tooken_ci.tooken.quota import Allowance

MINT_TRIES = 3
"""How many names are tried for one new token, where earlier ones turn out to be taken."""

PROOF_TRIES = 11
"""How often a new secret may be tried before it counts as not proven."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Price:
    """Requests to the API.

    Attributes:
        spent: for the plan itself.
        apply: what apply will take, exact when nothing fails, no name is reserved and nobody else writes.
        at_most: what it takes at most, requests repeated after a network fault aside, and each look-up of a taken name
            counted as one page.
        seconds: how long the allowance makes apply wait, as far as can be told.
    """

    spent: int
    apply: int
    at_most: int
    seconds: int


def price(plan: Plan, tokens: Iterable[Token], *, spent: int, allowance: Allowance) -> Price:
    """What a plan costs.

    Args:
        plan: the plan; actions that apply may not do cost nothing.
        tokens: every active token of the workspace.
        spent: requests that the plan itself took.
        allowance: what is left of the rate limit.
    """
    actions = [action for action in plan.actions if plan.permits(action)]
    names = [token.name.lower() for token in tokens]
    minted = sum(action.mints for action in actions)
    probes = (minted > 0) + any(action.kind is ActionKind.REVOKE for action in actions)
    requests = probes
    for _, of_one in groupby(actions, key=lambda action: (action.origin, action.entry)):
        requests += _entry(list(of_one), names)
    spare = minted * ((MINT_TRIES - 1) * 2 + (PROOF_TRIES - 1) + 1)
    return Price(spent=spent, apply=requests, at_most=requests + spare, seconds=_seconds(requests, allowance))


def _entry(actions: Sequence[Action], names: list[str]) -> int:
    """Requests for one entry; ``names`` follows what they make and revoke."""
    requests = 0
    for action in actions:
        if action.mints:
            requests += 2  # the creation and the proof
            names.append(action.token.lower())
        elif action.kind is ActionKind.REDELIVER:
            requests += _look_up(action.entry, names)
    revocations = [action for action in actions if action.kind is ActionKind.REVOKE]
    if revocations:
        requests += _look_up(actions[0].entry, names) + len(revocations)
        for action in revocations:
            names.remove(action.token.lower())
    return requests


def _look_up(name: str, names: Sequence[str]) -> int:
    wanted = name.lower()
    return pages(sum(wanted in other for other in names))


def _seconds(requests: int, allowance: Allowance) -> int:
    if allowance.limit is None or allowance.remaining is None or requests <= allowance.remaining:
        return 0
    later = requests - allowance.remaining
    return math.ceil(allowance.resets_in + (math.ceil(later / allowance.limit) - 1) * WINDOW)


def removals_by_entry(plan: Plan, origin: Origin) -> list[tuple[str, list[Action]]]:
    """The revocations by ``absent`` or ``prune``, grouped by the name that one look-up covers."""
    actions = [action for action in plan.removals if action.origin is origin and plan.permits(action)]
    return [(name, list(group)) for name, group in groupby(actions, key=lambda action: action.entry)]

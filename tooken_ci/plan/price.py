"""What a plan costs in requests, told before it is paid."""

from __future__ import annotations

import dataclasses
import math
from itertools import groupby
from typing import TYPE_CHECKING

from tooken_ci.plan.busy import LOOKS
from tooken_ci.plan.model import ActionKind, Origin, ProblemCode
from tooken_ci.tooken.listing import PER_PAGE, pages
from tooken_ci.tooken.window import WINDOW

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tooken_ci.plan.model import Action, Plan
    from tooken_ci.tooken.model import Token
    from tooken_ci.tooken.quota import Allowance

REQUESTS_OF_A_MINT = 2
"""The creation and the proof."""

REQUESTS_OF_A_ROTATION = 2
"""The rotation and the proof; the look-up before apart."""

ROTATE_TRIES = 2
"""How often a rotation is asked for, where the answer to the first is lost."""

MINT_TRIES = 3
"""How many names are tried for one new token, where earlier ones turn out to be taken."""

PROOF_TRIES = 11
"""How often a new secret may be tried before it counts as not proven."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Price:
    """Requests to the API.

    Attributes:
        spent: for the plan itself.
        apply: what apply will take, exact when nothing fails, no name is reserved and nobody else writes; what makes
            an entry busy is taken for the remains of a run that died.
        at_most: what it takes at most, requests repeated after a network fault aside, and each look-up of a taken name
            counted as one page.
        seconds: how long the allowance makes apply wait, as far as can be told.
    """

    spent: int
    apply: int
    at_most: int
    seconds: int


def price(
    plan: Plan,
    tokens: Iterable[Token],
    *,
    spent: int,
    allowance: Allowance,
    per_page: int = PER_PAGE,
    reserve: int = 0,
) -> Price:
    """What a plan costs.

    Args:
        plan: the plan; actions that apply may not do cost nothing.
        tokens: every active token of the workspace.
        spent: requests that the plan itself took.
        allowance: what is left of the rate limit.
        per_page: how many tokens the server gives on a page.
        reserve: how many requests of each window are left to others.
    """
    actions = [action for action in plan.actions if plan.permits(action, once_aged=True)]
    names = _Names((token.name for token in tokens), per_page)
    minted = sum(action.mints for action in actions)
    rotated = sum(action.kind is ActionKind.ROTATE for action in actions)
    probes = (minted > 0) + (rotated > 0) + any(action.kind is ActionKind.REVOKE for action in actions)
    requests = probes
    previously = {entry.entry: entry.previously for entry in plan.entries}
    busy = {entry.entry for entry in plan.entries if entry.stopped and entry.stopped.code is ProblemCode.BUSY}
    spare = minted * ((MINT_TRIES - 1) * 2 + (PROOF_TRIES - 1) + 1) + rotated * (ROTATE_TRIES - 1 + PROOF_TRIES - 1)
    for (origin, entry), of_one in groupby(actions, key=lambda action: (action.origin, action.entry)):
        own, of_entry = (entry, *previously.get(entry, ())), list(of_one)
        looked_at = origin is Origin.ENTRY and entry in busy
        requests += sum(map(names.look_up, own)) if looked_at else 0
        requests += _entry(own, of_entry, names)
        spare += LOOKS * sum(_once_more(action, own) for action in of_entry)
    return Price(spent=spent, apply=requests, at_most=requests + spare, seconds=_seconds(requests, allowance, reserve))


def _entry(own: Sequence[str], actions: Sequence[Action], names: _Names) -> int:
    """Requests for one entry, looked up under each of its own names; ``names`` follows what is made and revoked."""
    requests = 0
    for action in actions:
        if action.mints:
            requests += 2  # the creation and the proof
            names.add(action.token)
        elif action.kind is not ActionKind.REVOKE:  # a redeliver, or a rotate
            requests += sum(map(names.look_up, own))
            requests += REQUESTS_OF_A_ROTATION if action.kind is ActionKind.ROTATE else 0
    revocations = [action for action in actions if action.kind is ActionKind.REVOKE]
    if revocations:
        requests += sum(map(names.look_up, own)) + len(revocations)
        for action in revocations:
            names.remove(action.token)
    return requests


def _once_more(action: Action, own: Sequence[str]) -> int:
    """What it takes at most to look again at an entry that turned out to be busy while it was served.

    That is the look-up, the ids that records name by then, and what was spent on the action in vain.
    """
    if action.kind is ActionKind.REVOKE:
        return 0
    in_vain = MINT_TRIES * 2 if action.mints else len(own)
    return len(own) + len(action.destinations) + in_vain


class _Names:
    """The names of the active tokens, as look-ups search them: one text of a line each, which is fast to search."""

    def __init__(self, names: Iterable[str], per_page: int) -> None:
        self._text = "".join(("\n", *(f"{_line(name)}\n" for name in names)))
        self._per_page = per_page

    def add(self, name: str) -> None:
        """A token of that name is made."""
        self._text += f"{_line(name)}\n"

    def remove(self, name: str) -> None:
        """The token of that name is revoked."""
        self._text = self._text.replace(f"\n{_line(name)}\n", "\n", 1)

    def look_up(self, name: str) -> int:
        """How many requests it takes to find all whose names contain that one, in any case."""
        wanted = _line(name)
        if self._text.count(wanted) <= self._per_page:  # each name that contains it counts at least once
            return 1
        return pages(sum(wanted in line for line in self._text.split("\n")), self._per_page)


def _line(name: str) -> str:
    """A name as one line in lower case; a line end inside becomes a character that no name can have."""
    return name.lower().replace("\n", "\ud800")


def _seconds(requests: int, allowance: Allowance, reserve: int) -> int:
    if allowance.limit is None or allowance.remaining is None:
        return 0
    later = requests - max(0, allowance.remaining - reserve)
    if later <= 0:
        return 0
    windows = math.ceil(later / max(1, allowance.limit - reserve))
    return math.ceil(allowance.resets_in + (windows - 1) * WINDOW)


def removals_by_entry(plan: Plan, origin: Origin) -> list[tuple[str, list[Action]]]:
    """The revocations by ``absent`` or ``prune``, grouped by the name that one look-up covers."""
    actions = [action for action in plan.removals if action.origin is origin and plan.permits(action)]
    return [(name, list(group)) for name, group in groupby(actions, key=lambda action: action.entry)]

"""What people judge a plan by, the same in every format: what becomes of each old token, what a bound holds back."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tooken_ci.base import times
from tooken_ci.base.text import count, safe
from tooken_ci.plan.model import GOING_ON, ActionKind, Origin

if TYPE_CHECKING:
    import datetime as dt

    from tooken_ci.plan.model import Action, Plan, Waiting
    from tooken_ci.plan.result import Result


class Fates:
    """What becomes of the tokens that a plan replaces."""

    def __init__(self, plan: Plan) -> None:
        self._waiting = {one.id: one for one in plan.waiting}
        self._revoked = {action.id for action in plan.actions if action.kind is ActionKind.REVOKE}
        self._replaced = {action.id for action in plan.actions if action.replaces}

    def waiting(self, action: Action) -> Waiting | None:
        """What holds back the revocation of the token that an action replaces; None where nothing does."""
        return self._waiting.get(action.id or "") if action.replaces else None

    def of(self, action: Action) -> str:
        """What becomes of the token that an action replaces, in words; empty where that is not known."""
        waiting = self.waiting(action)
        if waiting is not None:
            return f"revoked not before {times.show(waiting.revoke_after)}: {waiting.held_by}"
        return "revoked by this plan" if action.replaces and action.id in self._revoked else ""

    def told(self, action: Action) -> bool:
        """Whether the revocation that an action is has been told where the token is replaced."""
        return action.kind is ActionKind.REVOKE and action.id in self._replaced

    def others(self, plan: Plan) -> list[Waiting]:
        """What waits to be revoked without being replaced by this very plan."""
        return [one for one in plan.waiting if one.id not in self._replaced]


def or_idle(actions: str, plan: Plan) -> str:
    """The actions in words, or that there are none: of entries that were not planned that tells nothing."""
    return actions or ("nothing else to do" if plan.unplanned else "nothing to do")


def left_alone(plan: Plan) -> str:
    """What the totals count beside the actions, as their end: entries without any, tokens that are nobody's."""
    if plan.by_hand:
        return "."
    counts = [f"{plan.unchanged} unchanged", f"{plan.unmanaged} unmanaged"]
    if plan.unplanned:
        codes = dict.fromkeys(str(problem.code) for entry in plan.unplanned for problem in entry.problems)
        counts.insert(0, f"{count(len(plan.unplanned), 'entry')} not planned ({', '.join(codes)})")
    return f"; {', '.join(counts)}."


def last_use(at: dt.datetime | None) -> str:
    """``last used 2026-11-23T19:20:15Z``, or ``never used``."""
    return "never used" if at is None else f"last used {times.show(at)}"


def held_back(plan: Plan, action: Action, *, applied: bool = False) -> str:
    """Why apply will not do an action, in words; empty where it will, or where it was applied and waited for."""
    if plan.permits(action, once_aged=applied):
        return ""
    if plan.blocks and action.cause not in GOING_ON:
        return f"blocked by {', '.join(block.code for block in plan.blocks)}"
    return str(plan.stopped_by(action) or "")


def ending(result: Result) -> str:
    """Why an action did not end well, or which stores took the secret on trust, in words; empty where neither is so."""
    unread = f"accepted, not read back: {', '.join(map(safe, result.unread))}" if result.unread else ""
    return "; ".join(filter(None, (result.error, unread)))


def going_on(plan: Plan) -> str:
    """How much of a blocked plan is done all the same; empty where nothing is blocked or there is nothing to do."""
    if not plan.blocks or not plan.actions:
        return ""
    done = sum(plan.permits(action) for action in plan.actions)
    if len(plan.actions) == 1 and done:
        return "Apply does the one action all the same: it is due or unfinished."
    if len(plan.actions) == 1:
        return "Apply does not do the one action: it is neither due nor unfinished."
    total = count(len(plan.actions), "action")
    if not done:
        return f"Apply does none of the {total}: none is due or unfinished."
    return f"Apply does {done} of the {total} all the same: what is due or unfinished."


def shortened(plan: Plan, most: int) -> tuple[list[Action], list[str]]:
    """The actions to show, and how many more there are of each kind.

    What ``absent`` and ``prune`` revoke counts for itself, so that the rest never crowds it out.

    Args:
        plan: the plan.
        most: how many of a kind are shown.
    """
    shown: list[Action] = []
    seen: Counter[str] = Counter()
    for action in plan.actions:
        kind = f"to {action.kind}" if action.origin is Origin.ENTRY else f"to revoke by {action.origin}"
        seen[kind] += 1
        if seen[kind] <= most:
            shown.append(action)
    return shown, [f"{number - most} more {kind}" for kind, number in seen.items() if number > most]

"""The safety bounds: how much one apply may change. They hold for small workspaces too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tooken_ci.base.text import count
from tooken_ci.plan.model import Action, ActionKind, Block, Cause

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tooken_ci.spec.model import Bound, Spec

_DEFAULT_REVOCATIONS = 5
_DEFAULT_CHANGES = 10


def check(
    spec: Spec, *, actions: Sequence[Action], removals: Sequence[Action], managed: int, allow_empty: bool
) -> list[Block]:
    """What forbids the plan as a whole; empty where nothing does.

    Args:
        spec: for its policy.
        actions: what the entries ask for.
        removals: what ``absent`` and ``prune`` ask for.
        managed: how many active tokens the spec covers.
        allow_empty: a spec that declares nothing may prune.
    """
    blocks = []
    if not (spec.entries or spec.leases) and spec.prune and not allow_empty:
        blocks.append(
            Block(
                code="empty_tokens",
                message="The spec declares no tokens, but 'prune' would revoke what it matches.",
                hint="Look whether the tokens were lost by mistake; --allow-empty says that they were not.",
            )
        )
    allowed, how = _revocations(spec.policy.max_revocations, managed)
    if len(removals) > allowed:
        blocks.append(
            Block(
                code="max_revocations",
                message=f"'absent' and 'prune' would revoke {count(len(removals), 'token')}; {how}.",
                hint="Raise policy.max_revocations if all of them shall go.",
                found=len(removals),
                allowed=allowed,
            )
        )
    changes = [action for action in actions if _counts(action)]
    allowed, how = _changes(spec.policy.max_changes, len(spec.entries))
    if len(changes) > allowed:
        blocks.append(
            Block(
                code="max_changes",
                message=f"{count(len(changes), 'token')} that destinations hold would be replaced; {how}.",
                hint="Raise policy.max_changes if all of them shall change at once.",
                found=len(changes),
                allowed=allowed,
            )
        )
    return blocks


def _counts(action: Action) -> bool:
    changing = action.kind in {ActionKind.REPLACE, ActionKind.ROTATE}
    return changing and action.held and action.cause in {Cause.SPEC, Cause.DRIFT}


def _revocations(bound: Bound | None, managed: int) -> tuple[int, str]:
    if bound is not None:
        allowed = bound.of(managed)
        return allowed, f"policy.max_revocations {bound} allows {allowed} of {managed} managed"
    allowed = max(1, min(_DEFAULT_REVOCATIONS, managed // 4))
    return allowed, (
        f"at most {allowed} may go at once (the smaller of {_DEFAULT_REVOCATIONS} and a quarter of the {managed} "
        "managed, but at least 1)"
    )


def _changes(bound: Bound | None, entries: int) -> tuple[int, str]:
    if bound is not None:
        allowed = bound.of(entries)
        return allowed, f"policy.max_changes {bound} allows {allowed} of {count(entries, 'entry')}"
    allowed = max(_DEFAULT_CHANGES, entries // 2)
    return (
        allowed,
        f"at most {allowed} may at once (half of {count(entries, 'entry')}, but at least {_DEFAULT_CHANGES})",
    )

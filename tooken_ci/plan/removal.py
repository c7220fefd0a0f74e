"""Rule 5: what ``absent`` and ``prune`` revoke. Leases are never pruned; what nobody declared is never touched."""

from __future__ import annotations

import fnmatch
import re
from typing import TYPE_CHECKING

from tooken_ci.base import naming
from tooken_ci.base.text import quoted
from tooken_ci.plan.model import Action, ActionKind, Cause, Generation, Origin

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tooken_ci.plan.view import Generations
    from tooken_ci.spec.model import Spec
    from tooken_ci.tooken.model import Token


def absent(spec: Spec, generations: Generations) -> list[Action]:
    """The revocation of every active generation of the names in ``absent``, by name."""
    return [
        _revoke(generation, name, Origin.ABSENT, "its name stands in 'absent'")
        for name in sorted(named.text for named in spec.absent)
        for generation in generations.of(name)
    ]


def prune(spec: Spec, others: Iterable[Token]) -> list[Action]:
    """The revocation of active tokens that a pattern of ``prune`` matches and that no entry declares, by name."""
    if not spec.prune:
        return []
    patterns = [(named.text, re.compile(fnmatch.translate(named.text))) for named in spec.prune]
    actions = []
    for token in sorted(others, key=lambda token: naming.split(token.name)):
        matching = next((text for text, pattern in patterns if pattern.match(token.name)), None)
        if matching is not None and not naming.is_lease(token.name):
            name, number = naming.split(token.name)
            generation = Generation(number=number, token=token)
            reason = f"no entry declares it and the prune pattern {quoted(matching)} matches it"
            actions.append(_revoke(generation, name, Origin.PRUNE, reason))
    return actions


def _revoke(generation: Generation, name: str, origin: Origin, reason: str) -> Action:
    token = generation.token
    return Action(
        kind=ActionKind.REVOKE,
        origin=origin,
        entry=name,
        token=token.name,
        number=generation.number,
        id=token.id,
        cause=Cause.SPEC,
        reasons=(reason,),
        scopes=tuple(sorted(token.scopes)),
        expires_at=token.expires_at,
        last_used_at=token.last_used_at,
    )

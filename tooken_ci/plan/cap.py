"""The cap on living generations: at it nothing is minted, and the entry fails with what would free a place."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from tooken_ci.base import naming
from tooken_ci.base.record import State
from tooken_ci.base.text import count, quoted, safe
from tooken_ci.plan.model import Problem, ProblemCode
from tooken_ci.plan.unrecorded import may_stand
from tooken_ci.spec.life import MOST_LIVING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tooken_ci.base.record import Look
    from tooken_ci.plan.model import Action, Generation
    from tooken_ci.plan.view import EntryView

MAX_LIVING = MOST_LIVING
"""So many generations of an entry may be alive."""


def full(view: EntryView, going: Sequence[Action]) -> Problem:
    """That the cap is reached, and how to free a place.

    Args:
        view: the entry.
        going: the revocations that this very run does; none of them is advised.
    """
    gone = {action.id for action in going}
    left = [one for one in view.generations if one.token.id not in gone and not _recorded(view, one)]
    free = [one for one in left if not _marked(view, one)]
    advice = []
    if gone:
        names = ", ".join(quoted(action.token) for action in going)
        advice.append(f"This run revokes {names}: run again after it.")
    if free:
        advice.append(f"{_commands(free)} would free a place: no destination's record names it.")
    elif left and not gone:
        places = ", ".join(quoted(target.place) for target, look in view.places if _unsure(look, left))
        advice.append(
            f"{_commands(left)} would free a place: no destination's record names it, but a run that did not finish "
            f"may have left its secret at {places}; apply right afterwards, which delivers a new one there."
        )
    if not advice:
        advice.append("A destination's record or mark names each of them: see what keeps the newest from being there.")
    return Problem(
        code=ProblemCode.CAP,
        entry=view.entry.name,
        message=f"{count(len(view.generations), 'generation')} of it are alive, and no more than {MAX_LIVING} may be.",
        hint=" ".join(advice),
        stops=False,
    )


def _recorded(view: EntryView, generation: Generation) -> bool:
    """Whether a destination's record names it, one cannot be asked, or a run may be about to deliver it."""
    token = generation.token
    if view.now - token.created_at < view.terms.busy_grace:
        return True
    return any(
        look.state is State.UNKNOWN
        or (look.recorded is not None and look.recorded.id == token.id)
        or (look.written_at is not None and look.held is None and may_stand(look, token))
        for look in view.looks
    )


def _marked(view: EntryView, generation: Generation) -> bool:
    """Whether a run that did not finish may have left it at a destination."""
    return any(_unsure(look, [generation]) for look in view.looks)


def _unsure(look: Look, generations: Sequence[Generation]) -> bool:
    names = {generation.token.name for generation in generations}
    return not _certain(look) and any(mark.name in names for mark in look.marks)


def _commands(generations: Sequence[Generation]) -> str:
    return " or ".join(f"'tooken-ci revoke {_argument(one)}'" for one in generations)


def _certain(look: Look) -> bool:
    """Whether the value itself was seen to be the recorded one, so that a run that left its mark wrote nothing."""
    return look.state is State.HOLDS and look.readable and not look.value_newer


def _argument(generation: Generation) -> str:
    return shlex.quote(safe(naming.alone(generation.token.name)))

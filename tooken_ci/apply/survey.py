"""Reads what is: the workspace, what each destination holds, and the recorded ids that are not active. Then plans."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from tooken_ci.apply.bounded import bounded
from tooken_ci.apply.side_by_side import side_by_side
from tooken_ci.base.errors import StoppedError
from tooken_ci.plan.lifecycle import make_plan
from tooken_ci.plan.price import Price, price
from tooken_ci.plan.view import recorded_ids
from tooken_ci.tooken.model import Status

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tooken_ci.apply.context import Context
    from tooken_ci.base.record import Look
    from tooken_ci.plan.model import Plan
    from tooken_ci.spec.model import Target
    from tooken_ci.tooken.model import Token


@dataclasses.dataclass(frozen=True, kw_only=True)
class Survey:
    """What was found, and the plan that was made from it.

    Attributes:
        tokens: every active token of the workspace.
        looks: what a look at each destination found, by place.
        facts: for each recorded id that is not active: the token, or None where the workspace does not know it.
        plan: the list of changes to make.
        price: what they cost.
    """

    tokens: tuple[Token, ...]
    looks: Mapping[str, Look]
    facts: Mapping[str, Token | None]
    plan: Plan
    price: Price


def survey(context: Context, *, allow_empty: bool = False) -> Survey:
    """Read the live state and plan from it; changes nothing.

    It takes ``max(1, ceil(active / 100))`` requests, and one for each recorded id that is not among the active.

    Raises:
        WorkspaceError: the list of tokens kept changing while it was read.
        ApiError: the workspace could not be read.
        StoppedError: the run is to end.
    """
    return bounded(lambda: _survey(context, allow_empty=allow_empty), context.clock, lambda: _hangs(context))


def _hangs(context: Context) -> Survey:
    context.clock.check()
    raise StoppedError("The run had to end while it was reading the workspace.")


def _survey(context: Context, *, allow_empty: bool) -> Survey:
    client, spec = context.client, context.spec
    before = client.sent
    tokens = client.active()
    targets = [target for entry in spec.entries for target in entry.deliver]
    looked = side_by_side(lambda target: _look(context, target), targets, context.workers)
    looks = {target.place: look for target, look in zip(targets, looked, strict=True)}
    unknown = list(recorded_ids(looks.values(), tokens))
    found = side_by_side(lambda token_id: _fact(context, token_id), unknown, context.workers)
    facts = dict(zip(unknown, found, strict=True))
    # one that was made after the list was read, or fell between two of its pages, lives all the same
    tokens += tuple(fact for fact in facts.values() if fact is not None and fact.status is Status.ACTIVE)
    plan = make_plan(
        spec,
        tokens=tokens,
        looks=looks,
        facts=facts,
        now=client.now(),
        run=context.run,
        allow_empty=allow_empty,
        terms=context.terms,
    )
    cost = price(
        plan,
        tokens,
        spent=client.sent - before,
        allowance=client.allowance,
        per_page=client.per_page,
        reserve=client.allowance.reserved,
    )
    return Survey(tokens=tokens, looks=looks, facts=facts, plan=plan, price=cost)


def _look(context: Context, target: Target) -> Look:
    context.clock.check()
    return context.open(target).look()


def _fact(context: Context, token_id: str) -> Token | None:
    context.clock.check()
    return context.client.get(token_id)

"""Reads what is: the workspace, what each destination holds, and the recorded ids that are not active. Then plans."""

from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from tooken_ci.apply.bounded import bounded
from tooken_ci.apply.looks import look_at
from tooken_ci.apply.side_by_side import side_by_side
from tooken_ci.base import naming
from tooken_ci.base.errors import SavedPlanError, StoppedError
from tooken_ci.plan.focus import EVERYTHING
from tooken_ci.tooken.model import Status

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from tooken_ci.apply.context import Context
    from tooken_ci.base.record import Look
    from tooken_ci.plan.focus import Focus
    from tooken_ci.plan.model import Plan
    from tooken_ci.plan.price import Price
    from tooken_ci.plan.saved import SavedPlan
    from tooken_ci.spec.model import Spec
    from tooken_ci.tooken.model import Token


@dataclasses.dataclass(frozen=True, kw_only=True)
class Survey:
    """What was found, and the plan that was made from it.

    Attributes:
        tokens: every active token of the workspace.
        looks: what a look at each destination found, by place.
        facts: for each recorded id that is not active: the token, or None where the workspace does not know it.
        rotations: when a token's secret was last made anew, by id, as the audit log tells; None = it was not read.
        focus: what of the spec the run sees to.
        planned_at: the time of the saved plan that is to be found again; None = there is none.
        plan: the list of changes to make.
        price: what they cost.
    """

    tokens: tuple[Token, ...]
    looks: Mapping[str, Look]
    facts: Mapping[str, Token | None]
    rotations: Mapping[str, dt.datetime] | None
    plan: Plan
    price: Price
    focus: Focus = EVERYTHING
    planned_at: dt.datetime | None = None


def survey(
    context: Context, *, allow_empty: bool = False, focus: Focus = EVERYTHING, saved: SavedPlan | None = None
) -> Survey:
    """Read the live state and plan from it; changes nothing.

    It takes ``max(1, ceil(active / 100))`` requests, and one for each recorded id that is not among the active; where
    an entry rotates in place, also one for each 100 rotations since the oldest secret of such an entry was made.

    Args:
        context: of the run.
        allow_empty: a spec that declares nothing may prune.
        focus: what of the spec the run sees to.
        saved: the plan that is to be found again; what rule 4 allows beyond it is left out.

    Raises:
        SavedPlanError: the saved plan is too old, or does not fit what is.
        WorkspaceError: the list of tokens kept changing while it was read.
        ApiError: the workspace could not be read.
        StoppedError: the run is to end.
    """
    return bounded(
        lambda: _survey(context, allow_empty=allow_empty, focus=focus, saved=saved),
        context.clock,
        lambda: _hangs(context),
    )


def _hangs(context: Context) -> Survey:
    context.clock.check()
    raise StoppedError("The run had to end while it was reading the workspace.")


def _survey(context: Context, *, allow_empty: bool, focus: Focus, saved: SavedPlan | None) -> Survey:
    client, spec = context.client, context.spec
    before = client.sent
    with ThreadPoolExecutor(1) as pool:
        listing = pool.submit(client.active)
        # only here, because an answer is waited for meanwhile: these take as long to import as a small plan to make
        from tooken_ci.plan.lifecycle import make_plan
        from tooken_ci.plan.price import price
        from tooken_ci.plan.view import recorded_ids

        tokens = listing.result()
    targets = [target for entry in spec.entries for target in entry.deliver]
    looks = look_at(context, targets)
    unknown = list(recorded_ids(looks.values(), tokens))
    found = side_by_side(lambda token_id: _fact(context, token_id), unknown, context.workers)
    facts = dict(zip(unknown, found, strict=True))
    # one that was made after the list was read, or fell between two of its pages, lives all the same
    tokens += tuple(fact for fact in facts.values() if fact is not None and fact.status is Status.ACTIVE)
    rotations = _rotations(context, tokens, looks)
    plan = make_plan(
        spec,
        tokens=tokens,
        looks=looks,
        facts=facts,
        now=client.now(),
        rotations=rotations,
        run=context.run,
        allow_empty=allow_empty,
        focus=focus,
        planned_at=None if saved is None else saved.planned_at,
        terms=context.terms,
    )
    if saved is not None:
        plan = _found_again(saved, plan, tokens, looks, spec)
    cost = price(
        plan,
        tokens,
        spent=client.sent - before,
        allowance=client.allowance,
        per_page=client.per_page,
        reserve=client.allowance.reserved,
    )
    return Survey(
        tokens=tokens,
        looks=looks,
        facts=facts,
        rotations=rotations,
        plan=plan,
        price=cost,
        focus=focus,
        planned_at=None if saved is None else saved.planned_at,
    )


def _fact(context: Context, token_id: str) -> Token | None:
    context.clock.check()
    return context.client.get(token_id)


def _rotations(
    context: Context, tokens: Sequence[Token], looks: Mapping[str, Look]
) -> Mapping[str, dt.datetime] | None:
    """Who rotates a token in the dashboard kills the secret that was delivered, and only the audit log tells."""
    names = {name for entry in context.spec.entries if entry.in_place and not entry.watched for name in entry.names}
    found = {token.id: token.created_at for token in tokens if naming.split(token.name)[0] in names}
    if not found:
        return None
    for look in looks.values():
        if look.recorded is not None and look.recorded.id in found:
            found[look.recorded.id] = max(look.recorded.at, found[look.recorded.id])
    context.clock.check()
    return context.client.rotations(since=min(found.values()))


def _found_again(saved: SavedPlan, plan: Plan, tokens: Sequence[Token], looks: Mapping[str, Look], spec: Spec) -> Plan:
    """The part of a plan that a saved one covers; only here are saved plans imported: most runs have none."""
    from tooken_ci.apply.planfile import AGAIN
    from tooken_ci.plan import since
    from tooken_ci.plan.saved import seen

    told = list(since.age(saved.planned_at, plan.now)) or list(
        since.differences(saved, plan, seen(spec, tokens, looks))
    )
    if told:
        raise SavedPlanError("The saved plan no longer fits:", differences=since.left(told), hint=AGAIN)
    return since.narrowed(saved, plan)

"""``revoke``: tokens that a person names are looked up freshly, shown with what breaks, and revoked."""

from __future__ import annotations

import dataclasses
import shlex
from typing import TYPE_CHECKING

from tooken_ci.apply.bounded import bounded
from tooken_ci.apply.looks import look_at
from tooken_ci.apply.meant import Meant, meant, unknown
from tooken_ci.base import naming, times
from tooken_ci.base.errors import (
    ApiError,
    NotTheApiError,
    RefusedError,
    StoppedError,
    UnreachableError,
)
from tooken_ci.base.record import State
from tooken_ci.base.text import quoted, safe
from tooken_ci.plan.model import Action, ActionKind, Cause, EntryPlan, Plan
from tooken_ci.plan.price import Price
from tooken_ci.plan.result import Outcome, Result, ResultStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tooken_ci.apply.context import Context
    from tooken_ci.base.record import Look
    from tooken_ci.tooken.model import Token


def find(context: Context, names: Sequence[str]) -> tuple[Plan, Price]:
    """What the names mean, freshly looked up, and what breaks when it is revoked. Changes nothing.

    Args:
        context: its spec tells what breaks; one without entries tells nothing.
        names: of entries (all of their active generations) or of single tokens, exactly.

    Raises:
        RefusedError: a name is unknown or ambiguous, or one of the tokens is known to be the one that runs this.
        ApiError: the workspace could not be read.
        WorkspaceError: a list kept changing while it was read.
        StoppedError: the run is to end.
    """
    return bounded(lambda: _find(context, names), context.clock, lambda: _hangs(context))


def _hangs(context: Context) -> tuple[Plan, Price]:
    context.clock.check()
    raise StoppedError("The run had to end while it was looking the tokens up; nothing was changed.")


def _find(context: Context, names: Sequence[str]) -> tuple[Plan, Price]:
    before = context.client.sent
    found = [meant(context, name) for name in dict.fromkeys(names)]
    if strange := [one.name for one in found if not one.known]:
        raise unknown(context, strange)
    targets = [target for entry in context.spec.entries for target in entry.deliver]
    looks = look_at(context, targets)
    _refuse_the_running(context, found, looks)
    seen: set[str] = set()
    entries = []
    for one in sorted(found, key=lambda one: (one.entry is not None and one.entry.name == context.spec.own, one.name)):
        tokens = [token for token in one.tokens if token.id not in seen]
        seen |= {token.id for token in tokens}
        if context.spec.own and one.entry is not None and one.entry.name == context.spec.own:
            tokens.sort(key=lambda token: times.show(token.last_used_at) if token.last_used_at else "")
        warnings = [warning for token in tokens for warning in _breaks(one, token, looks)]
        actions = tuple(_revocation(one, token) for token in tokens)
        entries.append(EntryPlan(entry=one.name, actions=actions, warnings=(*_notes(one), *warnings)))
    plan = Plan(
        workspace=context.spec.workspace,
        now=context.client.now(),
        entries=tuple(entries),
        removals=(),
        blocks=(),
        unchanged=0,
        managed=0,
        unmanaged=0,
        by_hand=True,
    )
    requests = len(seen) + 1 if seen else 0
    return plan, Price(spent=context.client.sent - before, apply=requests, at_most=requests, seconds=0)


def _refuse_the_running(context: Context, found: Iterable[Meant], looks: Mapping[str, Look]) -> None:
    """A key that revokes itself first can do nothing else; where a record tells that it would, nothing is done."""
    recorded = {look.recorded for look in looks.values() if look.recorded is not None}
    running = {held.id for held in recorded if context.client.is_token(held.id, held.fingerprint)}
    for one in found:
        for token in one.tokens:
            if token.id in running:
                raise RefusedError(
                    f"{quoted(token.name)} is the token that runs this command, so nothing was revoked.",
                    hint=f"Replace it with {_rotate(one.name)}, or run this with another key.",
                )


def _revocation(one: Meant, token: Token) -> Action:
    return Action(
        kind=ActionKind.REVOKE,
        entry=one.name,
        token=token.name,
        number=naming.split(token.name)[1],
        id=token.id,
        cause=Cause.SPEC,
        reasons=("named on the command line",),
        scopes=tuple(sorted(token.scopes)),
        expires_at=token.expires_at,
        last_used_at=token.last_used_at,
    )


def _notes(one: Meant) -> Iterator[str]:
    """What is to be told of a name as such."""
    if not one.tokens:
        yield f"{quoted(one.name)} has no active token: there is nothing to revoke."
    if one.others:
        others = ", ".join(map(quoted, one.others))
        yield f"{quoted(one.name)} is this one token only; {others} of the same name live on unless they are named too."
    if one.entry is not None and one.entry.protected and one.tokens:
        yield (
            f"{quoted(one.entry.name)} is protected; that keeps it from absent, prune and a change of scopes, "
            "and not from being revoked by hand."
        )


def _breaks(one: Meant, token: Token, looks: Mapping[str, Look]) -> Iterator[str]:
    """What breaks once a token is gone, as the delivery records tell."""
    name = quoted(token.name)
    own = {target.place for target in one.entry.deliver} if one.entry is not None else set()
    for place, look in looks.items():
        if look.recorded is not None and look.recorded.id == token.id:
            yield f"{quoted(place)} holds {name}: what takes it from there fails from then on."
        elif look.state is State.UNKNOWN:
            yield f"{quoted(place)} could not be asked whether it holds {name}: {look.reason}."
        elif look.written_at is not None and place in own:
            yield f"{quoted(place)} may hold {name}: it keeps no delivery record."
    if one.entry is None or token.id != one.current:
        return
    if one.entry.watched:
        yield f"{name} is all that {quoted(one.entry.name)} has; it is only watched, so apply makes no new one."
    else:
        yield (
            f"{name} is the current generation of {quoted(one.entry.name)} ({one.entry.position}): the next apply "
            f"makes a new one. {_rotate(one.entry.name)} would make it first, so that nothing fails in between."
        )


def _rotate(entry: str) -> str:
    return f"'tooken-ci rotate {shlex.quote(safe(entry))} --overlap 0'"


def revoke(context: Context, plan: Plan) -> Outcome:
    """Revoke what was found, one after the other.

    Raises:
        ForbiddenError: the key may not revoke; nothing was changed.
        ApiError: that could not be probed; nothing was changed.
    """
    run = _Run(context, plan)
    return bounded(run.execute, context.clock, run.abandon)


class _Run:
    def __init__(self, context: Context, plan: Plan) -> None:
        self._context = context
        self._plan = plan
        self._results: dict[Action, Result] = {}
        self._ended: StoppedError | None = None

    def execute(self) -> Outcome:
        actions = self._plan.actions
        try:
            if actions:
                self._context.clock.check()
                self._context.client.probe_revoke()
            for action in actions:
                self._context.clock.check()
                self._results[action] = result = self._revoke(action, own=self._is_last_of_own(action))
                self._context.tell(result)
                self._context.progress.step("tokens revoked", len(self._results), len(actions))
        except StoppedError as ended:
            self._ended = ended
        return self._outcome("the run ended before")

    def abandon(self) -> Outcome:
        """What can be told when the run had to end, although a request still hangs."""
        try:
            self._context.clock.check()
        except StoppedError as ended:
            self._ended = ended
        under_way = next((action for action in self._plan.actions if action not in self._results), None)
        if under_way is not None:
            why = "it was under way when the run had to end, and may have been done"
            failed = Result.of(under_way, ResultStatus.FAILED, why)
            self._results[under_way] = dataclasses.replace(failed, unclear=True)
        return self._outcome("the run ended before")

    def _is_last_of_own(self, action: Action) -> bool:
        """Whether it may end the key itself: the last of all, of the entry whose token runs tooken-ci."""
        own = next((entry for entry in self._context.spec.entries if entry.name == self._context.spec.own), None)
        of_own = own is not None and naming.split(action.token)[0] in own.names
        return of_own and action is self._plan.actions[-1]

    def _revoke(self, action: Action, *, own: bool) -> Result:
        try:
            self._context.client.revoke(action.id or "", own=own)
        except ApiError as error:
            unclear = isinstance(error, (UnreachableError, NotTheApiError))
            return dataclasses.replace(Result.of(action, ResultStatus.FAILED, str(error)), unclear=unclear)
        return Result.of(action, ResultStatus.DONE)

    def _outcome(self, why: str) -> Outcome:
        results = tuple(
            self._results.get(action) or Result.of(action, ResultStatus.SKIPPED, why) for action in self._plan.actions
        )
        changed = any(result.status is ResultStatus.DONE or result.unclear for result in results)
        return Outcome(plan=self._plan, results=results, changed=changed, ended=self._ended)

"""Plans and outcomes made by hand, with whatever words a test wants in them."""

from __future__ import annotations

import datetime as dt

from tooken_ci.plan.model import (
    Action,
    ActionKind,
    Block,
    Cause,
    EntryPlan,
    Origin,
    Plan,
    Problem,
    ProblemCode,
    Waiting,
)
from tooken_ci.plan.price import Price
from tooken_ci.plan.result import Outcome, Result, ResultStatus
from tooken_ci.render.report import Report

NOW = dt.datetime(2026, 11, 23, 19, 20, 15, tzinfo=dt.UTC)
LATER = NOW + dt.timedelta(days=1)
PRICE = Price(spent=1, apply=6, at_most=21, seconds=0)


def action(kind: ActionKind = ActionKind.CREATE, word: str = "ci", *, origin: Origin = Origin.ENTRY) -> Action:
    new = kind in {ActionKind.CREATE, ActionKind.REPLACE}
    return Action(
        kind=kind,
        origin=origin,
        entry=word,
        token=word,
        number=1,
        id=None if kind is ActionKind.CREATE else f"tok_gone_{word}" if kind is ActionKind.REVOKE else f"tok_{word}",
        cause=Cause.SPEC,
        reasons=(f"because of '{word}'",),
        scopes=("tokens:read", "tokens:write"),
        expires_at=LATER if new else None,
        expires_in=dt.timedelta(days=1) if new else None,
        replaces=f"{word}.old" if kind is ActionKind.REPLACE else "",
        last_used_at=None if kind is ActionKind.CREATE else NOW,
        revoke_after=LATER if kind is ActionKind.REPLACE else None,
        destinations=(f"file {word}",) if kind is not ActionKind.REVOKE else (),
    )


def waiting(word: str = "ci", token_id: str = "", *, used: dt.datetime | None = None) -> Waiting:
    """A retiring generation; without an id the one that the replace of the same word takes the place of."""
    return Waiting(
        entry=word,
        token=word,
        id=token_id or f"tok_{word}",
        revoke_after=LATER,
        held_by="its overlap has not passed",
        last_used_at=used,
    )


def left_out(code: str, word: str = "left") -> EntryPlan:
    """An entry that a problem keeps from being planned."""
    problem = Problem(code=ProblemCode(code), entry=word, message="It is as it is.", hint="Look at it.")
    return EntryPlan(entry=word, problems=(problem,))


def plan(
    word: str = "ci",
    *,
    kinds: tuple[ActionKind, ...] = tuple(ActionKind),
    problems: tuple[ProblemCode, ...] = tuple(ProblemCode),
    blocks: tuple[str, ...] = ("empty_tokens", "max_revocations", "max_changes", "policy"),
) -> Plan:
    """A plan with an action of every kind, and everything else that one can hold, all of it with one word in it."""
    entry = EntryPlan(
        entry=word,
        actions=tuple(action(kind, word) for kind in kinds),
        waiting=(waiting(word), waiting(word, f"tok_older_{word}", used=NOW)),
        problems=tuple(
            Problem(code=code, entry=word, message="It is as it is.", hint="Look at it.") for code in problems
        ),
        warnings=("It was used.",),
    )
    return Plan(
        workspace=word,
        now=NOW,
        entries=(entry,),
        removals=(action(ActionKind.REVOKE, word, origin=Origin.ABSENT),),
        blocks=tuple(Block(code=code, message="Too much.", hint="Raise it.", found=12, allowed=10) for code in blocks),
        unchanged=3,
        managed=5,
        unmanaged=7,
    )


def outcome(made: Plan, *, error: str = "It said no.") -> Outcome:
    """Every status there is, in turn."""
    turns = tuple(ResultStatus)
    results = tuple(
        Result.of(one, turns[index % len(turns)], "" if index % len(turns) == 0 else error)
        for index, one in enumerate(made.actions)
    )
    return Outcome(plan=made, results=results, changed=True)


def report(word: str = "ci") -> Report:
    made = plan(word)
    return Report(
        workspace=word,
        plan=made,
        price=PRICE,
        warnings=("tooken.yml:3:5: It is short.",),
        outcome=outcome(made, error=f"no '{word}'"),
        applying=True,
    )

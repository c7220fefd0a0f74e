"""What a run has to tell, and its data form, which is what ``--format json`` prints."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

from tooken_ci import __version__
from tooken_ci.base import times
from tooken_ci.base.errors import SavedPlanError
from tooken_ci.base.text import masked_data
from tooken_ci.plan.model import ActionKind
from tooken_ci.render.judging import Fates

if TYPE_CHECKING:
    import datetime as dt

    from tooken_ci.base.errors import TookenCIError
    from tooken_ci.plan.leases import LeaseResult
    from tooken_ci.plan.model import Action, Plan, Waiting
    from tooken_ci.plan.price import Price
    from tooken_ci.plan.result import Outcome, Result
    from tooken_ci.spec.model import Spec
    from tooken_ci.tooken.model import Token

FORMAT_VERSION = "1.2"

_OURS = frozenset(
    {"format_version", "tool_version", "blocked_by", "action", "cause", "code", "status"}
    | {"expires_at", "last_used_at", "revoke_after"}
)
"""Under these keys there are words of ours, and times."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Report:
    """What a plan or an apply has to tell; on failure as much of it as came to be.

    Attributes:
        workspace: the label; None where no spec could be read.
        spec: what was read, as it stands for this run; None where it could not be.
        tokens: every active token of the workspace, as it was when the plan was made.
        plan: None where none could be made.
        price: None where no plan could be made.
        spent: requests that went out before a failure; 0 where ``price`` tells.
        warnings: about the spec; the plan has its own.
        outcome: what apply did; None for a plan, and where apply did not begin.
        error: why the run failed as a whole; None where it did not.
        applying: it is an apply's.
        leases: what became of each lease; None where it is about none.
    """

    workspace: str | None = None
    spec: Spec | None = None
    tokens: tuple[Token, ...] = ()
    plan: Plan | None = None
    price: Price | None = None
    spent: int = 0
    warnings: tuple[str, ...] = ()
    outcome: Outcome | None = None
    error: TookenCIError | None = None
    applying: bool = False
    leases: tuple[LeaseResult, ...] | None = None


def as_json(report: Report) -> str:
    """The report as one JSON object, ended by a line end; nothing but ASCII, so no terminal is spoken to.

    The GitHub runner takes ``##[`` for a command wherever it stands in a line, so a string never shows it as it is.
    Each string is masked before it is escaped, and none of what stands around it.
    """
    return json.dumps(masked_data(as_data(report), _OURS), indent=2).replace("##[", "\\u0023#[") + "\n"


def as_data(report: Report) -> dict[str, Any]:
    """The report as plain data; its JSON Schema is ``plan.schema.json``."""
    plan, price = report.plan, report.price
    data: dict[str, Any] = {
        "format_version": FORMAT_VERSION,
        "tool_version": __version__,
        "workspace": report.workspace,
        "blocked_by": list(plan.blocked_by) if plan else [],
        "summary": summary(plan),
        "actions": _actions(plan) if plan else [],
        "waiting": [_waiting(waiting) for waiting in plan.waiting] if plan else [],
        "problems": _problems(plan) if plan else [],
        "warnings": [*report.warnings, *(plan.warnings if plan else ())],
        "requests": {
            "spent": price.spent if price else report.spent,
            "apply": price.apply if price else 0,
            "at_most": price.at_most if price else 0,
            "seconds": price.seconds if price else 0,
        },
    }
    if report.applying:
        data["results"] = [_result(result) for result in report.outcome.results] if report.outcome else []
    if report.leases is not None:
        data["leases"] = [_lease(result) for result in report.leases]
    if report.error is not None:
        data["error"] = {"code": report.error.code, "message": str(report.error)}
        if isinstance(report.error, SavedPlanError):
            data["error"]["differences"] = list(report.error.differences)
    return data


def summary(plan: Plan | None) -> dict[str, int]:
    """How many of each action, and what is left alone; zeros where there is no plan."""
    counts = {str(kind): plan.count(kind) if plan else 0 for kind in ActionKind}
    return {**counts, "unchanged": plan.unchanged if plan else 0, "unmanaged": plan.unmanaged if plan else 0}


def _actions(plan: Plan) -> list[dict[str, Any]]:
    fates = Fates(plan)
    return [_action(action, plan, fates) for action in plan.actions]


def _action(action: Action, plan: Plan, fates: Fates) -> dict[str, Any]:
    waiting = fates.waiting(action)
    return {
        "action": str(action.kind),
        "entry": action.entry,
        "token": action.token,
        "id": action.id,
        "cause": str(action.cause),
        "reasons": list(action.reasons),
        "scopes": list(action.scopes),
        "expires_at": _instant(action.expires_at),
        "expires_in": None if action.expires_in is None else int(action.expires_in.total_seconds()),
        "replaces": action.replaces or None,
        "last_used_at": _instant(action.last_used_at),
        "revoke_after": _instant(action.revoke_after),
        "held_by": None if waiting is None else waiting.held_by,
        "destinations": list(action.destinations),
        "permitted": plan.permits(action),
    }


def _waiting(waiting: Waiting) -> dict[str, Any]:
    return {
        "entry": waiting.entry,
        "token": waiting.token,
        "id": waiting.id,
        "revoke_after": _instant(waiting.revoke_after),
        "held_by": waiting.held_by,
        "last_used_at": _instant(waiting.last_used_at),
    }


def _problems(plan: Plan) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = [
        {
            "code": block.code,
            "entry": None,
            "message": f"{block.message} {block.hint}",
            "found": block.found,
            "allowed": block.allowed,
        }
        for block in plan.blocks
    ]
    problems = [
        {"code": str(problem.code), "entry": problem.entry, "message": f"{problem.message} {problem.hint}"}
        for problem in plan.problems
    ]
    return [*blocks, *problems]


def _lease(result: LeaseResult) -> dict[str, Any]:
    return {
        "token": result.token,
        "id": result.id,
        "status": str(result.status),
        "expires_at": _instant(result.expires_at),
        "error": result.error or None,
    }


def _result(result: Result) -> dict[str, Any]:
    return {
        "action": str(result.kind),
        "entry": result.entry,
        "token": result.token,
        "id": result.id,
        "status": str(result.status),
        "error": result.error or None,
        "unread": list(result.unread),
    }


def _instant(instant: dt.datetime | None) -> str | None:
    return None if instant is None else times.show(instant)

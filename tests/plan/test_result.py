"""What became of a plan, in one word: done, failed, changed, forbidden."""

from __future__ import annotations

import dataclasses

import pytest

from tests.plan.builders import (
    NOW,
    UNBOUNDED,
    WRITE,
    days,
    edited,
    ending,
    entry,
    mark,
    minutes,
    only,
    plan,
    spec,
    token,
)
from tests.render.support import plan as full_plan
from tooken_ci.base.errors import BlockedError, ExitCode, IncompleteError, PartialError, StoppedError
from tooken_ci.plan.model import ActionKind, Plan, ProblemCode
from tooken_ci.plan.result import Outcome, Result, ResultStatus, verdict_on
from tooken_ci.spec.model import Policy

CLEAN = plan(entry())
FORBIDDEN = plan(spec(entry(), policy=Policy(forbidden_scopes=frozenset({WRITE}), name_pattern="x")))
EXPIRED = plan(spec(ending(NOW - days(1)), policy=UNBOUNDED))
BUSY = plan(entry(), [token()], edited(token(), mark(age=minutes(1))))
PROTECTED = plan(entry(protected=True, scopes=frozenset({WRITE})), [token()])


def outcome(of: Plan, *statuses: ResultStatus, changed: bool = False, ended: StoppedError | None = None) -> Outcome:
    results = tuple(Result.of(only(CLEAN), status) for status in statuses)
    return Outcome(plan=of, results=results, changed=changed, ended=ended)


def test_result_of_an_action() -> None:
    """An action that made nothing names no new id; a revocation and a copy name the token they are about."""
    replace = only(plan(entry(scopes=frozenset({WRITE})), [token()]))
    failed = Result.of(replace, ResultStatus.FAILED, "no")
    assert (failed.kind, failed.token, failed.id, failed.error) == (ActionKind.REPLACE, "ci-deploy.g2", None, "no")
    revoke = only(plan(spec(entry(), absent=["web"]), [token(), token("web")]))
    assert Result.of(revoke, ResultStatus.DONE) == Result(
        kind=ActionKind.REVOKE, entry="web", token="web", id="tok_web", status=ResultStatus.DONE
    )


@pytest.mark.parametrize(
    ("status", "failed"),
    [
        (ResultStatus.DONE, False),
        (ResultStatus.SKIPPED, False),
        (ResultStatus.FAILED, True),
        (ResultStatus.BUSY, True),
    ],
)
def test_failed(status: ResultStatus, *, failed: bool) -> None:
    """A failed or busy action is a failure; one that was left out is none."""
    assert outcome(CLEAN, ResultStatus.DONE, status).failed is failed


@pytest.mark.parametrize(
    ("ended", "verdict"),
    [
        (outcome(CLEAN, ResultStatus.DONE, changed=True), None),
        (outcome(CLEAN, ResultStatus.FAILED), IncompleteError),
        (outcome(CLEAN, ResultStatus.BUSY, ResultStatus.DONE, changed=True), PartialError),
        (outcome(CLEAN, ended=StoppedError("")), StoppedError),
        (outcome(CLEAN, ended=StoppedError(""), changed=True), PartialError),
        (outcome(EXPIRED), IncompleteError),
        (outcome(EXPIRED, changed=True), PartialError),
        (outcome(BUSY), None),
        (outcome(BUSY, ResultStatus.BUSY), IncompleteError),
        (outcome(FORBIDDEN), BlockedError),
        (outcome(FORBIDDEN, changed=True), BlockedError),
        (outcome(FORBIDDEN, ResultStatus.FAILED, changed=True), PartialError),
        (outcome(PROTECTED), BlockedError),
    ],
    ids=[
        "done", "failed", "partly", "stopped", "stopped late", "an entry failed", "an entry failed, others not",
        "a busy entry counts by its results", "busy", "forbidden", "forbidden in part", "forbidden and failed",
        "protected",
    ],
)  # fmt: skip
def test_verdict(ended: Outcome, verdict: type[Exception] | None) -> None:
    """A run ends well, or as incomplete, partial or forbidden, according to what failed and whether it changed much."""
    found = ended.verdict()
    assert (None if found is None else type(found)) is verdict


def test_verdict_counts() -> None:
    """The verdict tells how many were not served, and what blocks."""
    several = dataclasses.replace(outcome(EXPIRED, ResultStatus.FAILED, ResultStatus.BUSY), changed=True)
    found = several.verdict()
    assert found is not None
    assert found.message == "2 actions could not be done."  # its problem is that of the same entry
    blocked = outcome(FORBIDDEN).verdict()
    assert blocked is not None
    assert "policy" in blocked.message
    assert blocked.exit_code is ExitCode.FORBIDDEN


def test_a_plan_that_is_only_shown() -> None:
    """It tells how many entries cannot be planned, each once, and what to do; what is forbidden stays forbidden."""
    several = plan(spec(ending(NOW - days(1)), ending(NOW - days(1), "web"), policy=UNBOUNDED))
    for made, told in ((EXPIRED, "1 entry cannot"), (several, "2 entries cannot")):
        error = verdict_on(made)
        assert isinstance(error, IncompleteError)
        assert error.message == f"{told} be planned in full."
        assert error.hint == "Mend what the report names; apply serves the other entries."
    twice = full_plan(kinds=(ActionKind.CREATE,), problems=(ProblemCode.UNKNOWN, ProblemCode.UNKNOWN), blocks=())
    assert "1 entry" in str(verdict_on(twice))
    assert isinstance(verdict_on(FORBIDDEN), BlockedError)
    assert verdict_on(CLEAN) is verdict_on(BUSY) is None


def _half_served(status: ResultStatus, code: ProblemCode, *, entry: str = "ci") -> Outcome:
    """One action that ended so, of an entry that has a problem, too."""
    made = full_plan(entry, kinds=(ActionKind.CREATE,), problems=(code,), blocks=())
    result = Result.of(made.actions[0], status, "" if status is ResultStatus.DONE else "It said no.")
    return Outcome(plan=made, results=(result,), changed=True)


def test_an_entry_that_failed_counts_once() -> None:
    """Its action failed, and it has a problem that keeps it from being served: that is one action that was not done."""
    verdict = _half_served(ResultStatus.FAILED, ProblemCode.UNKNOWN).verdict()
    assert verdict is not None
    assert "1 action could not be done" in verdict.message


def test_what_was_busy_and_then_served_is_no_problem() -> None:
    """A problem that apply has waited out is not told at the end; one that still stands is."""
    assert _half_served(ResultStatus.DONE, ProblemCode.BUSY).problems == ()
    for still in (ResultStatus.BUSY, ResultStatus.FAILED):
        assert [problem.code for problem in _half_served(still, ProblemCode.BUSY).problems] == [ProblemCode.BUSY]
    assert [problem.code for problem in _half_served(ResultStatus.DONE, ProblemCode.CAP).problems] == [ProblemCode.CAP]

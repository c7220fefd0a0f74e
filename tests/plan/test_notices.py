"""What people are told on the lines of their spec."""

from __future__ import annotations

import dataclasses

from tests.plan import builders as b
from tests.render.support import outcome
from tests.render.support import plan as full_plan
from tooken_ci.base.errors import Fault, PartialError, PolicyError, SpecError, UsageError
from tooken_ci.base.position import Position
from tooken_ci.plan.leases import LeaseResult, LeaseStatus
from tooken_ci.plan.model import ActionKind, ProblemCode
from tooken_ci.plan.notices import Level, Notice, of_error, of_leases, of_run
from tooken_ci.plan.result import Outcome, Result, ResultStatus
from tooken_ci.plan.timeline import due_soon
from tooken_ci.spec.model import Policy

HERE, THERE = Position("a.yml", 3, 5), Position("b.yml", 7, 3)
FAULTS = [Fault(HERE, "Wrong.", hint="Mend it."), Fault(THERE, "Also wrong.")]


def _short(notices: list[Notice]) -> list[tuple[Level, str, str, Position | None]]:
    return [(notice.level, notice.code, notice.message, notice.position) for notice in notices]


def test_an_error() -> None:
    """An error has its code and its whole message, and no line."""
    assert _short(of_error(UsageError("No key.", hint="Set it."))) == [(Level.ERROR, "usage", "No key. Set it.", None)]


def test_a_spec_that_is_not_valid() -> None:
    """Each fault stands on its own line, under the code of the error that they are told by."""
    for error in (SpecError(FAULTS), PolicyError(FAULTS)):
        assert _short(of_error(error)) == [
            (Level.ERROR, error.code, "Wrong. Mend it.", HERE),
            (Level.ERROR, error.code, "Also wrong.", THERE),
        ]


def test_why_a_run_failed_comes_first() -> None:
    """Whoever sees only the first notices sees why it failed; entries stand on the line of their name."""
    made = full_plan(kinds=(ActionKind.CREATE, ActionKind.REPLACE), problems=(ProblemCode.CAP,), blocks=())
    spec = b.spec(b.entry("ci", position=HERE))
    notices = of_run(spec=spec, plan=made, outcome=outcome(made), error=PartialError("All in all."))
    assert _short(notices) == [
        (Level.ERROR, "partial", "All in all.", None),
        (Level.ERROR, "cap", "'ci' (cap): It is as it is. Look at it.", HERE),
        (Level.ERROR, "failed", "replace 'ci': It said no.", HERE),
        (Level.WARNING, "warning", "It was used.", HERE),
    ]


def test_a_bound_has_no_line() -> None:
    """What blocks a plan as a whole is told with its code, on no line."""
    notices = of_run(spec=b.spec(), plan=full_plan(problems=(), blocks=("max_changes",)))
    assert [(notice.code, notice.position) for notice in notices if notice.level is Level.ERROR] == [
        ("max_changes", None)
    ]


def test_a_breach_of_the_policy_stands_on_the_line_that_is_to_blame() -> None:
    """The line is that of the breach, not that of its entry."""
    entry = b.entry(position=HERE, keys={"scopes": THERE})
    made = b.plan(b.spec(entry, policy=Policy(forbidden_scopes=frozenset({b.READ}))))
    notices = of_run(spec=b.spec(entry), plan=made)
    assert ("policy", THERE) in [(notice.code, notice.position) for notice in notices]


def test_a_busy_entry() -> None:
    """To a plan it is a warning, after the errors, since apply waits for it; where apply left it busy, an error."""
    made = full_plan(kinds=(ActionKind.CREATE,), problems=(ProblemCode.BUSY, ProblemCode.CAP), blocks=())
    assert [(notice.level, notice.code) for notice in of_run(spec=b.spec(), plan=made)] == [
        (Level.ERROR, "cap"),
        (Level.WARNING, "busy"),
        (Level.WARNING, "warning"),
    ]
    left = Result.of(made.actions[0], ResultStatus.BUSY)
    applied = Outcome(plan=made, results=(left,), changed=False)
    levels = {notice.code: notice.level for notice in of_run(spec=b.spec(), plan=made, outcome=applied)}
    assert levels["busy"] is Level.ERROR


def test_warnings_of_the_spec() -> None:
    """What is valid but worth a look stands on its line."""
    spec = dataclasses.replace(b.spec(), warnings=(FAULTS[0],))
    assert _short(of_run(spec=spec)) == [(Level.WARNING, "spec", "Wrong. Mend it.", HERE)]


def test_what_absent_names_has_a_line() -> None:
    """A failed revocation of a name in 'absent' stands on that name."""
    spec = b.spec(absent=["ci"])
    made = full_plan(kinds=(ActionKind.CREATE, ActionKind.REPLACE), problems=(), blocks=())
    failed = [notice for notice in of_run(spec=spec, plan=made, outcome=outcome(made)) if notice.code == "failed"]
    assert [notice.position for notice in failed] == [spec.absent[0].position]


def test_tokens_due_soon() -> None:
    """Each is a warning on the line of its entry that tells when, and when the token ends."""
    entry = b.entry(position=HERE)
    tokens = [b.token(age=b.days(19.5))]
    made = b.plan(entry, tokens)
    (notice,) = of_run(spec=b.spec(entry), plan=made, soon=due_soon(b.spec(entry), tokens, made))
    assert (notice.level, notice.code, notice.position) == (Level.WARNING, "due_soon", HERE)
    assert "'ci-deploy' falls due at 2026-11-2" in notice.message
    assert notice.message.endswith("It expires at 2026-12-04T07:20:15Z.")


def test_nothing_to_tell() -> None:
    """Where all is well, and where nothing is known, nothing is told."""
    assert of_run(spec=b.spec(), plan=b.plan(b.entry(), [b.token()])) == []
    assert of_run(spec=None) == []


def test_leases() -> None:
    """What became of each is told, as an error where it failed."""
    results = [
        LeaseResult(token="p.e-1-1-a", id="tok_1", status=LeaseStatus.LEASED, expires_at=b.NOW),
        LeaseResult(token="p.e-1-1-b", id="tok_2", status=LeaseStatus.RELEASED, expires_at=b.NOW),
        LeaseResult(token="p.e-1-1-c", id=None, status=LeaseStatus.FAILED, error="It said no."),
    ]
    assert _short(of_leases(results)) == [
        (Level.NOTICE, "lease", "'p.e-1-1-a' was leased; it ends by itself at 2026-11-23T19:20:15Z.", None),
        (Level.NOTICE, "lease", "'p.e-1-1-b' was released.", None),
        (Level.ERROR, "lease", "'p.e-1-1-c': It said no.", None),
    ]

from __future__ import annotations

import dataclasses

import pytest

from tests.render.support import PRICE, action, left_out, outcome, plan, report, waiting
from tooken_ci.plan.model import ActionKind, Cause, EntryPlan, Plan, ProblemCode
from tooken_ci.plan.price import Price
from tooken_ci.plan.result import Outcome, Result, ResultStatus
from tooken_ci.render.report import Report
from tooken_ci.render.text import MOST, as_text, headline, outcome_line, result_line

HOSTILE = [
    "\n::error::pwned",
    "::add-mask::pwned",
    " \t::stop-commands::x",
    "a\r::set-output name=x::y",
    "##[error]pwned",
    "\x1b[31mred\x1b[0m",
    "section_start:1:x\r\x1b[0K",
    "line\u2028::error::x",
    "\u202eevil",
    "x" * 100_000,
]


def test_a_plan_as_people_read_it() -> None:
    """A plan is a headline, a line for each action with what it makes and where to, and the price."""
    made = plan(kinds=(ActionKind.CREATE, ActionKind.REPLACE), problems=(), blocks=())
    assert as_text(Report(workspace="ci", plan=made, price=PRICE)) == (
        "Workspace 'ci': 1 to create, 1 to replace, 1 to revoke; 3 unchanged, 7 unmanaged.\n"
        "  + create  ci (spec: because of 'ci')\n"
        "      scopes  tokens:read, tokens:write; expires 2026-11-24T19:20:15Z\n"
        "      to      file ci\n"
        "  ~ replace ci (spec: because of 'ci')\n"
        "      scopes  tokens:read, tokens:write; expires 2026-11-24T19:20:15Z\n"
        "      to      file ci\n"
        "      old     ci.old, last used 2026-11-23T19:20:15Z; revoked not before 2026-11-24T19:20:15Z: "
        "its overlap has not passed\n"
        "  - revoke  ci (spec: because of 'ci'), last used 2026-11-23T19:20:15Z\n"
        "Waiting to be revoked:\n"
        "  ci, not before 2026-11-24T19:20:15Z: its overlap has not passed; last used 2026-11-23T19:20:15Z\n"
        "Warning: It was used.\n"
        "The plan took 1 request; apply takes 6 (at most 21).\n"
    )


def test_a_blocked_plan_as_people_read_it() -> None:
    """Right below the headline stands what blocks the plan and what goes on; what does not is marked with why."""
    due = dataclasses.replace(action(ActionKind.CREATE, "due"), cause=Cause.TIME, expires_at=None)
    made = plan(kinds=(ActionKind.REDELIVER,), problems=(ProblemCode.CAP,), blocks=("max_changes", "policy"))
    more = EntryPlan(entry="due", actions=(due,))
    made = dataclasses.replace(made, entries=(*made.entries, more), removals=())
    assert as_text(Report(workspace="ci", plan=made, price=PRICE)) == (
        "Workspace 'ci': 1 to create, 1 to redeliver; 3 unchanged, 7 unmanaged.\n"
        "Blocked by max_changes: Too much. Raise it.\n"
        "Blocked by policy: Too much. Raise it.\n"
        "Apply does 1 of the 2 actions all the same: what is due or unfinished.\n"
        "  > redeliver ci (spec: because of 'ci') [blocked by max_changes, policy]\n"
        "      to      file ci\n"
        "  + create    due (time: because of 'due')\n"
        "      scopes  tokens:read, tokens:write; never expires\n"
        "      to      file due\n"
        "Waiting to be revoked:\n"
        "  ci, not before 2026-11-24T19:20:15Z: its overlap has not passed; never used\n"
        "  ci, not before 2026-11-24T19:20:15Z: its overlap has not passed; last used 2026-11-23T19:20:15Z\n"
        "Warning: It was used.\n"
        "Entry 'ci' (cap): It is as it is. Look at it.\n"
        "The plan took 1 request; apply takes 6 (at most 21).\n"
    )


def test_what_becomes_of_an_old_token() -> None:
    """A replaced token that goes with the plan itself is told so, and its last use is told once."""
    made = plan(kinds=(ActionKind.REPLACE,), problems=(), blocks=())
    going = dataclasses.replace(action(ActionKind.REVOKE, "ci"), id="tok_ci", last_used_at=None)
    replaced = dataclasses.replace(made.actions[0], last_used_at=None)
    entry = EntryPlan(entry="ci", actions=(replaced, going))
    text = as_text(Report(workspace="ci", plan=dataclasses.replace(made, entries=(entry,), removals=()), price=PRICE))
    assert "      old     ci.old, never used; revoked by this plan\n" in text
    assert "  - revoke  ci (spec: because of 'ci')\n" in text


def test_a_rotation_tells_what_dies() -> None:
    """The secret that a rotation ends is told with its last use."""
    text = as_text(Report(workspace="ci", plan=plan(kinds=(ActionKind.ROTATE,)), price=PRICE))
    assert "      old     the secret, last used 2026-11-23T19:20:15Z; dead as soon as the new one is made\n" in text


def test_an_entry_that_is_busy_is_marked() -> None:
    """An action of an entry that is not served is marked with the reason."""
    text = as_text(Report(workspace="ci", plan=plan(problems=(ProblemCode.BUSY,), blocks=()), price=PRICE))
    assert "  + create    ci (spec: because of 'ci') [busy]\n" in text


def test_a_thousand_actions_are_no_wall_of_text() -> None:
    """Of each kind forty are shown and the rest is counted; what absent revokes is not crowded out."""
    many = tuple(
        EntryPlan(
            entry=f"ci-{number}",
            actions=(action(ActionKind.REPLACE, f"ci-{number}"), action(ActionKind.REVOKE, f"ci-{number}")),
            waiting=(waiting(f"ci-{number}", f"tok_{number}"),),
            warnings=("It was used.",),
            problems=tuple(plan(f"ci-{number}", problems=(ProblemCode.CAP,)).problems),
        )
        for number in range(1000)
    )
    text = as_text(Report(workspace="ci", plan=dataclasses.replace(plan(), entries=many), price=PRICE))
    assert text.count("  ~ replace ci-") == MOST
    assert text.count("  - revoke  ci-") == MOST
    assert "  - revoke  ci (spec: because of 'ci'), last used" in text
    assert "  … and 960 more to replace; --format json tells all.\n" in text
    assert "  … and 960 more to revoke; --format json tells all.\n" in text
    assert "\n  … and 960 more; --format json tells all.\n" in text
    assert "… and 960 more warnings; --format json tells all.\n" in text
    assert "… and 960 more entries with a problem; --format json tells all.\n" in text
    assert text.startswith("Workspace 'ci': 1000 to replace, 1001 to revoke;")
    assert text.count("\n") < 400


def test_a_wait_is_told() -> None:
    """Where the rate limit makes apply wait, the price says how long."""
    price = Price(spent=2, apply=900, at_most=990, seconds=61)
    text = as_text(Report(workspace="ci", plan=plan(), price=price))
    assert text.endswith(
        "The plan took 2 requests; apply takes 900 (at most 990) and about 61 s of waiting for the rate limit.\n"
    )


def test_nothing_is_said_of_no_plan() -> None:
    """Where no plan could be made there is no text, but for the spec's warnings."""
    assert as_text(Report()) == ""
    assert as_text(Report(warnings=("It is short.",))) == "Warning: It is short.\n"


@pytest.mark.parametrize("word", HOSTILE)
def test_no_text_speaks_to_the_runner_or_the_terminal(word: str) -> None:
    """Whatever names and warnings hold, no line is a runner's command, and no control character comes through."""
    made = report(word)
    assert made.plan is not None
    lines = as_text(made) + as_text(Report(warnings=(word,))) + headline(made.plan) + "\n"
    for result in outcome(made.plan, error=word).results:
        lines += result_line(dataclasses.replace(result, unread=(word,))) + "\n"
    assert all(char.isprintable() or char == "\n" for char in lines)
    assert "##[" not in lines
    assert not any(line.lstrip().startswith("::") for line in lines.split("\n"))
    plain = report()
    assert plain.plan is not None
    expected = as_text(plain) + as_text(Report(warnings=("x",))) + headline(plain.plan) + "\n"
    assert lines.count("\n") == expected.count("\n") + len(plain.plan.actions)


@pytest.mark.parametrize(
    ("status", "error", "line"),
    [
        (ResultStatus.DONE, "", "  done    create ci"),
        (ResultStatus.FAILED, "It said no.", "  failed  create ci: It said no."),
        (ResultStatus.BUSY, "Later.", "  busy    create ci: Later."),
        (ResultStatus.SKIPPED, "Not now.", "  skipped create ci: Not now."),
    ],
)
def test_a_result_is_one_line(status: ResultStatus, error: str, line: str) -> None:
    """Each result is a line that begins with what became of it."""
    assert result_line(Result.of(action(), status, error)) == line


def test_a_result_names_what_was_not_read_back() -> None:
    """A result names the destinations that accepted the secret and cannot be read back."""
    result = dataclasses.replace(Result.of(action(), ResultStatus.DONE), unread=("env A", "env B"))
    assert result_line(result) == "  done    create ci: accepted, not read back: env A, env B"


def test_the_last_line_counts() -> None:
    """The last line counts the results by status."""
    made = plan()
    assert outcome_line(outcome(made)) == "Applied: 2 done, 2 failed, 1 busy, 1 skipped."
    assert outcome_line(Outcome(plan=made, results=(), changed=False)) == "Applied: nothing to do."


def test_a_plan_with_nothing_to_do() -> None:
    """Where there is nothing to do, only the plan's own requests are told."""
    made = dataclasses.replace(plan(kinds=(), problems=(), blocks=()), removals=(), entries=())
    assert as_text(Report(workspace="ci", plan=made, price=PRICE)) == (
        "Workspace 'ci': nothing to do; 3 unchanged, 7 unmanaged.\nThe plan took 1 request.\n"
    )


EMPTY = dataclasses.replace(plan(blocks=()), entries=(), removals=())
LEFT = dataclasses.replace(EMPTY, entries=tuple(left_out(code) for code in ("policy", "record", "policy")))


@pytest.mark.parametrize(
    ("made", "line"),
    [
        (LEFT, "nothing else to do; 3 entries not planned (policy, record), 3 unchanged, 7 unmanaged."),
        (
            dataclasses.replace(EMPTY, entries=(left_out("missing"), *plan(kinds=(ActionKind.CREATE,)).entries)),
            "1 to create; 1 entry not planned (missing), 3 unchanged, 7 unmanaged.",
        ),
        # to a rotate, of what is neither due nor unfinished
        (dataclasses.replace(EMPTY, entries=(left_out("busy"),)), "nothing to do; 3 unchanged, 7 unmanaged."),
    ],
    ids=["nothing else", "something else", "busy"],
)
def test_entries_that_were_not_planned_are_counted(made: Plan, line: str) -> None:
    """They stand in the totals, with why; an entry that has an action, or was merely busy, does not count as one."""
    assert headline(made) == f"Workspace 'ci': {line}"


def test_an_apply_that_had_nothing_else_to_do() -> None:
    """Where entries were not planned, the last line does not say that there was nothing to do."""
    assert outcome_line(Outcome(plan=LEFT, results=(), changed=False)) == "Applied: nothing else to do."

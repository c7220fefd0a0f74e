"""A saved plan fits as long as what it was made of is the same, whatever time has done meanwhile."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.plan.builders import (
    CI,
    NOW,
    PLACE,
    READ,
    WRITE,
    days,
    edited,
    empty,
    ending,
    entry,
    holds,
    hours,
    mark,
    minutes,
    seconds,
    spec,
    target,
    token,
    told,
    unknown,
)
from tests.plan.saving import DIGEST, URL, VERSION, differing, left_of, planned_again, saved_of, with_spec_digest
from tests.plan.simulation import World
from tests.plan.strategies import worlds
from tooken_ci.plan import since
from tooken_ci.plan.model import ActionKind, Origin, ProblemCode
from tooken_ci.plan.saved import LONGEST, SKEW, steps_of
from tooken_ci.plan.view import generations_of
from tooken_ci.spec.model import Bound, Policy, Spec
from tooken_ci.tooken.model import Status

if TYPE_CHECKING:
    import datetime as dt

    from tooken_ci.base.record import Look
    from tooken_ci.plan.model import Plan
    from tooken_ci.spec.model import Entry
    from tooken_ci.tooken.model import Token

MANY = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
LATER = [seconds(1), minutes(4), hours(5), days(2), LONGEST]
WANTED = frozenset({READ, WRITE})
OLD, NEW = token(age=days(9)), token(f"{CI}.g2", age=days(3))


def world(of: Entry | Spec, *tokens: Token, look: Look | None = None) -> World:
    """A workspace with one entry, whose destination holds its newest token unless said otherwise."""
    stands = look if look is not None else holds(tokens[-1]) if tokens else empty()
    return World(spec=of if isinstance(of, Spec) else spec(of), tokens=tokens, looks={PLACE: stands})


def retirements(plan: Plan) -> set[str | None]:
    return {action.id for action in plan.actions if action.kind is ActionKind.REVOKE and action.origin is Origin.ENTRY}


@MANY
@given(worlds())
def test_applied_at_once_it_is_the_same_plan(of: World) -> None:
    """A plan that is applied at once through a file is the plan that would be applied without one."""
    saved = saved_of(of)
    assert differing(of, saved) == []
    assert left_of(of, saved) == of.planned()


@MANY
@given(worlds(), st.sampled_from(LATER))
def test_time_alone_makes_no_difference(of: World, time: dt.timedelta) -> None:
    """Whatever time goes by, the same actions are found again; only revocations by rule 4 wait for their own time."""
    saved = saved_of(of)
    later = dataclasses.replace(of, now=of.now + time)
    assume(not any(of.now < (one.expires_at or of.now) <= later.now for one in of.spec.entries))
    assert differing(later, saved) == []
    made, before = left_of(later, saved), of.planned()
    assert [step for step in steps_of(made) if not step.retires] == [step for step in saved.steps if not step.retires]
    assert retirements(made) <= retirements(before)
    assert retirements(made) == retirements(planned_again(later, saved)) & retirements(before)
    of_all = {one.id for one in (*made.waiting, *planned_again(later, saved).waiting)}
    assert retirements(planned_again(later, saved)) - retirements(made) <= of_all


@MANY
@given(worlds(), st.sampled_from([None, seconds(1), hours(30)]))
def test_use_makes_no_difference(of: World, used: dt.timedelta | None) -> None:
    """When tokens were last used does not stand in a saved plan; it decides only what rule 4 lets go now."""
    saved = saved_of(of)
    last = None if used is None else of.now - used
    tokens = tuple(dataclasses.replace(one, last_used_at=last) for one in of.tokens)
    assert differing(dataclasses.replace(of, tokens=tokens), saved) == []


@MANY
@given(worlds(), st.data())
def test_any_other_change_is_told(of: World, data: st.DataObject) -> None:
    """A generation that is gone, new, or another than it was is a difference, and so is what a destination says."""
    saved = saved_of(of)
    declared = [one for one in of.spec.entries if one.deliver]
    assume(declared)
    chosen = data.draw(st.sampled_from(declared))
    change = data.draw(st.sampled_from(["gone", "made", "scopes", "end", "id", "look"]))
    own = [generation.token for generation in generations_of(chosen, of.active)]
    if change == "look":
        place = chosen.deliver[0].place
        look = data.draw(st.sampled_from([empty(), unknown(), holds(token("somebody", id="tok_somebody"))]))
        assume((look.state, look.record) != (of.looks[place].state, of.looks[place].record))
        changed = dataclasses.replace(of, looks={**of.looks, place: look})
    elif change == "made":
        changed = dataclasses.replace(of, tokens=(*of.tokens, token(f"{chosen.name}.g77")))
    else:
        assume(own)
        victim = data.draw(st.sampled_from(own))
        new = {
            "gone": dataclasses.replace(victim, status=Status.REVOKED),
            "scopes": dataclasses.replace(victim, scopes=victim.scopes ^ {"audit:read"}),
            "end": dataclasses.replace(victim, expires_at=NOW + days(333)),
            "id": dataclasses.replace(victim, id="tok_another"),
        }[change]
        changed = dataclasses.replace(of, tokens=tuple(new if one is victim else one for one in of.tokens))
    found = differing(changed, saved)
    assert any(one.startswith(f"'{chosen.name}': ") for one in found), found


def test_what_became_due_meanwhile_waits() -> None:
    """Rules 1 to 3 go by the saved time: what is due only now is not done, and what was due then still is."""
    fresh = world(entry(), token(age=days(10)))
    saved = saved_of(fresh)
    later = dataclasses.replace(fresh, now=NOW + LONGEST + days(3))
    assert told(later.planned()) == [f"replace {CI}.g2"]
    assert differing(later, saved) == []
    assert told(left_of(later, saved)) == []


def test_a_life_begins_when_the_token_is_made() -> None:
    """The end of a new token is shown as expected by the server's time, and is no part of what is compared."""
    before = world(entry())
    saved = saved_of(before)
    later = dataclasses.replace(before, now=NOW + days(2))
    (made,) = left_of(later, saved).actions
    assert (made.expires_in, made.expires_at) == (days(30), NOW + days(32))
    assert made.ends(NOW + days(3)) == NOW + days(33)
    assert (saved.steps[0].life, saved.steps[0].expires_at) == (30 * 86400, None)


def test_an_absolute_end_is_compared_as_a_date() -> None:
    """An entry with an absolute end has no life; its end is the step's, and stays whenever the token is made."""
    end = NOW + days(90)
    saved = saved_of(world(ending(end)))
    assert (saved.steps[0].life, saved.steps[0].expires_at) == (None, "2027-02-21T19:20:15Z")
    (made,) = world(ending(end)).planned().actions
    assert made.ends(NOW + days(5)) == end


def test_rule_four_goes_by_the_time_of_the_apply() -> None:
    """Of the plan's revocations those that hold now are done: one that is in use meanwhile waits."""
    idle = world(entry(), OLD, NEW)
    saved = saved_of(idle)
    assert told(left_of(idle, saved)) == [f"revoke {CI}"]
    used = dataclasses.replace(idle, tokens=(dataclasses.replace(OLD, last_used_at=NOW - hours(1)), NEW))
    assert differing(used, saved) == []
    assert told(left_of(used, saved)) == []
    assert [one.token for one in left_of(used, saved).waiting] == [CI]


def test_a_revocation_that_nobody_saw_waits() -> None:
    """What rule 4 allows only by now is not revoked by a plan that does not have it, and is told as waiting."""
    fresh = world(entry(), token(age=days(9)), token(f"{CI}.g2", age=hours(20)))
    saved = saved_of(fresh)
    later = dataclasses.replace(fresh, now=NOW + hours(5))
    assert told(later.planned()) == [f"revoke {CI}"]
    made = left_of(later, saved)
    assert (made.actions, made.unchanged) == ((), 1)
    (waiting,) = made.waiting
    assert (waiting.token, waiting.held_by) == (CI, "the saved plan does not have its revocation")


def test_busy_is_judged_by_the_server() -> None:
    """An entry that was busy when the plan was saved is served once it is no longer, and the other way round."""
    marked = world(entry(scopes=WANTED), OLD, look=holds(OLD, mark(age=minutes(1))))
    saved = saved_of(marked)
    assert [problem.code for problem in marked.planned().problems] == [ProblemCode.BUSY]
    later = dataclasses.replace(marked, now=NOW + minutes(3))
    assert differing(later, saved) == []
    assert left_of(later, saved).problems == ()
    assert [problem.code for problem in left_of(marked, saved_of(later)).problems] == [ProblemCode.BUSY]


def test_marks_of_a_record_that_is_taken_over() -> None:
    """A mark in another entry's record that was young when the plan was saved makes the same cause once it has aged."""
    others = token("other", id="tok_other")
    of = entry(deliver=(target(takeover=True),))
    before = World(spec=spec(of), tokens=(others,), looks={PLACE: holds(others, mark(age=minutes(1)))})
    saved = saved_of(before)
    assert [step.cause for step in saved.steps] == ["repair"]
    later = dataclasses.replace(before, now=NOW + hours(1))
    assert differing(later, saved) == []
    assert left_of(later, saved).problems == ()


def test_an_end_that_came_meanwhile_is_a_difference() -> None:
    """An entry whose absolute end has passed since is not made any more, so the plan no longer fits."""
    saved = saved_of(world(ending(NOW + hours(1))))
    later = dataclasses.replace(world(ending(NOW + hours(1))), now=NOW + hours(2))
    assert differing(later, saved) == [f"'{CI}': the plan has create '{CI}', and a plan made now nothing to do."]


def test_a_token_that_ended_meanwhile_is_a_difference() -> None:
    """A generation that expired since the plan was saved is told, with what a plan made now would do."""
    before = world(entry(renew_before=None, expires_in=days(30)), OLD)
    later = before.at(NOW + days(25))
    assert differing(later, saved_of(before)) == [
        f"'{CI}': '{CI}' (tok_{CI}) was active when the plan was made, and is not any more.",
        f"'{CI}': the plan has nothing to do, and a plan made now create '{CI}.g2'.",
    ]


@pytest.mark.parametrize(
    ("change", "lines"),
    [
        (
            {"tokens": (OLD, dataclasses.replace(NEW, scopes=WANTED))},
            [
                (
                    "'ci-deploy': 'ci-deploy.g2' (tok_ci-deploy.g2) was 'ci-deploy.g2' with [tokens:read], "
                    "to expire at 2026-12-20T19:20:15Z, and is 'ci-deploy.g2' "
                    "with [tokens:read, tokens:write], to expire at 2026-12-20T19:20:15Z now."
                ),
                "'ci-deploy': the plan has nothing to do, and a plan made now replace 'ci-deploy.g3'.",
            ],
        ),
        (
            {"tokens": (OLD, NEW, token(f"{CI}.g3", age=days(2)))},
            [
                "'ci-deploy': 'ci-deploy.g3' (tok_ci-deploy.g3) is active now, and was not when the plan was made.",
                "'ci-deploy': the plan has nothing to do, and a plan made now replace 'ci-deploy.g4'.",
            ],
        ),
        (
            {"looks": {PLACE: holds(OLD)}},
            [
                (
                    "'ci-deploy': 'file out/ci-deploy' held 'ci-deploy.g2' when the plan was made, "
                    "and holds 'ci-deploy' now."
                ),
                "'ci-deploy': the plan has nothing to do, and a plan made now replace 'ci-deploy.g3'.",
            ],
        ),
        (
            {"looks": {PLACE: unknown()}},
            [
                (
                    "'ci-deploy': 'file out/ci-deploy' held 'ci-deploy.g2' when the plan was made, and cannot be asked "
                    "now."
                ),
            ],
        ),
        (
            {"looks": {PLACE: holds(NEW, mark())}},
            [
                (
                    "'ci-deploy': 'file out/ci-deploy' holds 'ci-deploy.g2' as before, "
                    "but its delivery record has changed since the plan was made."
                ),
            ],
        ),
    ],
    ids=["scopes", "another generation", "an older one is held", "unknown", "a mark"],
)
def test_what_differs_is_told_precisely(change: dict[str, object], lines: list[str]) -> None:
    """Each difference names the entry, what the plan knew, and what is now."""
    before = world(entry(), OLD, NEW)
    assert differing(dataclasses.replace(before, **change), saved_of(before)) == lines  # type: ignore[arg-type]


def test_what_an_action_has_otherwise_is_told() -> None:
    """The same action with another cause or life is a difference, field by field."""
    now = world(entry(scopes=WANTED), OLD)
    saved = saved_of(now)
    (step,) = saved.steps
    other = dataclasses.replace(step, cause="drift", life=60, scopes=(READ,))
    assert differing(now, dataclasses.replace(saved, steps=(other,))) == [
        (
            f"'{CI}': the plan has replace '{CI}.g2' with the cause drift, and now spec, "
            "with scopes [tokens:read], and now [tokens:read, tokens:write], "
            "with a life in seconds of 60, and now 2592000."
        )
    ]


def test_another_bound_is_a_difference() -> None:
    """A plan that was not blocked and is now, or the other way round, no longer fits."""
    free = world(spec(entry(scopes=WANTED)), OLD)
    bound = dataclasses.replace(free.spec, policy=Policy(max_changes=Bound(number=0)))
    blocked = dataclasses.replace(free, spec=bound)
    assert "The plan was not blocked, and is blocked by max_changes now." in differing(blocked, saved_of(free))
    assert "The plan was blocked by max_changes, and is not blocked now." in differing(free, saved_of(blocked))


def test_what_prune_finds_beyond_the_plan_is_a_difference() -> None:
    """A token that a prune pattern matches only now is not revoked by a plan that nobody saw it in."""
    whole = spec(entry(), prune=["tmp-*"], policy=Policy(max_revocations=Bound(number=9)))
    before = world(whole, token(), token("tmp-1"))
    before = dataclasses.replace(before, looks={PLACE: holds(token())})
    after = dataclasses.replace(before, tokens=(*before.tokens, token("tmp-2")))
    assert differing(after, saved_of(before)) == [
        "'tmp-2': the plan has nothing to do, and a plan made now revoke 'tmp-2'."
    ]


def test_a_plan_of_other_entries_fits_nothing() -> None:
    """A plan that tells of other entries than the spec's is refused, even if its digest were right."""
    before = world(entry(), OLD)
    assert differing(before, dataclasses.replace(saved_of(before), seen=())) == [
        "The plan does not tell of the entries of the spec."
    ]


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"tool_version": "1.2.4"}, "The plan was made by tooken-ci 1.2.4; this is 1.2.3."),
        (
            {"api_url": "https://elsewhere.test/v1"},
            "The plan was made with the API at 'https://elsewhere.test/v1'; this run asks 'https://api.tooken.io/v1'.",
        ),
        ({"workspace": "staging"}, "The plan is for the workspace 'staging'; the spec is for 'production'."),
        ({"spec": "1" * 64}, "The spec is not the one that the plan was made of (read now: 'tooken.yml')."),
    ],
)
def test_what_can_be_told_before_anybody_is_asked(change: dict[str, str], line: str) -> None:
    """Another version, API, workspace or spec is told from the file alone."""
    of = with_spec_digest(world(entry(), OLD))
    saved = dataclasses.replace(saved_of(of), spec=DIGEST)
    assert list(since.before(saved, of.spec, tool_version=VERSION, api_url=URL)) == []
    other = dataclasses.replace(saved, **change)  # type: ignore[arg-type]
    assert list(since.before(other, of.spec, tool_version=VERSION, api_url=URL)) == [line]


def test_age() -> None:
    """A plan is applied for seven days, by the server's clock, and not before it was made."""
    assert list(since.age(NOW, NOW + LONGEST)) == list(since.age(NOW + SKEW, NOW)) == []
    assert list(since.age(NOW, NOW + LONGEST + seconds(1))) == [
        "The plan was made at 2026-11-23T19:20:15Z, more than 7d ago: the server's time is 2026-11-30T19:20:16Z."
    ]
    assert list(since.age(NOW + SKEW + seconds(1), NOW)) == [
        "The plan comes from the future, 2026-11-23T19:21:16Z: the server's time is 2026-11-23T19:20:15Z."
    ]


def test_many_differences_are_cut() -> None:
    """Twenty differences are told, and how many more there are."""
    lines = [f"{number}" for number in range(25)]
    assert since.left(lines) == [*lines[:20], "There are 5 more differences."]
    assert since.left(lines[:20]) == lines[:20]


def test_hostile_names_are_harmless_in_what_is_told() -> None:
    """No name from the workspace, and none from a forged file, reaches the log as it is."""
    evil = "evil\n::error::x\x1b[31m"
    before = world(entry(), OLD)
    forged = saved_of(dataclasses.replace(before, tokens=(dataclasses.replace(OLD, id=evil),)))
    steps = saved_of(world(entry())).steps
    forged = dataclasses.replace(forged, blocked_by=(evil,), steps=(dataclasses.replace(steps[0], entry=evil),))
    lines = differing(before, forged)
    assert len(lines) > 3
    assert all(char.isprintable() for line in lines for char in line)


def test_an_edited_value_is_a_difference() -> None:
    """A value that was edited by hand since the plan was saved is told."""
    before = world(entry(), OLD)
    assert differing(dataclasses.replace(before, looks={PLACE: edited(OLD)}), saved_of(before)) == [
        f"'{CI}': '{PLACE}' held '{CI}' when the plan was made, and does not hold its secret now.",
        f"'{CI}': the plan has nothing to do, and a plan made now replace '{CI}.g2'.",
    ]

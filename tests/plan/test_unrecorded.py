"""Stores that keep no record: what the time of their last write tells, and what it does not."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.plan.builders import (
    CI,
    NOW,
    READ,
    WRITE,
    codes,
    days,
    empty,
    entry,
    holds,
    hours,
    mark,
    minutes,
    plan,
    seconds,
    spec,
    target,
    token,
    told,
    unknown,
    view,
    written,
)
from tooken_ci.base.record import MarkKind, State
from tooken_ci.plan import retire, saved, since
from tooken_ci.plan.cap import full
from tooken_ci.plan.entry import due_revocations, plan_entry
from tooken_ci.plan.terms import Terms
from tooken_ci.plan.unrecorded import APART, judged
from tooken_ci.plan.view import EntryView, generations_of

if TYPE_CHECKING:
    import datetime as dt

    from tooken_ci.base.record import Look
    from tooken_ci.spec.model import Entry
    from tooken_ci.tooken.model import Token

BARE = target("github acme/shop X", keeps_record=False)
ENTRY = entry(deliver=(BARE,), overlap=hours(0))


def holding(look: Look, *tokens: Token) -> State:
    return judged(look, generations_of(ENTRY, tokens), "production").state


@pytest.mark.parametrize(
    ("after", "state"),
    [
        (seconds(-31), State.ABSENT),
        (seconds(-30), State.HOLDS),
        (seconds(0), State.HOLDS),
        (hours(40), State.HOLDS),
    ],
)
def test_one_generation(after: dt.timedelta, state: State) -> None:
    """The current generation is held if the write was no more than 30 s before its making, by the store's clock."""
    one = token(age=hours(72))
    assert holding(written(one.created_at + after), one) is state


@pytest.mark.parametrize(("after", "state"), [(seconds(150), State.ABSENT), (seconds(151), State.HOLDS)])
def test_two_generations(after: dt.timedelta, state: State) -> None:
    """It is held only if the write was more than 150 s after the making of every older one that lives."""
    older, newer = token(age=hours(2)), token(f"{CI}.g2", age=hours(2) - seconds(100))
    assert holding(written(older.created_at + after), older, newer) is state


def test_a_judged_look_can_be_judged_again() -> None:
    """What was judged once is judged anew by the generations that live now."""
    one, two = token(age=hours(3)), token(f"{CI}.g2", age=hours(1))
    look = judged(written(one.created_at + seconds(9)), generations_of(ENTRY, [one]), "production")
    assert look.state is State.HOLDS
    assert judged(look, generations_of(ENTRY, [one]), "production") == look
    assert judged(look, generations_of(ENTRY, [one, two]), "production").state is State.ABSENT


def test_at_rest() -> None:
    """What holds its current generation needs nothing."""
    one = token(age=hours(72))
    assert told(plan(ENTRY, [one], written(one.created_at))) == []


@pytest.mark.parametrize(
    ("look", "cause"),
    [(empty(), "spec"), (written(NOW - hours(99)), "drift")],
    ids=["nothing there", "somebody's before"],
)
def test_not_held(look: Look, cause: str) -> None:
    """What does not hold it gets a new token, for nothing can be copied."""
    made = plan(ENTRY, [token(age=hours(72))], look)
    assert told(made)[0] == "replace ci-deploy.g2"
    assert made.actions[0].cause == cause


def test_overwritten_with_a_warning() -> None:
    """What nobody is known to have delivered is not overwritten in silence."""
    (warning,) = plan(ENTRY, [], written(NOW - hours(9))).warnings
    assert "as far as the time of its last write tells" in warning


def test_a_run_that_died_before_it_wrote() -> None:
    """A generation that was made and not written is replaced once it has aged, and what stands there lives on."""
    older, lost = token(age=hours(30)), token(f"{CI}.g2", age=minutes(3))
    made = plan(ENTRY, [older, lost], written(older.created_at + seconds(5)))
    assert told(made) == ["replace ci-deploy.g3", "revoke ci-deploy", "revoke ci-deploy.g2"]
    assert made.actions[0].cause == "repair"
    young = dataclasses.replace(lost, created_at=NOW - seconds(179))
    assert codes(plan(ENTRY, [older, young], written(older.created_at + seconds(5)))) == ["busy"]


def test_an_older_generation_that_may_stand_there_stays() -> None:
    """Before anything new is delivered only that generation may go that cannot stand there."""
    one, two, three = token(age=hours(30)), token(f"{CI}.g2", age=hours(20)), token(f"{CI}.g3", age=hours(10))
    look = written(two.created_at + seconds(40))
    gone = [action.token for action in due_revocations(view(ENTRY, [one, two, three], look))]
    assert gone == []  # the first one may: its secret may have been written late, as far as this rule can tell
    early = written(one.created_at + seconds(40))
    assert [action.token for action in due_revocations(view(ENTRY, [one, two, three], early))] == [two.name]


def test_an_unknown_store_permits_nothing() -> None:
    """Where the store cannot be asked no older generation goes."""
    one, two = token(age=hours(30)), token(f"{CI}.g2", age=hours(20))
    assert due_revocations(view(ENTRY, [one, two], unknown())) == ()


@pytest.mark.parametrize("grace", [minutes(0), minutes(3)])
def test_two_generations_within_three_minutes(grace: dt.timedelta) -> None:
    """Nothing is made within 3 minutes and 2 s of the newest generation, whatever the user says of busy entries."""
    terms = Terms(busy_grace=grace)
    changed = dataclasses.replace(ENTRY, scopes=frozenset({READ, WRITE}))
    young, aged = token(age=seconds(181)), token(age=seconds(182))
    made = plan(changed, [young], written(young.created_at), terms=terms)
    (problem,) = made.problems
    assert (problem.code, problem.until) == ("busy", young.created_at + APART)
    assert "keeps no record" in problem.message
    assert not any(made.permits(action) for action in made.actions)
    assert codes(plan(changed, [aged], written(aged.created_at), terms=terms)) == []


def test_stores_with_a_record_need_not_wait() -> None:
    """Where every destination keeps a record, a generation that was just delivered may be replaced at once."""
    changed = entry(scopes=frozenset({READ, WRITE}))
    young = token(age=seconds(9))
    assert codes(plan(changed, [young], holds(young))) == []


def test_a_rotation_before_the_write() -> None:
    """A secret that was made anew elsewhere after the write is not the one that stands there."""
    both = entry(deliver=(target(), BARE))
    one = token(age=hours(30))
    rotated = dataclasses.replace(holds(one))
    assert rotated.record is not None
    assert rotated.record.held is not None
    held = dataclasses.replace(rotated.record.held, at=NOW - hours(2))
    newer = dataclasses.replace(rotated, record=dataclasses.replace(rotated.record, held=held))
    assert told(plan(both, [one], {target().place: newer, BARE.place: written(NOW - hours(3))})) == [
        "redeliver ci-deploy"
    ]
    assert told(plan(both, [one], {target().place: newer, BARE.place: written(NOW - hours(1))})) == []


def test_copied_from_elsewhere() -> None:
    """A store that lacks the secret gets it from one that can be read."""
    both = entry(deliver=(target(), BARE))
    one = token(age=hours(30))
    made = plan(both, [one], {target().place: holds(one), BARE.place: empty()})
    assert [(action.kind, action.destinations) for action in made.actions] == [("redeliver", (BARE.place,))]


def test_no_advice_to_revoke_what_may_stand_there() -> None:
    """At the cap no generation is named to be revoked that the store may hold."""
    four = [token(f"{CI}.g{number}" if number > 1 else CI, age=hours(50 - number)) for number in range(1, 5)]
    look = written(four[1].created_at)
    hint = full(view(ENTRY, four, look), ()).hint
    assert "ci-deploy.g3" in hint
    assert "ci-deploy.g2'" not in hint
    assert "revoke ci-deploy'" not in hint


def test_a_saved_plan() -> None:
    """A plan that was saved no longer fits once the store was written again."""
    one = token(age=hours(72))
    of = spec(ENTRY)
    then, now = (saved.seen(of, [one], {BARE.place: written(one.created_at + seconds(after))})[0] for after in (5, 900))
    assert then.places[0].holds == one.name
    assert then != now
    assert list(since._state(then, now)) == [
        "'ci-deploy': 'github acme/shop X' holds 'ci-deploy' as before, but was written again since the plan was made."
    ]


def test_marks_elsewhere_still_count() -> None:
    """An entry that also delivers to a store with a record is busy by the marks there."""
    both = entry(deliver=(target(), BARE))
    one = token(age=hours(30))
    marked = holds(one, mark(age=seconds(5), kind=MarkKind.COPY))
    made = plan(both, [one], {target().place: marked, BARE.place: empty()})
    assert codes(made) == ["busy"]


@dataclasses.dataclass(kw_only=True)
class _Store:
    """A store as it truly is: whose secret stands there, and when its own clock says that it was written."""

    skew: dt.timedelta
    holds: str = ""
    at: dt.datetime | None = None

    @property
    def look(self) -> Look:
        return empty() if self.at is None else written(self.at)

    def write(self, name: str, now: dt.datetime) -> None:
        self.holds, self.at = name, (now + self.skew).replace(microsecond=0)


RUNS = st.lists(
    st.tuples(
        st.sampled_from([seconds(1), seconds(100), minutes(3), minutes(4), hours(1), hours(30)]),  # since the last run
        st.sampled_from(["served", "served", "killed before the write", "killed after the write"]),
        st.sampled_from([seconds(0), seconds(20), seconds(119)]),  # from the making to the write
        st.booleans(),  # the spec changed
    ),
    min_size=1,
    max_size=7,
)


@settings(max_examples=400, deadline=None)
@given(RUNS, st.integers(-30, 30), st.sampled_from([hours(0), hours(24)]))
@example([(seconds(1), "served", seconds(0), False), (minutes(3), "served", seconds(0), True)], -30, hours(0))
@example([(seconds(1), "served", seconds(0), False), (seconds(180.5), "served", seconds(0), True)], -30, hours(0))
@example([(seconds(1), "served", seconds(0), False), (seconds(182), "served", seconds(0), True)], -30, hours(0))
@example([(seconds(0.9), "served", seconds(0), False), (seconds(182.3), "served", seconds(0), True)], -29, hours(0))
def test_whatever_dies(
    runs: list[tuple[dt.timedelta, str, dt.timedelta, bool]], skew: int, overlap: dt.timedelta
) -> None:
    """With clocks up to 30 s apart and runs that die anywhere, what truly stands there is never revoked.

    Nor is a generation ever taken to stand there that does not; and after a run that was served nothing is left to do.
    """
    of = dataclasses.replace(ENTRY, overlap=overlap)
    store, now = _Store(skew=seconds(skew)), NOW
    tokens: list[Token] = []
    for number, (passed, end, delay, changes) in enumerate(runs):
        now += passed
        if changes:
            of = dataclasses.replace(of, scopes=frozenset({READ if of.scopes == {WRITE} else WRITE}))
        found = _view(of, tokens, store, now)
        if found.delivered and found.current is not None:
            assert store.holds == found.current.token.name
        made = plan_entry(found)
        if made.stopped is not None:
            continue
        for action in made.actions:
            if action.mints:
                one = token(action.token, scopes=of.scopes, created_at=now, expires_at=now + days(30))
                tokens.append(dataclasses.replace(one, id=f"tok_{number}"))
                now += delay
                if end == "killed before the write":
                    break
                store.write(action.token, now)
                if end == "killed after the write":
                    break
        else:
            fresh = _view(of, tokens, store, now)
            gone = {action.id for action in due_revocations(fresh)} & {action.id for action in made.actions}
            assert store.holds not in {one.name for one in tokens if one.id in gone}
            tokens = [one for one in tokens if one.id not in gone]
            left = plan_entry(_view(of, tokens, store, now)).actions
            assert not (any(action.mints for action in made.actions) and any(action.mints for action in left))
        due = retire.retire(_view(of, tokens, store, now), None).actions
        assert store.holds not in {action.token for action in due}


def _view(of: Entry, tokens: list[Token], store: _Store, now: dt.datetime) -> EntryView:
    return dataclasses.replace(view(of, tokens, store.look), now=now)

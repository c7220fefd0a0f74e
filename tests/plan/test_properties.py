"""What holds for any workspace, any spec and any state of the destinations."""

from __future__ import annotations

import dataclasses
import fnmatch
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.plan.builders import NOW, holds, hours
from tests.plan.strategies import quiet_worlds, worlds
from tooken_ci.base.narrow import TooLongError, fitted
from tooken_ci.base.record import DeliveryRecord, Look, State
from tooken_ci.plan import due, lifecycle
from tooken_ci.plan.model import Action, ActionKind, Origin, Plan, Problem, ProblemCode
from tooken_ci.plan.view import generations_of

if TYPE_CHECKING:
    from random import Random

    from tests.plan.simulation import World
    from tooken_ci.spec.model import Entry
    from tooken_ci.tooken.model import Token

MANY = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def revoked(plan: Plan) -> list[Action]:
    return [action for action in plan.actions if action.kind is ActionKind.REVOKE]


def of_entry(plan: Plan, entry: Entry) -> list[Action]:
    return [action for action in plan.actions if action.origin is Origin.ENTRY and action.entry == entry.name]


def own(world: World, entry: Entry) -> list[Token]:
    """The entry's active generations, oldest first."""
    return [generation.token for generation in generations_of(entry, world.active)]


def base(name: str) -> str:
    head, dot, number = name.rpartition(".g")
    return head if dot and number in {"2", "3", "4", "5", "10"} else name


@MANY
@given(worlds(with_unknown=False, bounded=False))
def test_second_plan_is_empty(world: World) -> None:
    """After a complete apply there is nothing left to do."""
    plan = world.planned()
    after, failed = world.applied(plan)
    stuck = {problem.entry for problem in plan.problems if problem.code is not ProblemCode.PROTECTED} | failed
    if plan.blocks:
        assert {block.code for block in plan.blocks} == {"empty_tokens"}
        return
    left = [action for action in after.planned().actions if action.entry not in stuck]
    assert left == []


@MANY
@given(worlds(bounded=False))
def test_second_plan_is_empty_for_all_that_was_served(world: World) -> None:
    """With destinations out of reach, only the entries that could not be served have something left to do."""
    plan = world.planned()
    after, failed = world.applied(plan)
    stuck = {problem.entry for problem in plan.problems if problem.code is not ProblemCode.PROTECTED} | failed
    left = [action for action in after.planned().actions if plan.permits(action) and action.entry not in stuck]
    assert left == []


@MANY
@given(worlds())
def test_only_managed_tokens_are_revoked(world: World) -> None:
    """Nothing is revoked that no entry, ``absent`` or ``prune`` covers, and no lease ever is."""
    covered = {name for entry in world.spec.entries for name in entry.names} | {
        named.text for named in world.spec.absent
    }
    names = {token.id: token.name for token in world.active}
    for action in revoked(world.planned()):
        name = names[action.id or ""]
        pruned = any(fnmatch.fnmatchcase(name, named.text) for named in world.spec.prune)
        assert action.token == name
        assert base(name) in covered or pruned
        assert ".e-" not in name


@MANY
@given(worlds())
def test_protected_tokens_stay(world: World) -> None:
    """No generation of a protected entry goes by absent or prune, and none is made or retired to change its scopes."""
    plan = world.planned()
    protected = [entry for entry in world.spec.entries if entry.protected]
    generations = {token.id for entry in protected for token in own(world, entry)}
    assert not [action for action in plan.removals if action.id in generations]
    for entry in protected:
        living = own(world, entry)
        if living:
            minted = [action for action in of_entry(plan, entry) if action.mints]
            assert all(action.scopes == tuple(sorted(living[-1].scopes)) for action in minted)


@MANY
@given(worlds())
def test_declared_tokens_go_by_rule_four_alone(world: World) -> None:
    """Whatever ``absent`` and ``prune`` say, no generation of a declared entry or of a previous name goes by them."""
    declared = {name for entry in world.spec.entries for name in entry.names}
    assert not [action for action in world.planned().removals if base(action.token) in declared]


@MANY
@given(worlds(), st.randoms(use_true_random=False))
def test_order_does_not_matter(world: World, random: Random) -> None:
    """The same tokens and entries in another order make the same plan."""
    tokens, entries = list(world.tokens), list(range(len(world.spec.entries)))
    random.shuffle(tokens)
    random.shuffle(entries)
    shuffled = dataclasses.replace(world, tokens=tuple(tokens))
    assert shuffled.planned(entries=entries) == world.planned()


@MANY
@given(worlds())
def test_one_delivery_an_entry(world: World) -> None:
    """An entry gets at most one new token or copy, it comes first, and its name is free."""
    plan = world.planned()
    taken = {token.name for token in world.active}
    for entry in world.spec.entries:
        actions = of_entry(plan, entry)
        deliveries = [action for action in actions if action.kind is not ActionKind.REVOKE]
        assert deliveries == actions[:1][: len(deliveries)]
        assert not [action for action in deliveries if action.mints and action.token in taken]
    assert len({action.id for action in revoked(plan)}) == len(revoked(plan))


@MANY
@given(worlds())
def test_current_generation_stays(world: World) -> None:
    """The current generation of an entry goes only in a plan that replaces it, with an overlap of 0."""
    plan = world.planned()
    gone = {action.id for action in revoked(plan)}
    for entry in world.spec.entries:
        living = own(world, entry)
        if living and living[-1].id in gone:
            first, *rest = of_entry(plan, entry)
            assert first.kind is ActionKind.REPLACE
            assert first.id == living[-1].id
            assert entry.overlap == hours(0)
            assert all(plan.permits(action) <= plan.permits(first) for action in rest if action.id == first.id)


@MANY
@given(worlds())
def test_overlap_and_use_are_respected(world: World) -> None:
    """No generation of an entry goes before its overlap has passed, nor while it counts as used."""
    plan = world.planned()
    for entry in world.spec.entries:
        living = own(world, entry)
        gone = {action.id for action in of_entry(plan, entry) if action.kind is ActionKind.REVOKE}
        for index, older in enumerate(living):
            if older.id in gone and entry.overlap > hours(0):
                window = min(entry.overlap, hours(24))
                next_newer = next(newer for newer in living[index + 1 :] if newer.id not in gone)
                assert next_newer.created_at + entry.overlap <= NOW
                assert older.last_used_at is None or older.last_used_at + window <= NOW


@MANY
@given(worlds())
def test_unknown_never_revokes(world: World) -> None:
    """While one destination of an entry cannot be asked, none of its generations goes."""
    plan = world.planned()
    for entry in world.spec.entries:
        if any(world.looks[target.place].state is State.UNKNOWN for target in entry.deliver):
            assert not [action for action in of_entry(plan, entry) if action.kind is ActionKind.REVOKE]


@MANY
@given(worlds())
def test_unknown_is_no_cause(world: World) -> None:
    """What is made while a destination cannot be asked would be made too if it were in order."""
    looks = dict(world.looks)
    for entry in world.spec.entries:
        for target in entry.deliver:
            living = own(world, entry)
            if looks[target.place].state is State.UNKNOWN and living:
                looks[target.place] = holds(living[-1], readable=False)
    in_order = dataclasses.replace(world, looks=looks).planned()
    for action in world.planned().actions:
        if action.mints:
            assert [other.kind for other in of_entry(in_order, _entry(world, action)) if other.mints] == [action.kind]


@MANY
@given(worlds())
def test_no_consumer_is_left_with_a_dead_secret(world: World) -> None:
    """Whatever held a living generation of its entry holds a living one after the apply, blocked plans included."""
    after, _ = world.applied(world.planned())
    living = {token.id for token in after.active}
    for entry in world.spec.entries:
        generations = {token.id for token in own(world, entry)}
        for target in entry.deliver:
            held = world.looks[target.place].held
            if held is not None and held.id in generations:
                now_held = after.looks[target.place].held
                assert now_held is not None
                assert now_held.id in living


@MANY
@given(worlds())
def test_cap_holds(world: World) -> None:
    """No entry is given a fifth living generation."""
    plan = world.planned()
    for entry in world.spec.entries:
        if any(action.mints for action in of_entry(plan, entry)):
            assert len(own(world, entry)) < 4


@MANY
@given(worlds())
def test_watched_entries_are_left_alone(world: World) -> None:
    """Nothing is done for an entry without a destination, and nothing of it waits."""
    plan = world.planned()
    for entry in world.spec.entries:
        if not entry.deliver:
            assert of_entry(plan, entry) == []
            assert not [waiting for waiting in plan.waiting if waiting.entry == entry.name]


@MANY
@given(worlds())
def test_what_is_due_goes_on(world: World) -> None:
    """Whatever blocks the plan, a token that is due is replaced, and under a bound nothing about it changes."""
    plan = world.planned()
    for entry in world.spec.entries:
        living = own(world, entry)
        stuck = [problem for problem in plan.problems if problem.entry == entry.name and _hinders(problem)]
        if living and not stuck and entry.deliver and due.reasons(entry, living[-1], NOW):
            (made,) = [action for action in of_entry(plan, entry) if action.mints]
            assert plan.permits(made)
            assert made.scopes == tuple(sorted(living[-1].scopes if plan.blocks or entry.protected else entry.scopes))


def _hinders(problem: Problem) -> bool:
    return problem.stops or problem.code is ProblemCode.CAP


@MANY
@given(worlds())
def test_everything_is_counted_once(world: World) -> None:
    """Managed and unmanaged tokens are all tokens; what is neither planned for nor waiting is unchanged."""
    plan = world.planned()
    assert plan.managed + plan.unmanaged == len(world.active)
    waiting = {entry.entry for entry in plan.entries if not entry.actions and not entry.problems}
    served = {entry.entry for entry in plan.entries} - waiting
    assert plan.unchanged == len(world.spec.entries) - len(served)
    assert not {one.id for one in plan.waiting} & {action.id for action in revoked(plan)}


def _entry(world: World, action: Action) -> Entry:
    (found,) = [entry for entry in world.spec.entries if entry.name == action.entry]
    return found


@settings(MANY, max_examples=400)
@given(quiet_worlds())
def test_rest(world: World) -> None:
    """What is passed over as being at rest has an empty plan: the plan is the same as if every rule were asked."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lifecycle, "at_rest", lambda *_, **__: False)
        thorough = world.planned()
    assert world.planned() == thorough


def tightest(look: Look) -> Look:
    """The same look where the store has as little room for the record as there can be."""
    if look.record is None:
        return look
    limit = len(look.record.to_text())
    text = look.record.to_text()
    try:
        while True:
            text = fitted(look.record, limit)
            limit = len(text) - 1
    except TooLongError:
        return dataclasses.replace(look, record=DeliveryRecord.parse(text))


@MANY
@given(worlds())
def test_a_narrow_store_changes_no_plan(world: World) -> None:
    """What gives way in a record that must be short is nothing that any rule asks for."""
    narrow = dataclasses.replace(world, looks={place: tightest(look) for place, look in world.looks.items()})
    assert narrow.planned() == world.planned()

"""Rotations in place: marked everywhere before, cleared by the record alone, done again where they did not finish."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.apply.support import BUSY, DONE, FAILED, REFUSED, TIMED_OUT, only, statuses
from tooken_ci.base.record import MarkKind
from tooken_ci.plan.model import Cause
from tooken_ci.tooken.client import Client

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.apply.support import World
    from tooken_ci.tooken.model import Minted

LIFE: Any = {"expires_in": "expires_in: 900d"}


def in_place(world: World, *, to: str = "a", every: str = "30d") -> str:
    return world.entry(to=to, more=f"rotation: {{every: {every}, strategy: in_place}}")


@pytest.fixture
def aged(world: World) -> World:
    """A world whose entry is delivered to two stores, and due."""
    world.serve(in_place(world, to="a b"), **LIFE)
    world.sandbox.advance(31 * 86400)
    return world


def settles(world: World, *, to: str = "a b") -> None:
    """The next run delivers one living secret everywhere, of the same token, and then nothing is left to do."""
    world.sandbox.set_faults([])
    for name in to.split():
        world.store(name).before.clear()
        world.store(name).after.clear()
    world.sandbox.advance(181)
    world.serve(in_place(world, to=to), **LIFE)
    assert world.settled(in_place(world, to=to), **LIFE)
    assert world.active() == [world.name]
    (value,) = {world.store(name).value() for name in to.split()}
    assert world.sandbox.authenticates(value)
    assert [world.store(name).runs() for name in to.split()] == [[] for _ in to.split()]


def test_the_order_of_a_rotation(aged: World) -> None:
    """Every place is marked before the call; then proof, and at each place secret, read back and record."""
    world, old = aged, aged.store("a").value()
    world.prepare(in_place(world, to="a b"), **LIFE)
    outcome = world.apply()
    assert statuses(outcome) == [("rotate", world.name, DONE)]
    assert only(outcome).id == world.token_id(world.name)
    assert world.story == [
        "POST /tokens/ID 404",
        "a: check",
        "b: check",
        "a: mark",
        "b: mark",
        "GET /tokens 200",
        "POST /tokens/ID 200",
        "GET /tokens 200",
        "a: write",
        "a: read back",
        "a: record",
        "b: write",
        "b: read back",
        "b: record",
    ]
    assert world.client.sent - world.spent == world.survey.price.apply == 4
    assert not world.sandbox.authenticates(old)
    assert world.settled(in_place(world, to="a b"), **LIFE)
    settles(world)


def test_the_age_counts_from_the_last_rotation(aged: World) -> None:
    """After a rotation the next is due when the secret has its age again."""
    aged.serve(in_place(aged, to="a b"), **LIFE)
    aged.sandbox.advance(20 * 86400)
    assert aged.settled(in_place(aged, to="a b"), **LIFE)
    aged.sandbox.advance(11 * 86400)
    assert not aged.settled(in_place(aged, to="a b"), **LIFE)


@pytest.mark.parametrize("kind", ["drop_after", "500_after", "truncated", "html", "drop_before", "500_before"])
def test_a_lost_answer_is_one_more_rotation(aged: World, kind: str) -> None:
    """Where the answer is lost the token is rotated once more, and that secret is delivered."""
    aged.prepare(in_place(aged, to="a b"), **LIFE)
    path = f"/v1/tokens/{aged.token_id(aged.name)}/rotate"
    aged.sandbox.set_faults([{"do": kind, "method": "POST", "path": path, "occurrence": 1}])
    assert statuses(aged.apply()) == [("rotate", aged.name, DONE)]
    assert aged.client.sent - aged.spent == 5
    settles(aged)


@pytest.mark.parametrize("kind", ["drop_after", "500_after", "drop_before"])
def test_two_lost_answers(aged: World, kind: str) -> None:
    """Where the second answer is lost too, the entry fails, the marks stay, and the next run rotates again."""
    aged.prepare(in_place(aged, to="a b"), **LIFE)
    path = f"/v1/tokens/{aged.token_id(aged.name)}/rotate"
    aged.sandbox.set_faults([{"do": kind, "method": "POST", "path": path}])
    outcome = aged.apply()
    assert only(outcome).status is FAILED
    assert "may have been rotated" in only(outcome).error
    assert outcome.changed
    assert [aged.store(name).runs() for name in "ab"] == [[aged.run], [aged.run]]
    settles(aged)


@pytest.mark.parametrize("step", ["mark", "check"])
def test_a_place_that_cannot_be_marked(aged: World, step: str) -> None:
    """Where one place cannot be written nothing is rotated: the secret that stands there would be dead."""
    old = aged.store("b").value()
    aged.store("b").before[step] = REFUSED
    aged.prepare(in_place(aged, to="a b"), **LIFE)
    outcome = aged.apply()
    assert only(outcome).status is FAILED
    assert not outcome.changed
    assert aged.sandbox.authenticates(old)
    assert aged.store("a").runs() == []
    settles(aged)


@pytest.mark.parametrize("error", [REFUSED, TIMED_OUT])
@pytest.mark.parametrize("step", ["write", "read back", "record"])
def test_a_place_that_fails_half_way(aged: World, step: str, error: Any) -> None:
    """A place that is not served keeps its mark, whatever it is that failed; the others have the new secret."""
    aged.store("b").before[step] = error
    aged.prepare(in_place(aged, to="a b"), **LIFE)
    outcome = aged.apply()
    assert only(outcome).status is FAILED
    assert outcome.changed
    assert aged.sandbox.authenticates(aged.store("a").value())
    assert (aged.store("a").runs(), aged.store("b").runs()) == ([], [aged.run])
    settles(aged)


def test_a_secret_that_is_not_proven(aged: World) -> None:
    """A new secret that the API does not answer for is not delivered: the marks stay, and the next run goes on."""
    aged.prepare(in_place(aged, to="a b"), **LIFE)
    aged.store("b").after["mark"] = lambda: aged.sandbox.set_faults(
        [{"do": "500_before", "method": "GET", "path": "/v1/tokens", "occurrence": number} for number in range(2, 9)]
    )
    outcome = aged.apply()
    assert only(outcome).status is FAILED
    assert "not proven" in only(outcome).error
    assert outcome.changed
    settles(aged)


@pytest.mark.parametrize("kind", [MarkKind.COPY, MarkKind.CREATE, MarkKind.ROTATE])
def test_another_run_that_marks_meanwhile(aged: World, kind: MarkKind) -> None:
    """Another run's mark that appears after this run's own makes the entry busy: nothing is rotated."""
    old = aged.store("b").value()
    aged.store("b").after["mark"] = lambda: aged.store("a").leave_mark(kind)
    aged.prepare(in_place(aged, to="a b"), **LIFE)
    outcome = aged.apply()
    assert only(outcome).status is BUSY
    assert not outcome.changed
    assert aged.sandbox.authenticates(old)
    assert aged.store("a").runs() == ["another-run"]
    assert aged.store("b").runs() == []


def test_a_newer_generation_that_the_plan_did_not_know(aged: World) -> None:
    """A list that was torn must not lead to the rotation of a generation that is no longer the newest."""
    old = aged.store("b").value()
    aged.prepare(in_place(aged, to="a b"), **LIFE)
    aged.sandbox.create(f"{aged.name}.g2")
    outcome = aged.apply()
    assert only(outcome).status is BUSY
    assert aged.sandbox.authenticates(old)


def test_a_token_that_is_gone(aged: World) -> None:
    """A token that was revoked since the look-up is not rotated; the marks are taken back."""
    aged.prepare(in_place(aged, to="a b"), **LIFE)
    token_id = aged.token_id(aged.name)
    fault = {"do": "500_before", "method": "POST", "path": f"/v1/tokens/{token_id}/rotate", "status": 409}
    aged.sandbox.set_faults([fault])
    outcome = aged.apply()
    assert only(outcome).status is FAILED
    assert "can no longer be rotated" in only(outcome).error
    assert not outcome.changed
    assert aged.store("a").runs() == []


def test_a_rotation_in_the_dashboard(world: World) -> None:
    """Who rotates by hand kills what was delivered; the next run sees it in the audit log, and delivers a new one."""
    world.serve(in_place(world, to="a b"), **LIFE)
    world.sandbox.advance(60)
    world.sandbox.post(f"/tokens/{world.token_id(world.name)}/rotate")
    assert not world.sandbox.authenticates(world.store("a").value())
    world.prepare(in_place(world, to="a b"), **LIFE)
    assert [action.cause for action in world.survey.plan.actions] == [Cause.DRIFT]
    assert world.survey.price.spent == 2
    world.apply()
    settles(world)


def test_a_store_that_was_added_gets_a_copy(aged: World) -> None:
    """A redeliver copies the secret and its age, so that nothing is due later for it."""
    aged.serve(in_place(aged, to="a b"), **LIFE)
    held = aged.store("a").look().held
    outcome = aged.serve(in_place(aged, to="a b c"), **LIFE)
    assert statuses(outcome) == [("redeliver", aged.name, DONE)]
    assert aged.store("c").look().held == held
    settles(aged, to="a b c")


def test_a_key_that_may_not_rotate(aged: World) -> None:
    """The scope is probed before anything is marked."""
    key = aged.sandbox.create("narrow", "tokens:read", "tokens:write", "tokens:revoke", "audit:read")
    aged.key = key["token"]
    aged.prepare(in_place(aged, to="a b"), **LIFE)
    with pytest.raises(Exception, match="tokens:rotate"):
        aged.apply()
    assert aged.store("a").runs() == []


class LateClient(Client):
    """A client whose rotation takes so long that another run takes this one for dead."""

    hindered: Callable[[], None]

    def rotate(self, token_id: str) -> Minted:
        minted = super().rotate(token_id)
        self.hindered()
        return minted


def test_a_rotation_that_was_done_too_late(aged: World) -> None:
    """Another run has delivered meanwhile what is dead now, and cleared the marks: this one leaves its mark again."""
    world = aged
    world.client_type = LateClient
    world.prepare(in_place(world, to="a b"), **LIFE)

    def hinder() -> None:
        world.clock.time += 121
        world.sandbox.advance(121)
        for name in "ab":
            record = world.store(name).look().record
            assert record is not None
            world.store(name).write_record(record.without_marks_of(world.run))

    LateClient.hindered = staticmethod(hinder)
    outcome = world.apply()
    assert only(outcome).status is FAILED
    assert "was rotated too late" in only(outcome).error
    assert [world.store(name).runs() for name in "ab"] == [[world.run]] * 2
    assert outcome.changed
    world.client_type = Client
    settles(world)


def test_marks_that_took_too_long(aged: World) -> None:
    """Nothing is rotated once the marks have become so old that another run may take them for abandoned."""
    world, old = aged, aged.store("a").value()
    world.prepare(in_place(world, to="a b"), **LIFE)

    def hinder() -> None:
        world.clock.time += 121

    world.store("b").after["mark"] = hinder
    outcome = world.apply()
    assert "took too long" in only(outcome).error
    assert not outcome.changed
    assert [world.store(name).runs() for name in "ab"] == [[], []]
    assert world.sandbox.authenticates(old)
    settles(world)

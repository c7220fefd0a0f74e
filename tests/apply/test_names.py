from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.apply.support import BUSY, DONE, FAILED, SKIPPED, only, statuses
from tooken_ci.base import times
from tooken_ci.tooken.client import Client

if TYPE_CHECKING:
    from tests.apply.support import World
    from tooken_ci.tooken.model import Minted

LOST = ["drop_after", "truncated", "html", "500_after"]


def lose(world: World, kind: str, *occurrences: int, **more: object) -> None:
    """Loses the answers of creations; the first one with that path is the probe for the scope."""
    fault = {"do": kind, "method": "POST", "path": "/v1/tokens", **more}
    world.sandbox.set_faults([{**fault, "occurrence": number} for number in occurrences])


def test_reserved_names_are_passed_over(world: World) -> None:
    """Where the names of revoked tokens stay taken, the first number above all of them is used."""
    for number in ("", ".g2", ".g7"):
        token = world.sandbox.create(f"{world.name}{number}")
        world.sandbox.delete(f"/tokens/{token['id']}")
    world.sandbox.create(f"not-{world.name}.g99")
    outcome = world.serve(world.entry())
    assert statuses(outcome) == [("create", f"{world.name}.g8", DONE)]
    assert world.active() == [f"{world.name}.g8"]
    assert world.story[1:7] == [
        "a: check",
        "a: mark",
        "POST /tokens 409",
        "GET /tokens 200",
        "a: mark",
        "POST /tokens 201",
    ]
    assert world.store("a").runs() == []


def test_the_mark_names_what_will_be_made(world: World) -> None:
    """When the name changes, the mark changes with it before the token is made, and there is only one."""
    token = world.sandbox.create(world.name)
    world.sandbox.delete(f"/tokens/{token['id']}")
    marks: list[list[str]] = []
    world.store("a").after["mark"] = lambda: marks.append([mark.name for mark in world.store("a").look().marks])
    world.serve(world.entry())
    assert marks == [[world.name], [f"{world.name}.g2"]]


@pytest.mark.parametrize("kind", LOST)
def test_a_lost_answer_costs_one_name(world: World, kind: str) -> None:
    """A token whose answer was lost is known as this run's own; the next name is delivered, and no third is made."""
    world.serve(world.entry(), overlap="24h")
    old = world.store("a").value()
    alive: list[bool] = []
    world.store("a").before["write"] = lambda: alive.append(world.sandbox.authenticates(old))
    world.prepare(world.entry(scopes="audit:read"), overlap="24h")
    lose(world, kind, 2)
    outcome = world.apply()
    assert statuses(outcome) == [
        ("replace", f"{world.name}.g3", DONE),
        ("revoke", f"{world.name}.g2", SKIPPED),
    ]
    assert world.active() == [world.name, f"{world.name}.g2", f"{world.name}.g3"]
    assert world.store("a").holds_name() == f"{world.name}.g3"
    assert world.sandbox.authenticates(world.store("a").value())
    assert world.sandbox.authenticates(old)
    assert alive == [True]


def test_a_lost_token_is_retired(world: World) -> None:
    """The token whose secret was lost is revoked by the same run, once its successor is delivered, and told of."""
    world.prepare(world.entry())
    lose(world, "drop_after", 2)
    outcome = world.apply()
    assert not outcome.failed
    assert statuses(outcome) == [("create", f"{world.name}.g2", DONE), ("revoke", world.name, DONE)]
    assert world.active() == [f"{world.name}.g2"]
    assert world.settled(world.entry())


@pytest.mark.parametrize("kind", ["drop_before", "500_before"])
def test_an_answer_that_was_never_given(world: World, kind: str) -> None:
    """Where nothing was made, the repeat makes it under the same name."""
    world.prepare(world.entry())
    lose(world, kind, 2)
    assert statuses(world.apply()) == [("create", world.name, DONE)]
    assert world.active() == [world.name]


def test_a_lost_token_without_an_end_is_nobodys(world: World) -> None:
    """A token that never expires cannot be known as one's own, so a lost answer makes the entry busy."""
    world.prepare(world.entry(), expires_in="")
    lose(world, "drop_after", 2)
    outcome = world.apply()
    assert only(outcome).status is BUSY
    assert "it may be this run's own" in only(outcome).error
    assert outcome.changed
    assert world.active() == [world.name]
    assert world.store("a").value() == ""
    assert world.store("a").runs() == [world.run]
    world.sandbox.advance(180)
    world.prepare(world.entry(), expires_in="")
    assert [action.cause for action in world.survey.plan.actions][:1] == ["repair"]
    assert not world.apply().failed
    assert world.settled(world.entry(), expires_in="")


def test_marks_do_not_grow_old_while_a_creation_waits(world: World) -> None:
    """A creation that the API lets wait for long is announced anew before it is sent, so that nobody takes it over."""
    world.clock.ends += 200
    world.prepare(world.entry())
    ages: list[float] = []

    def note(moment: str) -> None:
        (mark,) = world.store("a").look().marks
        ages.append(world.sandbox.now() - mark.at.timestamp())
        assert mark.run == world.run, moment

    def pass_time(seconds: float) -> None:
        world.sandbox.advance(seconds)
        sleep(seconds)

    sleep, world.clock.sleep = world.clock.sleep, pass_time  # type: ignore[method-assign]
    world.store("a").before["write"] = lambda: note("written")
    wait = {"do": "429", "method": "POST", "path": "/v1/tokens", "retry_after": 100, "headers": False}
    world.sandbox.set_faults([{**wait, "occurrence": number} for number in (2, 3)])
    outcome = world.apply()
    assert statuses(outcome) == [("create", world.name, DONE)]
    assert len(ages) == 1
    assert ages[0] < 60
    assert world.story.count("a: mark") == 3


def test_another_run_while_a_creation_waits(world: World) -> None:
    """Where another run has announced itself while a creation waited, nothing is made, and nothing is left behind."""
    world.prepare(world.entry())

    def pass_time(seconds: float) -> None:
        sleep(seconds)
        world.sandbox.advance(seconds)
        world.store("a").leave_mark()

    sleep, world.clock.sleep = world.clock.sleep, pass_time  # type: ignore[method-assign]
    wait = {"do": "429", "method": "POST", "path": "/v1/tokens", "retry_after": 100, "headers": False}
    world.sandbox.set_faults([{**wait, "occurrence": 2}])
    outcome = world.apply()
    assert only(outcome).status is BUSY
    assert not outcome.changed
    assert world.active() == []
    assert world.store("a").runs() == ["another-run"]


@pytest.mark.parametrize("expires_at", [None, "2099-01-01T00:00:00Z"])
def test_somebody_else_makes_it_meanwhile(world: World, expires_at: str | None) -> None:
    """A token of the wanted name that another made since the plan makes the entry busy; it is not touched."""
    world.store("a").after["mark"] = lambda: world.sandbox.create(world.name, expires_at=expires_at)
    world.prepare(world.entry())
    outcome = world.apply()
    assert only(outcome).status is BUSY
    assert "appeared meanwhile" in only(outcome).error
    assert not outcome.changed
    assert world.active() == [world.name]
    assert world.store("a").runs() == []
    assert world.store("a").value() == ""


def test_a_token_that_was_there_before_is_not_ours(world: World) -> None:
    """Even with the very expiry that was asked for, a token made before this run's first request is not its own."""
    sandbox = world.sandbox

    class Late(Client):
        def create(self, **asked: Any) -> Minted:
            sandbox.advance(-30)
            sandbox.create(asked["name"], expires_at=times.show(asked["expires_at"]))
            sandbox.advance(30)
            return super().create(**asked)

    world.client_type = Late
    world.prepare(world.entry())
    assert only(world.apply()).status is BUSY
    assert world.active() == [world.name]


def test_three_names_are_tried(world: World) -> None:
    """After three names in a row were lost the entry fails; what was made counts as a change."""
    world.prepare(world.entry())
    lose(world, "drop_after", 2, 4, 6)
    outcome = world.apply()
    assert only(outcome).status is FAILED
    assert "3 in a row were taken" in only(outcome).error
    assert outcome.changed
    assert world.active() == [world.name, f"{world.name}.g2", f"{world.name}.g3"]
    assert world.store("a").value() == ""


def test_the_cap_counts_what_was_lost(world: World) -> None:
    """A lost token that makes four alive is the last: nothing more is made, and the change is told."""
    world.serve(world.entry(), overlap="24h")
    world.serve(world.entry(scopes="audit:read"), overlap="24h")
    world.serve(world.entry(scopes="webhooks:read"), overlap="24h")
    world.prepare(world.entry(scopes="tokens:rotate"), overlap="24h")
    lose(world, "drop_after", 2)
    outcome = world.apply()
    assert only(outcome).status is FAILED
    assert "no more than 4 may be" in only(outcome).error
    assert outcome.changed
    assert world.active() == [world.name, *(f"{world.name}.g{number}" for number in (2, 3, 4))]
    assert world.sandbox.authenticates(world.store("a").value())
    assert world.store("a").runs() == []


@pytest.mark.parametrize("kind", ["html", "500_before"])
def test_no_usable_answer_at_all(world: World, kind: str) -> None:
    """Without an answer the token may exist: the marks stay to tell the next run, and it counts as a change."""
    world.prepare(world.entry())
    lose(world, kind, *range(2, 12), **({"status": 200} if kind == "html" else {}))
    outcome = world.apply()
    assert only(outcome).status is FAILED
    assert outcome.changed
    assert world.store("a").runs() == [world.run]
    assert len(world.active()) == (kind == "html")


def test_a_refusal_of_the_creation(world: World) -> None:
    """A creation that the API refuses takes the marks back and has changed nothing."""
    world.prepare(world.entry())
    lose(world, "500_before", *range(2, 12), status=422)
    outcome = world.apply()
    assert only(outcome).status is FAILED
    assert "does not take the values" in only(outcome).error
    assert not outcome.changed
    assert world.store("a").runs() == []


def test_another_run_marks_while_the_name_changes(world: World) -> None:
    """Where a mark of another run stands when the next name is announced, the entry is busy and nothing is made."""
    token = world.sandbox.create(world.name)
    world.sandbox.delete(f"/tokens/{token['id']}")
    world.store("a").after["mark"] = world.store("a").leave_mark
    world.prepare(world.entry())
    outcome = world.apply()
    assert only(outcome).status is BUSY
    assert world.active() == []
    assert world.store("a").runs() == ["another-run"]

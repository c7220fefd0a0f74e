from __future__ import annotations

from typing import TYPE_CHECKING

from tests.apply.support import DONE, REFUSED, statuses
from tooken_ci.base.record import State

if TYPE_CHECKING:
    from tests.apply.support import World


def test_a_create_in_its_order(world: World) -> None:
    """Mark every place, create, prove, then at each place the secret, the look back and the record."""
    outcome = world.serve(world.entry(to="a b"))
    assert world.story == [
        "POST /tokens 400",
        "a: check",
        "b: check",
        "a: mark",
        "b: mark",
        "POST /tokens 201",
        "GET /tokens 200",
        "a: write",
        "a: read back",
        "a: record",
        "b: write",
        "b: read back",
        "b: record",
    ]
    assert statuses(outcome) == [("create", world.name, DONE)]
    assert outcome.changed
    assert outcome.results[0].id == world.token_id(world.name)


def test_a_replace_in_its_order(world: World) -> None:
    """The old generation is revoked last, after a look at the entry, when the new one stands everywhere."""
    world.serve(world.entry(to="a b"))
    old = world.store("a").value()
    assert world.sandbox.authenticates(old)
    outcome = world.serve(world.entry(to="a b", scopes="tokens:read, audit:read"))
    assert world.story == [
        "POST /tokens 400",
        "DELETE /tokens/tok_probe 404",
        "a: check",
        "b: check",
        "a: mark",
        "b: mark",
        "POST /tokens 201",
        "GET /tokens 200",
        "a: write",
        "a: read back",
        "a: record",
        "b: write",
        "b: read back",
        "b: record",
        "GET /tokens 200",
        "DELETE /tokens/ID 204",
    ]
    assert statuses(outcome) == [("replace", f"{world.name}.g2", DONE), ("revoke", world.name, DONE)]
    assert world.active() == [f"{world.name}.g2"]
    assert not world.sandbox.authenticates(old)


def test_no_consumer_ever_holds_a_dead_secret(world: World) -> None:
    """At every step of a replacement the value at each place authenticates."""
    world.serve(world.entry(to="a b"))
    seen: list[bool] = []

    def look() -> None:
        seen.extend(world.sandbox.authenticates(world.store(name).value()) for name in "ab")

    for name in "ab":
        for step in ("check", "mark", "write", "read back", "record"):
            world.store(name).before[step] = look
            world.store(name).after[step] = look
    world.serve(world.entry(to="a b", scopes="audit:read"))
    assert len(seen) == 40
    assert all(seen)


def test_what_was_delivered_works(world: World) -> None:
    """Each place holds the new secret with a record that names it, no mark is left, and the next plan is empty."""
    world.serve(world.entry(to="a b"))
    for name in "ab":
        look = world.store(name).look()
        assert look.state is State.HOLDS
        assert look.marks == ()
        assert look.held is not None
        assert look.held.id == world.token_id(world.name)
        assert world.sandbox.authenticates(world.store(name).value())
    assert world.settled(world.entry(to="a b"))


def test_the_token_is_as_asked(world: World) -> None:
    """The token that was made has the scopes and the life of the spec, give or take the minute that marks a run."""
    world.serve(world.entry(scopes="audit:read, tokens:read"))
    token = world.sandbox.token(world.token_id(world.name))
    assert set(token["scopes"]) == {"audit:read", "tokens:read"}
    (action,) = world.survey.plan.actions
    assert action.expires_at is not None
    expiry = world.client.get(token["id"])
    assert expiry is not None
    assert expiry.expires_at is not None
    assert -1 <= (expiry.expires_at - action.expires_at).total_seconds() < 60


def test_the_place_that_holds_the_oldest_comes_first(world: World) -> None:
    """The place whose secret ends first is served first, whatever the order in the spec."""
    world.serve(world.entry(to="a b"), overlap="24h")
    world.store("b").before["mark"] = REFUSED
    world.prepare(world.entry(to="a b", scopes="audit:read"), overlap="24h")
    world.apply()
    assert world.store("a").holds_name() == f"{world.name}.g2"
    assert world.store("b").holds_name() == world.name
    del world.store("b").before["mark"]
    world.serve(world.entry(to="a b", scopes="webhooks:read"), overlap="24h")
    assert [line for line in world.story if line.endswith("write")] == ["b: write", "a: write"]


def test_entries_stand_on_their_own(world: World) -> None:
    """Several entries are served one after the other, each with its own token."""
    names = [f"{world.name}-{letter}" for letter in "pqr"]
    outcome = world.serve(*[world.entry(name, to=name) for name in names])
    assert statuses(outcome) == [("create", name, DONE) for name in names]
    assert len({world.store(name).value() for name in names}) == 3
    assert all(world.sandbox.authenticates(world.store(name).value()) for name in names)


def test_nothing_to_do_asks_nothing(world: World) -> None:
    """An apply with nothing to do sends no request and touches no place."""
    world.serve(world.entry())
    assert world.settled(world.entry())
    outcome = world.apply()
    assert world.story == []
    assert not outcome.changed
    assert not outcome.failed

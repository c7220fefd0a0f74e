from __future__ import annotations

from typing import TYPE_CHECKING

from tests.apply.support import BUSY, DONE, statuses

if TYPE_CHECKING:
    from tests.apply.support import World


def renamed(world: World, *olds: str) -> str:
    """The world's entry under a new name, which takes over the old ones."""
    return world.entry(f"{world.name}-new", more=f"previously: [{', '.join(olds or (world.name,))}]")


def test_a_rename_is_one_replacement(world: World) -> None:
    """A new name makes the next generation, delivers it, and then revokes the one of the old name; numbers go on."""
    world.serve(world.entry())
    old = world.store("a").value()
    world.prepare(renamed(world))
    foretold = world.survey.price.apply
    outcome = world.apply()
    new = f"{world.name}-new.g2"
    assert statuses(outcome) == [("replace", new, DONE), ("revoke", world.name, DONE)]
    assert world.client.sent - world.spent == foretold == 2 + 2 + 2 + 1  # probes, mint, a look-up for each name, DELETE
    assert world.store("a").holds_name() == new
    assert not world.sandbox.authenticates(old)
    assert world.sandbox.authenticates(world.store("a").value())
    assert world.settled(renamed(world))


def test_the_overlap_holds_over_both_names(world: World) -> None:
    """Within the overlap the generation of the old name lives on; after it a later run revokes it."""
    world.serve(world.entry(), overlap="1h", expires_in="expires_in: 90d")
    world.serve(renamed(world), overlap="1h")
    assert world.active() == [world.name]
    world.sandbox.advance(3601)
    outcome = world.serve(renamed(world), overlap="1h")
    assert statuses(outcome) == [("revoke", world.name, DONE)]
    assert world.settled(renamed(world), overlap="1h")


def test_a_number_that_is_taken(world: World) -> None:
    """Where the next number is taken, the look-up over all names and statuses finds the one to go on with."""
    world.serve(world.entry())
    world.prepare(renamed(world))
    for taken in (f"{world.name}-new.g2", f"{world.name}.g5"):
        world.sandbox.delete(f"/tokens/{world.sandbox.create(taken)['id']}")
    assert world.apply().results[0].token == f"{world.name}-new.g6"
    assert world.settled(renamed(world))


def test_somebody_who_still_uses_the_old_name(world: World) -> None:
    """A generation of the old name that appears meanwhile makes the entry busy."""
    world.serve(world.entry())
    world.prepare(renamed(world))
    world.sandbox.delete(f"/tokens/{world.sandbox.create(f'{world.name}-new.g2')['id']}")
    world.sandbox.create(f"{world.name}.g2")
    assert world.apply().results[0].status is BUSY
    assert world.store("a").holds_name() == world.name


def test_a_copy_looks_at_every_name(world: World) -> None:
    """Before a secret is copied, the entry is looked up by each of its names."""
    world.serve(world.entry())
    world.serve(renamed(world))
    both = world.entry(f"{world.name}-new", to="a b", more=f"previously: [{world.name}]")
    world.prepare(both)
    outcome = world.apply()
    assert statuses(outcome) == [("redeliver", f"{world.name}-new.g2", DONE)]
    assert world.story.count("GET /tokens 200") == 2
    assert world.settled(both)


def test_the_oldest_is_served_first_over_both_names(world: World) -> None:
    """The place that holds the old name's generation is served first, although its number is the higher one."""
    new = f"{world.name}-new"
    for scopes in ("tokens:read", "audit:read"):
        world.serve(world.entry(scopes=scopes))
    world.serve(world.entry(scopes="audit:read"), world.entry(new, to="b"))
    world.prepare(world.entry(new, to="b a", scopes="webhooks:read", more=f"previously: [{world.name}]"))
    outcome = world.apply()
    assert outcome.results[0].token == f"{new}.g3"
    assert [line for line in world.story if line.endswith(": write")] == ["a: write", "b: write"]

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.apply.support import World
    from tooken_ci.plan.result import Outcome

WIDE = "policy: {max_revocations: 100, max_changes: 100}\n"


def pay(world: World, requests: int) -> Outcome:
    """Applies, and holds the price that the plan told against what the client and the server counted."""
    price = world.survey.price
    outcome = world.apply()
    assert not outcome.failed, outcome.results
    assert world.client.sent - world.spent == price.apply == len(world.sandbox.requests()) == requests
    assert price.apply <= price.at_most
    return outcome


def test_creates(world: World) -> None:
    """New tokens cost two requests each, and one for the scope."""
    world.prepare(*[world.entry(f"{world.name}-{number}", to=f"a{number}") for number in range(5)])
    pay(world, 1 + 5 * 2)


def test_a_replace_without_overlap(world: World) -> None:
    """A replacement with its revocation costs four requests, and two for the scopes."""
    world.serve(world.entry(to="a b"))
    world.prepare(world.entry(to="a b", scopes="audit:read"))
    pay(world, 2 + 4)


def test_a_replace_with_overlap(world: World) -> None:
    """A replacement whose old generation waits costs as much as a new token."""
    world.serve(world.entry(), overlap="24h")
    world.prepare(world.entry(scopes="audit:read"), overlap="24h")
    pay(world, 1 + 2)


def test_a_redeliver(world: World) -> None:
    """A copy costs one look-up."""
    world.serve(world.entry())
    world.prepare(world.entry(to="a b c"))
    pay(world, 1)


def test_absent(world: World) -> None:
    """A name in 'absent' costs one look-up and one request for each generation, and one for the scope."""
    for number in ("", ".g2", ".g3"):
        world.sandbox.create(f"{world.name}{number}")
    world.prepare(more=f"{WIDE}absent: [{world.name}]\n")
    pay(world, 1 + 1 + 3)


def test_prune(world: World) -> None:
    """Pruning costs one look-up for each name and one request for each token."""
    for name in ("p-a", "p-a.g2", "p-b"):
        world.sandbox.create(f"{world.name}-{name}")
    world.serve(world.entry(), more=WIDE)
    world.prepare(world.entry(), more=f"{WIDE}prune: ['{world.name}-p-*']\n")
    pay(world, 1 + 2 + 3)


def test_a_look_up_over_several_pages(world: World) -> None:
    """A name that more than a hundred active tokens contain costs a look-up of as many pages as that takes."""
    for number in range(102):
        world.sandbox.create(f"{world.name}-{number:03}")
    world.serve(world.entry(), more=WIDE)
    world.prepare(world.entry(scopes="audit:read"), more=WIDE)
    pay(world, 2 + 2 + 2 + 1)


def test_all_together(world: World) -> None:
    """The prices of all the parts add up."""
    kept, changed, copied = (f"{world.name}-{word}" for word in ("kept", "changed", "copied"))
    first = [world.entry(kept, to="k"), world.entry(changed, to="c"), world.entry(copied, to="d")]
    world.serve(*first)
    for name in ("gone", "p-old"):
        world.sandbox.create(f"{world.name}-{name}")
    more = f"{WIDE}absent: [{world.name}-gone]\nprune: ['{world.name}-p-*']\n"
    world.prepare(
        world.entry(kept, to="k"),
        world.entry(changed, to="c", scopes="audit:read"),
        world.entry(copied, to="d e"),
        world.entry(f"{world.name}-new", to="n"),
        more=more,
    )
    outcome = pay(world, 2 + 4 + 1 + 2 + 2 + 2)
    assert len(outcome.results) == 6


def test_a_plan_costs_its_pages_and_its_strange_ids(world: World) -> None:
    """A plan costs one request for each hundred active tokens, and one for each recorded id that is not active."""
    world.serve(world.entry())
    world.sandbox.delete(f"/tokens/{world.token_id(world.name)}")
    pages = max(1, -(-len(world.sandbox.active_tokens()) // 100))
    world.prepare(world.entry())
    assert world.survey.price.spent == world.spent == pages + 1

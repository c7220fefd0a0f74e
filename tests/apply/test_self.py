"""The token that runs tooken-ci: it comes last, and its own old secret goes with the very last request."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.apply.support import DONE, FAILED, REFUSED, SKIPPED, PatientClock, statuses
from tooken_ci.plan.terms import Terms

if TYPE_CHECKING:
    from tests.apply.support import World

POWERS = "tokens:read, tokens:write, tokens:revoke"
MORE_POWERS = f"{POWERS}, tokens:rotate"


def own(world: World, scopes: str = POWERS) -> str:
    """The entry whose token runs it all."""
    return world.entry(world.name, to="own", scopes=scopes)


def runs_with_its_own_token(world: World, *entries: str) -> tuple[str, str]:
    """The entry is served, and from now on its secret is the key; gives the token's id and what the spec needs."""
    more = f"policy: {{max_revocations: 99}}\nself: {world.name}\n"
    world.serve(own(world), *entries, more=more)
    world.key = world.store("own").value()
    return world.token_id(world.name), more


def test_everything_else_comes_first(world: World) -> None:
    """Entries, absent and prune are done before it, in the plan as in the run; its old token goes at the very end."""
    other = world.entry(f"{world.name}-z", to="z")
    old, more = runs_with_its_own_token(world, other)
    gone = [f"{world.name}-gone", f"{world.name}-p-old"]
    for name in gone:
        world.sandbox.create(name)
    more += f"absent: [{gone[0]}]\nprune: ['{world.name}-p-*']\n"
    world.prepare(
        own(world, MORE_POWERS), world.entry(f"{world.name}-z", to="z", scopes="audit:read"), more=more, workers=4
    )
    outcome = world.apply()
    order = [f"{world.name}-z.g2", f"{world.name}-z", *gone, f"{world.name}.g2", world.name]
    assert [result.token for result in outcome.results] == [result.token for result in world.told] == order
    assert {result.status for result in outcome.results} == {DONE}
    last = world.sandbox.requests()[-1]
    assert (last["method"], last["path"], last["status"]) == ("DELETE", f"/v1/tokens/{old}", 204)
    world.key = world.store("own").value()
    assert world.settled(
        own(world, MORE_POWERS), world.entry(f"{world.name}-z", to="z", scopes="audit:read"), more=more
    )


@pytest.mark.parametrize("fault", ["drop_after", "500_after", "html"])
def test_the_answer_to_the_last_request_is_lost(world: World, fault: str) -> None:
    """A 401 to the repeat of the request that ended the key itself means that it is done."""
    old, more = runs_with_its_own_token(world)
    world.prepare(own(world, MORE_POWERS), more=more)
    world.sandbox.set_faults([{"do": fault, "method": "DELETE", "path": f"/v1/tokens/{old}", "occurrence": 1}])
    outcome = world.apply()
    assert statuses(outcome) == [("replace", f"{world.name}.g2", DONE), ("revoke", world.name, DONE)]
    assert [request["status"] for request in world.sandbox.requests()[-1:]] == [401]
    assert world.active() == [f"{world.name}.g2"]


def test_a_401_that_comes_at_once_is_none_of_that(world: World) -> None:
    """Where the first request already meets a 401 the key was ended by somebody else, and what it asked is not done."""
    old, more = runs_with_its_own_token(world)
    world.prepare(own(world, MORE_POWERS), more=more)
    world.store("own").after["record"] = lambda: world.sandbox.delete(f"/tokens/{old}")
    outcome = world.apply()
    assert statuses(outcome) == [("replace", f"{world.name}.g2", DONE), ("revoke", world.name, FAILED)]


def test_another_tokens_lost_revocation_is_not_taken_for_done(world: World) -> None:
    """A 401 to the repeat of any other revocation tells that the key is gone, and leaves unclear what became of it."""
    world.serve(world.entry())
    old = world.token_id(world.name)
    key = world.sandbox.create(f"{world.name}-key", "tokens:read", "tokens:write", "tokens:revoke")
    world.key = key["token"]
    clock = world.clock = PatientClock(world)
    world.prepare(world.entry(scopes="audit:read"))
    world.sandbox.set_faults([{"do": "500_before", "method": "DELETE", "path": f"/v1/tokens/{old}", "occurrence": 1}])
    clock.meanwhile = [lambda: world.sandbox.delete(f"/tokens/{key['id']}")]
    outcome = world.apply()
    assert statuses(outcome)[-1] == ("revoke", world.name, FAILED)
    assert outcome.results[-1].unclear
    assert world.name in world.active()


def test_of_several_old_ones_the_running_goes_last(world: World) -> None:
    """A newer token than the running one goes before it, so that the key lasts to the end."""
    running, more = runs_with_its_own_token(world)
    newer = world.sandbox.create(f"{world.name}.g2", *POWERS.split(", "), expires_at="2099-01-01T00:00:00Z")
    world.sandbox.send("GET", "/tokens", key=newer["token"])
    world.clock = PatientClock(world)
    world.prepare(own(world), more=more, terms=Terms(revoke_used=True))
    outcome = world.execute()
    assert {result.status for result in outcome.results} == {DONE}
    ended = [
        request["path"].rpartition("/")[2] for request in world.sandbox.requests() if request["method"] == "DELETE"
    ]
    assert ended[-2:] == [newer["id"], running]
    assert world.active() == [f"{world.name}.g3"]


def test_of_unrecorded_ones_the_last_used_goes_last(world: World) -> None:
    """Where no record tells which token runs, it is the one that was used last, whatever its number."""
    key = world.sandbox.create(world.name, *POWERS.split(", "), expires_at="2099-01-01T00:00:00Z")
    other = world.sandbox.create(f"{world.name}.g2", *POWERS.split(", "), expires_at="2099-01-01T00:00:00Z")
    world.sandbox.advance(600)
    world.key = key["token"]
    world.prepare(own(world), more=f"self: {world.name}\n")
    outcome = world.execute()
    assert {result.status for result in outcome.results} == {DONE}
    ended = [
        request["path"].rpartition("/")[2] for request in world.sandbox.requests() if request["method"] == "DELETE"
    ]
    assert ended[-2:] == [other["id"], key["id"]]


def test_it_is_done_even_if_others_failed(world: World) -> None:
    """Another entry that fails keeps it from nothing, though it keeps everything from being pruned."""
    old, more = runs_with_its_own_token(world)
    world.sandbox.create(f"{world.name}-p")
    world.prepare(
        own(world, MORE_POWERS), world.entry(f"{world.name}-z", to="z"), more=f"{more}prune: ['{world.name}-p*']\n"
    )
    world.store("z").before["mark"] = REFUSED
    outcome = world.apply()
    assert [status for _, _, status in statuses(outcome)] == [FAILED, SKIPPED, DONE, DONE]
    assert old not in [token["id"] for token in world.sandbox.active_tokens()]


def test_it_fails_and_keeps_what_runs(world: World) -> None:
    """Where its own new secret cannot be delivered the token that runs stays."""
    old, more = runs_with_its_own_token(world)
    world.prepare(own(world, MORE_POWERS), more=more)
    world.store("own").before["write"] = REFUSED
    outcome = world.apply()
    assert [status for _, _, status in statuses(outcome)] == [FAILED, SKIPPED]
    assert world.token_id(world.name) == old

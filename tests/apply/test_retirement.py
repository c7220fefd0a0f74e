from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.apply.support import DONE, FAILED, REFUSED, SKIPPED, statuses
from tooken_ci.base.errors import WorkspaceError
from tooken_ci.tooken.client import Client

if TYPE_CHECKING:
    from tests.apply.support import World
    from tooken_ci.tooken.model import Token

WIDE = "policy: {max_revocations: 100}\n"


@pytest.fixture
def replaced(world: World) -> World:
    """A world that is about to replace its entry's token at ``a`` and ``b`` and to revoke the old one at once."""
    world.serve(world.entry(to="a b"))
    world.prepare(world.entry(to="a b", scopes="audit:read"))
    return world


def test_the_token_is_revoked_meanwhile(replaced: World) -> None:
    """A generation that somebody revoked since the plan is left out."""
    old = replaced.token_id(replaced.name)
    replaced.store("b").after["record"] = lambda: replaced.sandbox.delete(f"/tokens/{old}")
    outcome = replaced.apply()
    assert [result.status for result in outcome.results] == [DONE, SKIPPED]
    assert not outcome.failed
    assert not any(line.startswith("DELETE /tokens/ID") for line in replaced.story)


def test_somebody_puts_the_old_secret_back_meanwhile(replaced: World) -> None:
    """A generation is not revoked where a place may hold it again when it comes to it."""
    a, old = replaced.store("a"), replaced.store("a").value()
    replaced.store("b").after["record"] = lambda: a.path.write_text(old, encoding="utf-8")
    outcome = replaced.apply()
    assert [result.status for result in outcome.results] == [DONE, SKIPPED]
    assert "no longer allows it" in outcome.results[1].error
    assert replaced.active() == [replaced.name, f"{replaced.name}.g2"]
    assert replaced.sandbox.authenticates(a.value())


def test_a_record_is_lost_meanwhile(replaced: World) -> None:
    """A generation is not revoked where a value stands without a record that says whose it is."""
    replaced.store("b").after["record"] = replaced.store("a").path.with_name("a.tooken").unlink
    assert [result.status for result in replaced.apply().results] == [DONE, SKIPPED]
    assert replaced.active() == [replaced.name, f"{replaced.name}.g2"]


def test_a_place_is_emptied_meanwhile(replaced: World) -> None:
    """An emptied place can hold no older generation, so that one goes; the next run fills the place again."""
    replaced.store("b").after["record"] = replaced.store("a").path.unlink
    outcome = replaced.apply()
    assert [result.status for result in outcome.results] == [DONE, DONE]
    assert replaced.sandbox.authenticates(replaced.store("b").value())
    del replaced.store("b").after["record"]
    outcome = replaced.serve(replaced.entry(to="a b", scopes="audit:read"))
    assert statuses(outcome) == [("redeliver", f"{replaced.name}.g2", DONE)]


def test_a_place_gets_another_runs_mark_meanwhile(replaced: World) -> None:
    """A generation is not revoked while another run announces that it writes."""
    replaced.store("b").after["record"] = replaced.store("a").leave_mark
    outcome = replaced.apply()
    assert [result.status for result in outcome.results] == [DONE, SKIPPED]
    assert replaced.active() == [replaced.name, f"{replaced.name}.g2"]


def test_a_place_gets_a_record_of_another_workspace_meanwhile(replaced: World) -> None:
    """A generation is not revoked where a record turned out to be somebody else's."""
    path = replaced.store("a").path.with_name("a.tooken")

    def take_over() -> None:
        ours = path.read_text(encoding="utf-8")
        path.write_text(ours.replace("workspace=test", "workspace=other"), encoding="utf-8")

    replaced.store("b").after["record"] = take_over
    assert [result.status for result in replaced.apply().results] == [DONE, SKIPPED]
    assert replaced.active() == [replaced.name, f"{replaced.name}.g2"]


@pytest.fixture
def due(world: World) -> World:
    """A world whose entry has an older generation that may be revoked now, after its overlap."""
    world.serve(world.entry(), overlap="1h")
    old = world.store("a").value()
    world.serve(world.entry(scopes="audit:read"), overlap="1h")
    world.sandbox.advance(3700)
    world.store("old").path.write_text(old, encoding="utf-8")
    world.prepare(world.entry(scopes="audit:read"), overlap="1h")
    assert [action.token for action in world.survey.plan.actions] == [world.name]
    return world


def test_an_older_generation_goes_when_it_is_due(due: World) -> None:
    """After the overlap the older generation is revoked, and nothing is written for it."""
    assert statuses(due.apply()) == [("revoke", due.name, DONE)]
    assert due.story == ["DELETE /tokens/tok_probe 404", "GET /tokens 200", "DELETE /tokens/ID 204"]
    assert due.active() == [f"{due.name}.g2"]


def test_it_is_used_meanwhile(due: World) -> None:
    """A generation that was used since the plan is kept: somebody still has its secret."""
    due.sandbox.send("GET", "/tokens", key=due.store("old").value())
    due.sandbox.clear_requests()
    outcome = due.apply()
    assert statuses(outcome) == [("revoke", due.name, SKIPPED)]
    assert not outcome.failed
    assert not outcome.changed
    assert due.sandbox.authenticates(due.store("old").value())


def test_the_look_up_fails(due: World) -> None:
    """Where the entry cannot be looked up, nothing is revoked."""
    due.sandbox.set_faults([{"do": "500_before", "method": "GET"}])
    outcome = due.apply()
    assert statuses(outcome) == [("revoke", due.name, FAILED)]
    assert not outcome.changed
    assert len(due.active()) == 2


def test_the_look_up_stays_torn(world: World) -> None:
    """Where the list keeps changing, nothing is revoked, and the run still reports all that it did."""

    class Torn(Client):
        def find_active(self, text: str) -> tuple[Token, ...]:
            raise WorkspaceError(f"The list changed while {text} was looked up.")

    world.serve(world.entry())
    world.client_type = Torn
    world.prepare(world.entry(scopes="audit:read"))
    outcome = world.apply()
    assert [result.status for result in outcome.results] == [DONE, FAILED]
    assert "The list changed" in outcome.results[1].error
    assert outcome.changed
    assert len(world.active()) == 2


def test_a_revocation_that_fails(world: World) -> None:
    """A revocation that fails is told, and the ones after it are done."""
    names = [world.sandbox.create(f"{world.name}{number}")["name"] for number in ("", ".g2", ".g3")]
    world.prepare(more=f"{WIDE}absent: [{world.name}]\n")
    fault = {"do": "500_before", "status": 403, "method": "DELETE", "path": "/v1/tokens/.*", "occurrence": 3}
    world.sandbox.set_faults([fault])
    outcome = world.apply()
    assert [result.status for result in outcome.results] == [DONE, FAILED, DONE]
    assert "tokens:revoke" in outcome.results[1].error
    assert outcome.failed
    assert world.active() == [names[1]]


def test_a_revocation_that_is_done_but_answered_with_a_failure(world: World) -> None:
    """A revocation of which nobody knows whether it was done never ends as 'nothing was changed'."""
    gone = f"{world.name}-gone"
    world.sandbox.create(gone)
    world.prepare(more=f"policy: {{max_revocations: 9}}\nabsent: [{gone}]\n")
    # the probe passes; the revocation itself is done, and its answers are lost each time
    probed = {"method": "DELETE", "path": "/v1/tokens/tok_[0-9a-zA-Z]{10,}"}
    world.sandbox.set_faults([{**probed, "do": "500_after"}])
    outcome = world.apply()
    assert world.active(gone) == []
    assert outcome.failed
    assert outcome.changed


def test_absent(world: World) -> None:
    """Every active generation of a name in 'absent' goes, after one look-up; a name that merely contains it stays."""
    for name in (world.name, f"{world.name}.g2", f"{world.name}-x", f"{world.name}.e-1"):
        world.sandbox.create(name)
    outcome = world.serve(more=f"{WIDE}absent: [{world.name}]\n")
    assert statuses(outcome) == [("revoke", world.name, DONE), ("revoke", f"{world.name}.g2", DONE)]
    assert world.story == [
        "DELETE /tokens/tok_probe 404",
        "GET /tokens 200",
        "DELETE /tokens/ID 204",
        "DELETE /tokens/ID 204",
    ]
    assert world.active() == []
    assert world.active(f"{world.name}-x") == [f"{world.name}-x"]


def test_prune(world: World) -> None:
    """What a pattern matches and nobody declares goes; entries and leases stay."""
    for name in ("left", "left.g2", "kept.e-1"):
        world.sandbox.create(f"{world.name}-{name}")
    outcome = world.serve(world.entry(f"{world.name}-own"), more=f"{WIDE}prune: ['{world.name}-*']\n")
    assert statuses(outcome) == [
        ("create", f"{world.name}-own", DONE),
        ("revoke", f"{world.name}-left", DONE),
        ("revoke", f"{world.name}-left.g2", DONE),
    ]
    assert [world.active(f"{world.name}-{name}") for name in ("left", "own")] == [[], [f"{world.name}-own"]]
    assert world.active(f"{world.name}-kept.e-1") == [f"{world.name}-kept.e-1"]


def test_absent_goes_before_prune_and_after_the_entries(world: World) -> None:
    """First the entries, then what is absent, then what is pruned."""
    for name in ("p-old", "q-gone"):
        world.sandbox.create(f"{world.name}-{name}")
    more = f"{WIDE}prune: ['{world.name}-p-*']\nabsent: [{world.name}-q-gone]\n"
    outcome = world.serve(world.entry(f"{world.name}-z"), more=more)
    assert [result.token.removeprefix(f"{world.name}-") for result in outcome.results] == ["z", "q-gone", "p-old"]


def test_nothing_is_pruned_after_a_failure(world: World) -> None:
    """Where anything failed, pruning waits for a better run; what is absent goes all the same."""
    for name in ("p-old", "q-gone"):
        world.sandbox.create(f"{world.name}-{name}")
    world.store("a").before["write"] = REFUSED
    more = f"{WIDE}prune: ['{world.name}-p-*']\nabsent: [{world.name}-q-gone]\n"
    world.prepare(world.entry(f"{world.name}-z"), more=more)
    outcome = world.apply()
    assert [result.status for result in outcome.results] == [FAILED, DONE, SKIPPED]
    assert "something else failed" in outcome.results[2].error
    assert world.active(f"{world.name}-p-old") == [f"{world.name}-p-old"]


def test_nothing_is_pruned_beside_a_busy_entry(world: World) -> None:
    """Where an entry is busy, nothing is pruned."""
    world.sandbox.create(f"{world.name}-p-old")
    world.store("a").leave_mark()
    world.prepare(world.entry(f"{world.name}-z"), more=f"{WIDE}prune: ['{world.name}-p-*']\n")
    assert [result.status.value for result in world.apply().results] == ["busy", "skipped"]
    assert world.active(f"{world.name}-p-old") == [f"{world.name}-p-old"]


def test_what_is_pruned_is_looked_at_again(world: World) -> None:
    """A token that somebody revoked since the plan is left out of the pruning."""
    token = world.sandbox.create(f"{world.name}-p-old")
    world.prepare(world.entry(), more=f"{WIDE}prune: ['{world.name}-p-*']\n")
    world.store("a").after["record"] = lambda: world.sandbox.delete(f"/tokens/{token['id']}")
    assert [result.status for result in world.apply().results] == [DONE, SKIPPED]

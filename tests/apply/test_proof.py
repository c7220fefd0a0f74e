from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest

from tests.apply.support import BUSY, DONE, FAILED, REFUSED, only, statuses
from tooken_ci.base.errors import ForbiddenError
from tooken_ci.base.record import MarkKind
from tooken_ci.tooken.client import Client

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.apply.support import World
    from tooken_ci.tooken.model import Minted

Asked = dict[str, Any]


def other_scopes(asked: Asked) -> Asked:
    return asked | {"scopes_wanted": ["tokens:write"]}


def more_scopes(asked: Asked) -> Asked:
    return asked | {"scopes_wanted": [*asked["scopes_wanted"], "audit:read"]}


def another_name(asked: Asked) -> Asked:
    return asked | {"name": f"{asked['name']}-x"}


def no_expiry(asked: Asked) -> Asked:
    return asked | {"expires_at": None}


def later_expiry(asked: Asked) -> Asked:
    return asked | {"expires_at": asked["expires_at"] + dt.timedelta(seconds=2)}


def earlier_expiry(asked: Asked) -> Asked:
    return asked | {"expires_at": asked["expires_at"] - dt.timedelta(seconds=2)}


def a_second_off(asked: Asked) -> Asked:
    return asked | {"expires_at": asked["expires_at"] + dt.timedelta(seconds=1)}


def bending(bend: Callable[[Asked], Asked]) -> type[Client]:
    """A client behind which the server makes something else than was asked for."""

    class Bending(Client):
        def create(self, **asked: Any) -> Minted:
            return super().create(**bend(asked))

    return Bending


BENDS = [other_scopes, more_scopes, another_name, no_expiry, later_expiry, earlier_expiry]


@pytest.mark.parametrize("bend", BENDS)
def test_a_token_that_is_not_as_asked(world: World, bend: Callable[[Asked], Asked]) -> None:
    """A token whose name, scopes or expiry are not those that were asked for is revoked and never delivered."""
    world.client_type = bending(bend)
    world.prepare(world.entry())
    outcome = world.apply()
    assert only(outcome).status is FAILED
    assert "it was revoked" in only(outcome).error
    assert outcome.changed
    assert world.sandbox.tokens(status="active", name=world.name) == []
    assert world.store("a").value() == ""
    assert world.store("a").runs() == []


def test_an_end_where_none_was_asked_for(world: World) -> None:
    """A token that ends although it should never is not as asked."""
    world.client_type = bending(lambda asked: asked | {"expires_at": dt.datetime(2099, 1, 1, tzinfo=dt.UTC)})
    world.prepare(world.entry(), expires_in="")
    assert only(world.apply()).status is FAILED
    assert world.active() == []


def test_a_token_that_is_not_as_asked_and_stays(world: World) -> None:
    """Where such a token cannot be revoked either, the error says so, and something has changed."""
    world.client_type = bending(other_scopes)
    world.prepare(world.entry())
    world.sandbox.set_faults([{"do": "500_before", "status": 403, "method": "DELETE"}])
    outcome = world.apply()
    assert only(outcome).status is FAILED
    assert "could not be revoked" in only(outcome).error
    assert "it was revoked" not in only(outcome).error
    assert outcome.changed
    assert world.active() == [world.name]
    assert world.store("a").value() == ""


def test_a_second_of_rounding(world: World) -> None:
    """An expiry that the API rounds by a second is as asked."""
    world.client_type = bending(a_second_off)
    world.prepare(world.entry())
    assert statuses(world.apply()) == [("create", world.name, DONE)]


@pytest.mark.parametrize(
    ("fault", "words", "requests"),
    [({"status": 401}, "the API does not accept it", 11), ({"status": 500}, "the API failed with 500", 5)],
)
def test_a_secret_that_is_not_proven(world: World, fault: dict[str, int], words: str, requests: int) -> None:
    """A new secret that does not authenticate, or gets no answer, is revoked and never delivered."""
    world.serve(world.entry())
    old = world.store("a").value()
    world.prepare(world.entry(scopes="audit:read"), overlap="24h")
    world.sandbox.set_faults([{"do": "500_before", "method": "GET", "path": "/v1/tokens", **fault}])
    outcome = world.apply()
    assert only(outcome).status is FAILED
    assert words in only(outcome).error
    assert outcome.changed
    assert len([line for line in world.story if line.startswith("GET /tokens ")]) == requests
    assert "a: write" not in world.story
    assert world.active() == [world.name]
    assert world.store("a").value() == old
    assert world.store("a").runs() == []
    assert world.store("a").holds_name() == world.name


def test_a_secret_that_needs_a_moment(world: World) -> None:
    """A secret that the API knows only after some seconds is delivered."""
    world.prepare(world.entry())
    fault = {"do": "500_before", "status": 401, "method": "GET", "path": "/v1/tokens", "times": 4}
    world.sandbox.set_faults([fault])
    assert not world.apply().failed
    assert world.clock.slept == [1.0] * 4


def test_a_secret_without_the_scope_to_list(world: World) -> None:
    """A 403 is proof enough: the token authenticates, it may only not list."""
    world.serve(world.entry(scopes="webhooks:write"))
    assert "GET /tokens 403" in world.story


def test_an_unproven_token_that_stays(world: World) -> None:
    """Where the unproven token cannot be revoked, that is told, and the mark stays for the next run."""
    world.prepare(world.entry())
    faults: list[dict[str, Any]] = [
        {"do": "500_before", "status": 401, "method": "GET", "path": "/v1/tokens"},
        {"do": "500_before", "method": "DELETE"},
    ]
    world.sandbox.set_faults(faults)
    outcome = world.apply()
    assert only(outcome).status is FAILED
    assert "could not be revoked" in only(outcome).error
    assert outcome.changed
    assert world.active() == [world.name]
    assert world.store("a").runs() == [world.run]
    assert world.store("a").value() == ""


def test_another_run_copies_meanwhile(world: World) -> None:
    """A copy that another run announced after the plan makes this one revoke its own unwritten token and step back."""
    world.serve(world.entry(to="a b"))
    world.store("b").after["mark"] = lambda: world.store("a").leave_mark(MarkKind.COPY)
    world.prepare(world.entry(to="a b", scopes="audit:read"), overlap="24h")
    outcome = world.apply()
    assert only(outcome).status is BUSY
    assert outcome.changed
    assert "POST /tokens 201" in world.story
    assert not any(line.endswith("write") for line in world.story)
    assert world.active() == [world.name]
    assert world.store("a").runs() == ["another-run"]
    assert world.store("b").runs() == []


def test_another_run_copied_long_ago(world: World) -> None:
    """A copy mark that has aged belongs to a run that died; it is no reason to step back."""
    world.store("a").after["mark"] = lambda: world.store("a").leave_mark(MarkKind.COPY, age=200)
    assert statuses(world.serve(world.entry())) == [("create", world.name, DONE)]


def test_another_runs_mark_before_the_first(world: World) -> None:
    """A young mark that was left since the plan makes the entry busy before anything is made."""
    world.prepare(world.entry(to="a b"))
    world.store("b").leave_mark()
    outcome = world.apply()
    assert only(outcome).status is BUSY
    assert "another-run" in only(outcome).error
    assert not outcome.changed
    assert world.active() == []
    assert world.store("a").runs() == []
    assert world.store("b").runs() == ["another-run"]


@pytest.mark.parametrize(
    ("scopes", "missing"),
    [(("tokens:read", "tokens:revoke"), "tokens:write"), (("tokens:read", "tokens:write"), "tokens:revoke")],
)
def test_a_key_that_lacks_a_scope(world: World, scopes: tuple[str, ...], missing: str) -> None:
    """A key that could not finish the plan begins nothing: no mark, no token, no revocation."""
    world.serve(world.entry())
    before = world.sandbox.active_tokens()
    record = world.store("a").look().record
    world.key = world.sandbox.create(f"key-{world.name}", *scopes)["token"]
    world.prepare(world.entry(scopes="audit:read"))
    with pytest.raises(ForbiddenError, match=missing):
        world.apply()
    world.tell("")
    assert not any(line.startswith("a:") for line in world.story)
    assert [token for token in world.sandbox.active_tokens() if token in before] == before
    assert world.active() == [world.name]
    assert world.store("a").look().record == record


def test_a_copy_needs_no_scope_to_write(world: World) -> None:
    """A key that may only read is enough to copy a secret from one place to another."""
    world.serve(world.entry())
    world.key = world.sandbox.create(f"key-{world.name}", "tokens:read")["token"]
    assert statuses(world.serve(world.entry(to="a b"))) == [("redeliver", world.name, DONE)]


def test_what_cannot_be_read_back(world: World) -> None:
    """A result names the places that accepted the secret and give nothing back; those that failed are told as such."""
    world.store("a").blind = world.store("b").blind = True
    world.store("b").before["record"] = REFUSED
    world.prepare(world.entry(to="a b c"))
    result = only(world.apply())
    assert result.status is FAILED
    assert result.unread == ("file a",)
    assert "file b" in result.error


def test_what_is_read_back_is_not_named(world: World) -> None:
    """Where every place gives back what was written, nothing is told."""
    world.prepare(world.entry(to="a b"))
    assert only(world.apply()).unread == ()

"""What a write that fails leaves known: whether the store surely took nothing, or may have."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import pytest

from tests.destinations.support import OTHER, SECRET, held, mark, record
from tests.destinations.vault_support import KEY, Vault, deliver
from tests.support.bao import running
from tooken_ci.base.errors import DestinationError
from tooken_ci.base.record import State
from tooken_ci.base.secret import Secret
from tooken_ci.destinations import vault_http

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.between import Between
    from tooken_ci.destinations.interface import Destination

Broken = tuple[Vault, "Between"]

LOST: list[dict[str, Any]] = [
    {"hang": True},
    {"status": 500},
    {"status": 502, "body": "<html>Bad Gateway</html>"},
    {"status": 503},
    {"status": 200, "body": "<html>hello</html>"},
    {},
]
LOST_IDS = ["time-out", "500", "502", "503", "not-vault", "reset"]


def write(destination: Destination) -> DestinationError:
    """Writes the secret, which must fail."""
    with pytest.raises(DestinationError) as caught:
        destination.write(Secret(OTHER))
    assert OTHER not in str(caught.value)
    return caught.value


@pytest.fixture
def full(
    broken: Broken, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> tuple[Vault, Between, Destination]:
    """Gives a secret after a delivery, behind something that breaks requests; silence is not waited for long."""
    vault, way = broken
    if "time-out" in request.node.name:
        monkeypatch.setattr(vault_http, "TIMEOUT", (5.0, 0.3))
    destination = vault.open()
    deliver(destination)
    return vault, way, destination


@pytest.mark.parametrize("after", [True, False], ids=["done", "not-done"])
@pytest.mark.parametrize("how", LOST, ids=LOST_IDS)
def test_a_lost_answer(full: tuple[Vault, Between, Destination], how: dict[str, Any], *, after: bool) -> None:
    """A write whose answer is lost is settled by reading back, and done once."""
    vault, way, destination = full
    way.break_at("POST", "/data/", after=after, **how)
    destination.write(Secret(OTHER))
    assert vault.data == {KEY: OTHER}
    assert vault.bao.metadata(vault.mount, vault.path)["current_version"] == 2


@pytest.mark.parametrize("after", [True, False], ids=["done", "not-done"])
@pytest.mark.parametrize("how", LOST, ids=LOST_IDS)
def test_every_answer_is_lost(full: tuple[Vault, Between, Destination], how: dict[str, Any], *, after: bool) -> None:
    """Where no answer ever comes, or only ones that tell nothing, the store may have taken it."""
    vault, way, destination = full
    way.break_at("POST", "/data/", occurrence=0, after=after, **how)
    assert not write(destination).surely_refused
    assert vault.data == {KEY: OTHER if after else SECRET}


@pytest.mark.parametrize("status", [400, 403, 404, 413])
def test_a_refusal_after_a_lost_answer(full: tuple[Vault, Between, Destination], status: int) -> None:
    """A refusal of the second try says nothing of the first, which may have been done, or be done yet."""
    vault, way, destination = full
    way.break_at("POST", "/data/", after=True, status=500)
    way.break_at("POST", "/data/", status=status)
    assert not write(destination).surely_refused
    assert vault.data == {KEY: OTHER}


def test_a_lost_answer_before_a_conflict(full: tuple[Vault, Between, Destination]) -> None:
    """A conflict after a lost answer is settled by reading back: our own write was what changed the version."""
    vault, way, destination = full
    way.break_at("POST", "/data/", after=True, status=500)
    destination.write(Secret(OTHER))
    assert [line.partition(" ")[0] for line in way.seen[-4:]] == ["GET", "POST", "POST", "GET"]
    assert vault.bao.metadata(vault.mount, vault.path)["current_version"] == 2


def test_a_lost_answer_and_then_silence(full: tuple[Vault, Between, Destination]) -> None:
    """Where reading back fails after a lost answer, the store may have taken it."""
    _, way, destination = full
    way.break_at("POST", "/data/", after=True, status=500)
    way.break_at("GET", "/data/", occurrence=2, status=403)
    assert not write(destination).surely_refused


@pytest.mark.parametrize("status", [400, 403, 404, 405, 413])
def test_a_refusal(full: tuple[Vault, Between, Destination], status: int) -> None:
    """A write that is refused was surely not done."""
    vault, way, destination = full
    way.break_at("POST", "/data/", status=status)
    error = write(destination)
    assert error.surely_refused
    assert f"{status}: broken on purpose" in error.message
    assert vault.data == {KEY: SECRET}


@pytest.mark.parametrize("status", [429, 412])
def test_asked_to_wait(full: tuple[Vault, Between, Destination], hurried: list[float], status: int) -> None:
    """A server that asks to wait has done nothing; it is given the time that it asks for."""
    vault, way, destination = full
    way.break_at("POST", "/data/", status=status, headers={"Retry-After": "3"})
    destination.write(Secret(OTHER))
    assert hurried == [3.0]
    assert vault.data == {KEY: OTHER}


@pytest.mark.parametrize("wait", ["1", "3600", "", "soon"])
def test_asked_to_wait_for_ever(full: tuple[Vault, Between, Destination], hurried: list[float], wait: str) -> None:
    """A wait that does not end, or is longer than a write may take, is given up: surely nothing was done."""
    vault, way, destination = full
    way.break_at("POST", "/data/", occurrence=0, status=429, headers={"Retry-After": wait})
    error = write(destination)
    assert error.surely_refused
    assert "429" in error.message
    assert "quota" in error.hint
    assert len(hurried) == (0 if wait == "3600" else 4)
    assert vault.data == {KEY: SECRET}


def test_a_standby_that_lags_behind(full: tuple[Vault, Between, Destination]) -> None:
    """After a write a node of a cluster is told how far it must have come, and one that is behind is asked again."""
    _, way, destination = full
    assert "X-Vault-Index" not in way.headers
    way.break_at("POST", "/data/", after=True, status=200, headers={"X-Vault-Index": "v1:fake"}, body='{"data": {}}')
    destination.write(Secret(OTHER))
    way.break_at("GET", "/data/", status=412)
    assert destination.holds(Secret(OTHER)) is True
    assert way.headers["X-Vault-Index"] == "v1:fake"


def test_a_mount_that_was_just_made(full: tuple[Vault, Between, Destination]) -> None:
    """A mount that still makes itself ready answers 400, and is asked again."""
    vault, way, destination = full
    body = '{"errors": ["Upgrading from non-versioned to versioned data. This backend will be unavailable."]}'
    for method in ("GET", "POST"):
        way.break_at(method, "/data/", status=400, body=body)
    destination.write(Secret(OTHER))
    assert vault.data == {KEY: OTHER}


def test_a_real_quota(vault: Vault, hurried: list[float]) -> None:
    """A rate limit quota of the server itself is told as what it is."""
    vault.put({"a": "b"})
    vault.bao.send("POST", f"sys/quotas/rate-limit/{vault.mount}", {"rate": 1, "interval": "60s", "path": vault.mount})
    vault.data  # noqa: B018  # uses up what there is
    look = vault.open().look()
    assert look.state is State.UNKNOWN
    assert "asks to wait (429: request path" in look.reason


@pytest.mark.parametrize("how", LOST, ids=LOST_IDS)
def test_a_look_that_succeeds_in_the_end(full: tuple[Vault, Between, Destination], how: dict[str, Any]) -> None:
    """Reading is tried again after every fault that may pass."""
    _, way, destination = full
    way.break_at("GET", "/data/", **how)
    assert destination.look().state is State.HOLDS


@pytest.mark.parametrize("how", [*LOST, {"status": 403}, {"status": 400}], ids=[*LOST_IDS, "403", "400"])
def test_a_look_that_fails(full: tuple[Vault, Between, Destination], how: dict[str, Any]) -> None:
    """A store that cannot be read is unknown, with the reason, and no check passes."""
    _, way, destination = full
    way.break_at("GET", "/data/", occurrence=0, **how)
    look = destination.look()
    assert (look.state, look.record) == (State.UNKNOWN, None)
    assert look.reason
    assert destination.fetch(held()) is None
    with pytest.raises(DestinationError):
        destination.check()
    with pytest.raises(DestinationError) as caught:
        destination.holds(Secret(SECRET))
    assert not caught.value.surely_refused


@pytest.mark.parametrize("after", [True, False], ids=["done", "not-done"])
@pytest.mark.parametrize("how", LOST, ids=LOST_IDS)
def test_a_record_whose_answer_is_lost(
    full: tuple[Vault, Between, Destination], how: dict[str, Any], *, after: bool
) -> None:
    """A record whose answer is lost is settled by reading back, and stands there once."""
    vault, way, destination = full
    way.break_at("PATCH", "/metadata/", after=after, **how)
    destination.write_record(record(of=held(), marks=(mark(),)))
    assert destination.look().marks == (mark(),)
    assert vault.data == {KEY: SECRET}


def test_a_secret_whose_making_is_lost(broken: Broken) -> None:
    """The first mark makes the secret; that its answer is lost does no harm."""
    vault, way = broken
    way.break_at("POST", "/metadata/", after=True)
    deliver(vault.open())
    assert vault.data == {KEY: SECRET}


def test_a_hostile_answer(full: tuple[Vault, Between, Destination]) -> None:
    """What a server says of an error can neither end a line nor speak to the runner, and is cut."""
    _, way, destination = full
    way.break_at(
        "GET", "/data/", occurrence=0, status=400, body='{"errors": ["\\n::add-mask::x\\u001b[2J' + "y" * 5000 + '"]}'
    )
    reason = destination.look().reason
    assert "\n" not in reason
    assert "\x1b" not in reason
    assert len(reason) < 500


@pytest.mark.parametrize(
    "body",
    ["[]", "null", "[" * 100_000, '{"data": []}', '{"data": {"metadata": {}}}', '{"data": {"data": {"token": "x"}}}'],
)
def test_an_answer_of_another_shape(full: tuple[Vault, Between, Destination], body: str) -> None:
    """An answer that is not one of KV v2 is never read as a secret that is missing."""
    _, way, destination = full
    for status in (200, 404):
        way.breaks.clear()
        way.break_at("GET", "/data/", occurrence=0, status=status, body=body)
        way.break_at("GET", "/metadata/", occurrence=0, status=status, body=body)
        assert destination.look().state is State.UNKNOWN


def test_a_redirect(full: tuple[Vault, Between, Destination]) -> None:
    """A redirect is not followed: it would take the token somewhere else."""
    _, way, destination = full
    way.break_at(
        "GET", "/data/", occurrence=0, status=307, headers={"Location": "https://elsewhere.example/v1"}, body=""
    )
    look = destination.look()
    assert "redirects to 'https://elsewhere.example/v1'" in look.reason
    assert "active node" in _hint(destination.check)


def test_a_sealed_server(vault: Vault, hurried: list[float]) -> None:
    """A sealed Vault is told as what it is, at once."""
    with running() as bao:
        sealed = Vault(bao=bao, mount="secret", environment={"VAULT_ADDR": bao.address, "VAULT_TOKEN": bao.token})
        destination = sealed.open()
        deliver(destination)
        bao.send("PUT", "sys/seal")
        look = destination.look()
        assert look.state is State.UNKNOWN
        assert "is sealed (503: Vault is sealed)" in look.reason
        assert "Unseal it" in _hint(destination.check)
        assert hurried == []


def test_nobody_there(vault: Vault, hurried: list[float]) -> None:
    """A server that cannot be reached is tried a few times, once for the places that follow, and surely did nothing."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        kind = vault.kind(VAULT_ADDR=f"http://127.0.0.1:{taken.getsockname()[1]}")
        destination = kind.open(vault.target(kind))
        assert "the connection was refused" in destination.look().reason
        assert len(hurried) == 4
        assert "VAULT_ADDR" in _hint(destination.check)
        error = write(destination)
        assert error.surely_refused
        assert len(hurried) == 4


def _hint(step: Callable[[], object]) -> str:
    with pytest.raises(DestinationError) as caught:
        step()
    return caught.value.hint

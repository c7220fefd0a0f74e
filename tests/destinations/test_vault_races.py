"""Several writers of one secret: neither loses the other's key, nor the other's record."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tests.destinations.support import OTHER, SECRET, held, mark, record
from tests.destinations.vault_support import KEY, NAME, Vault, deliver
from tooken_ci.base.errors import DestinationError
from tooken_ci.base.record import State
from tooken_ci.base.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.support.between import Between
    from tooken_ci.destinations.interface import Destination

KEYS = tuple(f"key-{number}" for number in range(4))


def side_by_side(destinations: Mapping[str, Destination]) -> None:
    """Delivers to all at the same moment, twice."""
    start = threading.Barrier(len(destinations))

    def work(key: str, turn: str) -> None:
        start.wait(20)
        deliver(destinations[key], f"tok_{key}_{turn}", f"fake-secret-{key}-{turn}")

    with ThreadPoolExecutor(len(destinations)) as pool:
        for turn in ("one", "two"):
            for future in [pool.submit(work, key, turn) for key in destinations]:
                future.result()


@pytest.mark.parametrize("runs", ["one run", "a run each"])
@pytest.mark.parametrize(("policy", "plain"), [("patch", False), ("patch", True), ("update", False)])
def test_keys_of_one_secret(broken: tuple[Vault, Between], runs: str, policy: str, *, plain: bool) -> None:
    """Entries that write keys of one secret side by side, in one run or in several, all end up there with records."""
    vault, way = broken
    way.plain = plain
    if policy == "update":
        token = vault.bao.limited(vault.policy("read update", "read create update"))
        vault = Vault(bao=vault.bao, mount=vault.mount, environment={**vault.environment, "VAULT_TOKEN": token})
    shared = vault.kind()
    kinds = {key: shared if runs == "one run" else vault.kind() for key in KEYS}
    destinations = {key: kind.open(vault.target(kind, key)) for key, kind in kinds.items()}
    side_by_side(destinations)
    assert vault.data == {key: f"fake-secret-{key}-two" for key in KEYS}
    for key, destination in destinations.items():
        look = destination.look()
        assert (look.state, look.marks) == (State.HOLDS, ())
        assert look.held == held(f"tok_{key}_two", f"fake-secret-{key}-two")
    assert set(vault.custom) == {f"tooken-ci.{key}" for key in KEYS}


def test_somebody_else_writes_in_between(broken: tuple[Vault, Between]) -> None:
    """A key that somebody writes between our reading and our writing is not lost; the write begins anew."""
    vault, way = broken
    destination = vault.open()
    deliver(destination)
    way.break_at("POST", "/data/", then=lambda: vault.put({**vault.data, "port": 5432}))
    destination.write(Secret(OTHER))
    assert vault.data == {KEY: OTHER, "port": 5432}


@pytest.mark.parametrize("plain", [False, True], ids=["counted", "plain"])
def test_somebody_else_changes_metadata_in_between(broken: tuple[Vault, Between], *, plain: bool) -> None:
    """Custom metadata that somebody writes between our reading and our writing is not lost."""
    vault, way = broken
    way.plain = plain
    destination = vault.open()
    deliver(destination)
    way.break_at("PATCH", "/metadata/", then=lambda: vault.patch({"owner": "team"}))
    destination.write_record(record(of=held("tok_next")))
    assert vault.custom == {"owner": "team", NAME: record(of=held("tok_next")).to_text()}


@pytest.mark.parametrize("plain", [False, True], ids=["counted", "plain"])
def test_somebody_else_makes_it_in_between(broken: tuple[Vault, Between], *, plain: bool) -> None:
    """A secret that somebody makes at the very moment at which we do is not made a second time."""
    vault, way = broken
    way.plain = plain

    def made() -> None:
        vault.put({"port": 5432})
        vault.patch({"owner": "team"})

    way.break_at("POST", "/metadata/", then=made)
    deliver(vault.open())
    assert vault.data == {KEY: SECRET, "port": 5432}
    assert vault.custom == {"owner": "team", NAME: record(of=held()).to_text()}


def test_the_first_version_comes_in_between(broken: tuple[Vault, Between]) -> None:
    """A first version that comes between our two looks for one is read, and keeps its keys."""
    vault, way = broken
    destination = vault.open()
    destination.write_record(record(marks=(mark(),)))
    way.break_at("GET", "/metadata/", then=lambda: vault.put({"port": 5432}))
    destination.write(Secret(SECRET))
    assert vault.data == {KEY: SECRET, "port": 5432}


def test_a_mark_that_comes_in_between(broken: tuple[Vault, Between]) -> None:
    """Under check-and-set a mark of another run is seen even if it comes between our reading and our writing."""
    vault, way = broken
    destination = vault.open()
    deliver(destination)
    destination.look()
    theirs = record(of=held(), marks=(mark("run-2"),))
    way.break_at("PATCH", "/metadata/", then=lambda: vault.patch({NAME: theirs.to_text()}))
    with pytest.raises(DestinationError, match="another run is at work"):
        destination.write_record(record(of=held(), marks=(mark("run-1"),)))
    assert destination.look().marks == (mark("run-2"),)


def test_no_end_of_conflicts(broken: tuple[Vault, Between]) -> None:
    """A secret that changes at every try is given up, surely untouched."""
    vault, way = broken
    vault.put({"turn": 0})
    way.break_at("POST", "/data/", occurrence=0, then=lambda: vault.put({"turn": vault.data["turn"] + 1}))
    with pytest.raises(DestinationError, match="30 times") as caught:
        vault.open().write(Secret(SECRET))
    assert caught.value.surely_refused
    assert vault.data == {"turn": 30}

from __future__ import annotations

import dataclasses
import os
from typing import TYPE_CHECKING

import pytest

from tests.destinations.support import TOKEN_ID, Place
from tests.destinations.vault_support import Vault
from tests.support.between import between
from tooken_ci.destinations import vault_http

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.bao import Bao
    from tests.support.between import Between


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A file destination two folders below one that exists."""
    return Place(tmp_path / "out" / "deep" / "secret")


@pytest.fixture
def full(place: Place) -> Place:
    """The same destination after a delivery."""
    place.deliver(TOKEN_ID)
    return place


@pytest.fixture
def open_umask() -> Iterator[None]:
    """The loosest of all umasks, which hides nothing by itself."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.fixture
def vault(bao: Bao) -> Vault:
    """Gives a secret that is not there yet, in a mount of its own."""
    return Vault(bao=bao, mount=bao.mount(), environment={"VAULT_ADDR": bao.address, "VAULT_TOKEN": bao.token})


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Lets no pause between tries take time; gives the pauses."""
    pauses: list[float] = []
    monkeypatch.setattr(vault_http, "sleep", pauses.append)
    return pauses


@pytest.fixture
def broken(bao: Bao, vault: Vault, hurried: list[float]) -> Iterator[tuple[Vault, Between]]:
    """Gives the same secret behind something that breaks requests when it is told to."""
    with between(bao.address) as way:
        yield dataclasses.replace(vault, environment={**vault.environment, "VAULT_ADDR": way.address}), way

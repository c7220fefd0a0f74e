from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import responses
from responses.registries import OrderedRegistry

from tests.support.sandbox import RunningSandbox

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def api() -> Iterator[responses.RequestsMock]:
    """The API with prepared answers, given in the order in which they were prepared, each exactly once."""
    with responses.RequestsMock(registry=OrderedRegistry) as mocked:
        yield mocked


@pytest.fixture(scope="module")
def server() -> Iterator[RunningSandbox]:
    """One real server for the tests of a module; names are unique to each test."""
    with RunningSandbox(limit=1_000_000) as running:
        yield running


@pytest.fixture
def sound(server: RunningSandbox) -> Iterator[RunningSandbox]:
    """The module's server without faults and with an empty log."""
    server.set_faults([])
    server.clear_requests()
    yield server
    server.set_faults([])

"""Fixtures that start servers; a plugin for ``pytest_plugins``."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.bao import Bao, running
from tests.support.sandbox import RunningSandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def make_sandbox() -> Iterator[Callable[..., RunningSandbox]]:
    """Gives a function that starts a sandbox with options; all of them end with the test."""
    with ExitStack() as running:

        def make(**options: Any) -> RunningSandbox:
            return running.enter_context(RunningSandbox(**options))

        yield make


@pytest.fixture
def sandbox(make_sandbox: Callable[..., RunningSandbox]) -> RunningSandbox:
    """Gives a fresh sandbox with the default options."""
    return make_sandbox()


@pytest.fixture(scope="session")
def bao() -> Iterator[Bao]:
    """Gives a real OpenBao server; each test has a mount of its own in it."""
    with running() as server:
        yield server

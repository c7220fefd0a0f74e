"""Fixtures that start servers; a plugin for ``pytest_plugins``."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.bao import Bao, running
from tests.support.sandbox import RunningSandbox
from tests.support.zygote import stop_all

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.contract import Prism
    from tests.support.github import FakeGitHub
    from tests.support.shop import Shop


@pytest.fixture(scope="session", autouse=True)
def _forking() -> Iterator[None]:
    """Ends, last of all, the processes that fork runs."""
    yield
    stop_all()


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


@pytest.fixture(scope="session")
def _github() -> Iterator[FakeGitHub]:
    """Gives one fake GitHub for all tests of a process."""
    from tests.support.github import FakeGitHub  # noqa: PLC0415  # most tests need none

    with FakeGitHub() as fake:
        yield fake


@pytest.fixture(scope="session")
def _contract(_github: FakeGitHub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prism]:
    """Gives one proxy before it that knows GitHub's contract."""
    from tests.support.contract import Prism  # noqa: PLC0415  # most tests need none

    with Prism(_github, tmp_path_factory.mktemp("prism")) as prism:
        yield prism


@pytest.fixture
def github(_github: FakeGitHub) -> FakeGitHub:
    """Gives a fake GitHub as if it had just started."""
    _github.reset()
    return _github


@pytest.fixture
def shop(tmp_path: Path, sandbox: RunningSandbox, github: FakeGitHub) -> Shop:
    """Gives a shop on GitHub that nothing was applied in yet."""
    from tests.support.shop import open_shop  # noqa: PLC0415  # most tests need none

    return open_shop(tmp_path, sandbox, github)


@pytest.fixture
def contract(github: FakeGitHub, _contract: Prism) -> Prism:
    """Gives the proxy before it."""
    return _contract

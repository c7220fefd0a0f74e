"""What every test can rely on: no network but loopback, nobody's environment, a redactor that knows nothing yet."""

from __future__ import annotations

import ipaddress
import os
import secrets
import socket
from typing import TYPE_CHECKING, Any

import pytest

from tooken_ci.base import children, leaks, redact

if TYPE_CHECKING:
    from collections.abc import Iterator

pytest_plugins = ["tests.support.aws_fixtures", "tests.support.fixtures"]

_FOREIGN = (
    "AWS_",
    "TOOKEN_",
    "GITHUB_",
    "GH_",
    "GITLAB_",
    "INPUT_",
    "RUNNER_",
    "CI_",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
)


def pytest_configure() -> None:
    """Chooses the sample of what is too much to try in every run, the same for all workers."""
    os.environ.setdefault("CRASH_SEED", str(secrets.randbelow(1_000_000)))


def pytest_report_header() -> str:
    """Tells how to try the same sample again."""
    return f"CRASH_SEED={os.environ['CRASH_SEED']}"


@pytest.fixture(autouse=True)
def _nobodys_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Removes what the caller's shell or CI says to the command."""
    for name in list(os.environ):
        if name.upper().startswith(_FOREIGN) or name == "CI":
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes it impossible to talk to anything but this machine."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        host = address[0] if isinstance(address, tuple) else ""
        if self.family in {socket.AF_INET, socket.AF_INET6} and not ipaddress.ip_address(host).is_loopback:
            raise AssertionError(f"a test tried to reach {host}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(autouse=True)
def _fresh_redactor() -> Iterator[None]:
    """Lets no test's secrets mask another test's words."""
    known = redact.redactor.__dict__
    redact.redactor.__dict__ = redact.Redactor().__dict__
    yield
    redact.redactor.__dict__ = known


@pytest.fixture(autouse=True)
def _fresh_written() -> Iterator[None]:
    """Lets no test search the files of another."""
    known = leaks.written.__dict__
    leaks.written.__dict__ = leaks.Written().__dict__
    yield
    leaks.written.__dict__ = known


@pytest.fixture(autouse=True)
def _fresh_children() -> Iterator[None]:
    """Lets no run that ended keep another test's programs from being started."""
    known = children.children.__dict__
    children.children.__dict__ = children.Children().__dict__
    yield
    children.children.__dict__ = known

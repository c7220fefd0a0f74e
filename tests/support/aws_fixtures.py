"""Fixtures that give AWS Secrets Manager on this machine; a plugin for ``pytest_plugins``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.aws import Gate, Moto


@pytest.fixture(scope="session")
def _moto() -> Iterator[Moto]:
    """Gives one server for all: its secrets have names of their own."""
    from tests.support.aws import Moto  # noqa: PLC0415  # most tests need none, and boto3 is slow to import

    with Moto() as moto:
        yield moto


@pytest.fixture
def aws(_moto: Moto, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    """Gives a gate to AWS, to which the environment leads."""
    from tests.support.aws import Gate  # noqa: PLC0415  # as above

    with Gate(_moto) as gate:
        for name, value in gate.environment().items():
            monkeypatch.setenv(name, value)
        yield gate

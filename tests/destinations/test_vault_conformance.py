"""What every kind that can be read back has in common, asked of ``vault`` and a real server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from tests.destinations.support import TOKEN_ID
from tests.destinations.test_conformance import (
    Subject,
    test_a_delivery,
    test_a_mark_alone,
    test_a_mark_beside_a_delivery,
    test_a_mark_taken_back,
    test_a_newer_record,
    test_a_second_delivery,
    test_a_value_that_is_gone,
    test_a_value_that_no_record_names,
    test_a_value_without_a_record,
    test_an_edited_value,
    test_nothing_there,
    test_only_what_was_asked_for_is_fetched,
    test_reading_back,
)
from tests.destinations.vault_support import KEY, NAME
from tooken_ci.base.record import State

if TYPE_CHECKING:
    from tests.destinations.vault_support import Vault

__all__ = [
    "test_a_delivery",
    "test_a_mark_alone",
    "test_a_mark_beside_a_delivery",
    "test_a_mark_taken_back",
    "test_a_newer_record",
    "test_a_second_delivery",
    "test_a_value_that_is_gone",
    "test_a_value_that_no_record_names",
    "test_a_value_without_a_record",
    "test_an_edited_value",
    "test_nothing_there",
    "test_only_what_was_asked_for_is_fetched",
    "test_reading_back",
]


class _Value:
    """The value on the server, with as much of a file's manners as those tests ask for."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def read_bytes(self) -> bytes:
        return str(self._vault.data[KEY]).encode()

    def write_bytes(self, content: bytes) -> None:
        self._vault.put({**self._vault.data, KEY: content.decode()})

    def unlink(self) -> None:
        self._vault.put({name: value for name, value in self._vault.data.items() if name != KEY})


class _Record(_Value):
    """The same for the record, which ends without a line end there."""

    def read_text(self, encoding: str) -> str:
        return self._vault.custom[NAME] + "\n"

    def write_text(self, text: str, encoding: str) -> None:
        self._vault.patch({NAME: text.strip()})

    def unlink(self) -> None:
        self._vault.patch({NAME: None})


@pytest.fixture
def subject(vault: Vault) -> Subject:
    """Gives an empty destination."""
    return Subject(destination=vault.open(), value=cast("Any", _Value(vault)), record=cast("Any", _Record(vault)))


@pytest.fixture
def full(subject: Subject) -> Subject:
    """Gives the same after a delivery."""
    subject.deliver()
    return subject


@pytest.mark.parametrize("text", ["nonsense", "tooken-ci/1 workspace=a id=", "<html>", f"tooken-ci/1 id={TOKEN_ID}"])
def test_a_damaged_record(full: Subject, vault: Vault, text: str) -> None:
    """A record that cannot be read is none, so nothing is certain about the value beside it."""
    vault.patch({NAME: text})
    look = full.destination.look()
    assert (look.state, look.reason) == (State.ABSENT, "its delivery record is damaged")
    assert look.value_newer
    assert not look.empty

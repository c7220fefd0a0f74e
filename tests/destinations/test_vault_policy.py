"""What a token must be allowed to do, tried with real policies and tokens that may do nothing else."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

from tests.destinations.support import SECRET, held, mark, record
from tests.destinations.vault_support import KEY, Vault, deliver
from tooken_ci.base.errors import DestinationError
from tooken_ci.base.record import State

if TYPE_CHECKING:
    from tests.support.between import Between

PLAN = ("read", "read")
APPLY = ("read update", "read create patch")


def limited(vault: Vault, data: str, metadata: str, **more: bool) -> Vault:
    """The same secret, seen with a token that may do only this."""
    token = vault.bao.limited(vault.policy(data, metadata), **more)
    return dataclasses.replace(vault, environment={**vault.environment, "VAULT_TOKEN": token})


def refused(vault: Vault) -> DestinationError:
    with pytest.raises(DestinationError) as caught:
        vault.open().check()
    assert caught.value.surely_refused
    assert "docs/destinations.md" in caught.value.hint
    return caught.value


@pytest.mark.parametrize("there", [True, False])
def test_a_plan_only_reads(vault: Vault, *, there: bool) -> None:
    """To read is enough for a plan; an apply with the same token stops at its check."""
    if there:
        deliver(vault.open())
    reader = limited(vault, *PLAN)
    look = reader.open().look()
    assert (look.state, look.empty) == (State.HOLDS if there else State.ABSENT, not there)
    error = refused(reader)
    assert "lacks 'update' on its data" in error.message
    assert "'patch' on its metadata" in error.message
    assert ("'create' on its metadata" in error.message) is not there


@pytest.mark.parametrize("default", [True, False], ids=["default-policy", "without"])
def test_an_apply(vault: Vault, *, default: bool) -> None:
    """What the document gives an apply is enough, for a new secret and for one that is there, and needs no more."""
    writer = limited(vault, *APPLY, default=default)
    for _ in range(2):
        writer.open().check()
        deliver(writer.open())
    assert vault.data == {KEY: SECRET}
    assert writer.open().look().held == held()


@pytest.mark.parametrize(
    ("data", "metadata", "lacking"),
    [
        ("read", "read create patch", "'update' on its data"),
        ("update", "read create patch", "permission denied"),
        ("read update", "read patch", "'create' on its metadata"),
        ("read update", "read create", "'patch' on its metadata"),
        ("read update", "create patch", "permission denied"),
        ("", "read create patch", "permission denied"),
        ("read update", "", "permission denied"),
    ],
)
def test_what_an_apply_lacks(vault: Vault, data: str, metadata: str, lacking: str) -> None:
    """Each thing that the policy lacks is named by the check, before anything is written."""
    assert lacking in refused(limited(vault, data, metadata)).message
    assert vault.bao.metadata(vault.mount, vault.path) is None


@pytest.mark.parametrize(
    ("data", "metadata", "lacking"),
    [
        ("read", "read create patch", "write"),
        ("read update", "read patch", "create"),
        ("read update", "read create", "patch"),
    ],
)
def test_a_server_that_does_not_tell(vault: Vault, data: str, metadata: str, lacking: str) -> None:
    """Without the default policy nobody tells what a token may do: then the first write tells, and did nothing."""
    writer = limited(vault, data, metadata, default=False)
    writer.open().check()
    with pytest.raises(DestinationError, match=lacking) as caught:
        deliver(writer.open())
    assert caught.value.surely_refused
    assert "docs/destinations.md" in caught.value.hint
    assert vault.data is None


def test_update_in_the_place_of_patch(vault: Vault) -> None:
    """A server that counts the changes takes the whole metadata under check-and-set, so nothing of it is lost."""
    vault.put({"port": 5432})
    vault.patch({"owner": "team"})
    writer = limited(vault, "read update", "read update")
    writer.open().check()
    deliver(writer.open())
    assert vault.data == {"port": 5432, KEY: SECRET}
    assert vault.custom["owner"] == "team"
    assert writer.open().look().state is State.HOLDS


def test_update_is_not_enough_everywhere(broken: tuple[Vault, Between]) -> None:
    """A server that keeps no count could lose another's record: there only patch will do."""
    vault, way = broken
    way.plain = True
    vault.put({"port": 5432})
    vault.patch({"owner": "team"})
    writer = limited(vault, "read update", "read create update")
    assert "'patch' on its metadata" in refused(writer).message
    with pytest.raises(DestinationError, match="permit to patch"):
        writer.open().write_record(record(marks=(mark(),)))
    assert vault.custom == {"owner": "team"}


@pytest.mark.parametrize("limit", [True, False], ids=["limited", "root"])
def test_no_such_mount(vault: Vault, *, limit: bool) -> None:
    """A mount that is not there is told, and is never taken for a secret that is missing."""
    nowhere = dataclasses.replace(vault, mount="no-such-mount")
    seen = limited(nowhere, *APPLY) if limit else nowhere
    look = seen.open().look()
    assert look.state is State.UNKNOWN
    assert "no-such-mount" in look.reason
    with pytest.raises(DestinationError, match="no-such-mount") as caught:
        seen.open().check()
    assert caught.value.hint


@pytest.mark.parametrize("limit", [True, False], ids=["limited", "root"])
@pytest.mark.parametrize("kind", ["kv version 1", "transit"])
def test_a_mount_of_another_kind(vault: Vault, kind: str, *, limit: bool) -> None:
    """A KV v1 mount, which answers much like an empty v2 one, and one that keeps no secrets at all, are told."""
    mount = vault.bao.mount(kind=kind.partition(" ")[0], options={"version": "1"} if kind.startswith("kv") else {})
    other = dataclasses.replace(vault, mount=mount)
    seen = limited(other, *APPLY) if limit else other
    look = seen.open().look()
    assert look.state is State.UNKNOWN
    with pytest.raises(DestinationError) as caught:
        seen.open().check()
    assert f"of the type '{kind}'" in caught.value.message
    assert caught.value.hint


def test_a_value_in_kv_v1_at_the_same_place(vault: Vault) -> None:
    """A KV v1 secret whose path looks like the API's of v2 is none of v2."""
    mount = vault.bao.mount(options={"version": "1"})
    vault.bao.send("POST", f"{mount}/data/{vault.path}", {"data": {"token": "fake"}})
    look = dataclasses.replace(vault, mount=mount).open().look()
    assert look.state is State.UNKNOWN
    assert look.reason.startswith(f"'{mount}' is not a KV v2 mount. ")

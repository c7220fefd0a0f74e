"""One key of a KV v2 secret: what is written, what stays as it was, and how the record is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.destinations.support import AT, OTHER, SECRET, held, mark, record
from tests.destinations.vault_support import KEY, NAME, Vault, deliver
from tooken_ci.base.errors import DestinationError
from tooken_ci.base.record import DeliveryRecord, Held, Mark, MarkKind, State
from tooken_ci.base.redact import redactor
from tooken_ci.base.secret import Secret

if TYPE_CHECKING:
    from tests.support.bao import Bao
    from tests.support.between import Between

FOREIGN = {"user": "ci", "port": 5432, "ratio": 2.5, "on": True, "nothing": None, "deep": {"list": [1, {"a": "b"}]}}


def test_other_keys_stay(vault: Vault) -> None:
    """Every other key of the secret stays as it was, whatever its value is; an older value of ours goes."""
    vault.put({**FOREIGN, KEY: "of-somebody-else"})
    deliver(vault.open())
    assert vault.data == {**FOREIGN, KEY: SECRET}
    deliver(vault.open(), "tok_next", OTHER)
    assert vault.data == {**FOREIGN, KEY: OTHER}


def test_other_metadata_stays(vault: Vault) -> None:
    """Other people's custom metadata and the settings of the secret stay as they were."""
    settings = {"max_versions": 7, "cas_required": True, "delete_version_after": "24h0m0s"}
    vault.bao.send(
        "POST", f"{vault.mount}/metadata/{vault.path}", {**settings, "custom_metadata": {"owner": "team", "a": "b"}}
    )
    deliver(vault.open())
    found = vault.bao.metadata(vault.mount, vault.path)
    assert {name: found[name] for name in settings} == settings
    assert found["custom_metadata"] == {"owner": "team", "a": "b", NAME: record(of=held()).to_text()}


def test_a_write_that_is_repeated(vault: Vault) -> None:
    """What stands there already is not written again: no version is lost to it."""
    destination = vault.open()
    deliver(destination)
    destination.write(Secret(SECRET))
    destination.write_record(record(of=held()))
    found = vault.bao.metadata(vault.mount, vault.path)
    assert found["current_version"] == 1


@pytest.mark.parametrize("how", ["delete", "destroy", "metadata"])
def test_a_version_that_is_gone(vault: Vault, how: str) -> None:
    """A newest version that was deleted or destroyed is a missing value, and so is a secret that is gone altogether."""
    destination = vault.open()
    deliver(destination)
    if how == "delete":
        vault.bao.send("DELETE", f"{vault.mount}/data/{vault.path}")
    elif how == "destroy":
        vault.bao.send("POST", f"{vault.mount}/destroy/{vault.path}", {"versions": [1]})
    else:
        vault.bao.send("DELETE", f"{vault.mount}/metadata/{vault.path}")
    look = destination.look()
    assert look.state is State.ABSENT
    assert look.reason == ("nothing was delivered yet" if how == "metadata" else "its value is missing")
    assert look.recorded == (None if how == "metadata" else held())
    assert not look.value_newer
    destination.check()
    deliver(destination, "tok_next", OTHER)
    assert destination.look().held == held("tok_next", OTHER)
    assert vault.data == {KEY: OTHER}


@pytest.mark.parametrize("value", [12345678, {"token": SECRET}, [SECRET], True, "", "short"])
def test_a_value_that_is_no_secret(vault: Vault, value: object) -> None:
    """Whatever stands under the key, it is not what was delivered, and may be anybody's."""
    destination = vault.open()
    deliver(destination)
    vault.put({KEY: value})
    look = destination.look()
    reason = "its value is not the one that was delivered" if value else "its value was emptied"
    assert (look.state, look.reason) == (State.ABSENT, reason)
    assert look.value_newer
    assert destination.fetch(held()) is None
    assert destination.holds(Secret(SECRET)) is False


def test_what_is_read_enters_the_redactor(vault: Vault) -> None:
    """An older secret is one from the moment at which it is read, though no record names it."""
    vault.put({KEY: "somebodys-secret-value", "environment": "production"})
    vault.open().look()
    assert redactor.clean("a somebodys-secret-value in production") == "a *** in production"


LONG = DeliveryRecord(
    workspace="production",
    held=Held(id="tok_" + "x" * 36, name="n" * 100, at=AT, fingerprint="0123456789abcdef"),
    marks=tuple(
        Mark(kind=MarkKind.CREATE, name="n" * 96 + f".g{n}", run=f"{n}f0c9a1b22d4", at=AT) for n in range(2, 6)
    ),
)


def test_a_long_record(vault: Vault) -> None:
    """A record of a name of 100 characters and four marks is kept under two names, and shrinks back to one."""
    destination = vault.open()
    destination.write_record(LONG)
    assert len(LONG.to_text()) > 512
    assert set(vault.custom) == {NAME, f"tooken-ci-2.{KEY}"}
    assert destination.look().record == LONG
    destination.write_record(record(of=held()))
    assert vault.custom == {NAME: record(of=held()).to_text()}


def test_a_long_record_without_its_end(vault: Vault) -> None:
    """A record that has lost a part is damaged, and never taken for a shorter one."""
    destination = vault.open()
    destination.write_record(LONG)
    vault.patch({f"tooken-ci-2.{KEY}": None})
    look = destination.look()
    assert (look.state, look.reason, look.record) == (State.ABSENT, "its delivery record is damaged", None)


def test_keys_like_the_names_of_parts(vault: Vault) -> None:
    """The parts of one key's record are no other key's record, whatever the keys are called."""
    ours = {key: vault.open(key) for key in ("token", "token.2", "2.token", "tooken-ci-2.token")}
    for number, destination in enumerate(ours.values()):
        deliver(destination, f"tok_{number}")
        destination.write_record(LONG)
    for number, destination in enumerate(ours.values()):
        assert destination.look().record == LONG
        destination.write_record(record(of=held(f"tok_{number}")))
    assert [one.look().held for one in ours.values()] == [held(f"tok_{number}") for number in range(4)]


def test_no_room_for_the_record(vault: Vault) -> None:
    """Where the custom metadata is full, the check says so, and nothing that stands there is lost."""
    full = {f"name-{number}": "text" for number in range(63)}
    vault.put({"a": "b"})
    vault.patch(full)
    destination = vault.open()
    with pytest.raises(DestinationError, match="no room"):
        destination.check()
    with pytest.raises(DestinationError, match="no room") as caught:
        destination.write_record(LONG)
    assert caught.value.surely_refused
    assert vault.custom == full
    destination.write_record(record(of=held()))  # what takes one name alone has room
    assert len(vault.custom) == 64


@pytest.mark.parametrize("setting", ["cas_required", "metadata_cas_required"])
def test_a_mount_that_demands_check_and_set(vault: Vault, setting: str) -> None:
    """A mount that takes no write without check-and-set is served like any other."""
    vault.bao.send("POST", f"{vault.mount}/config", {setting: True})
    destination = vault.open()
    destination.check()
    deliver(destination)
    deliver(destination, "tok_next", OTHER)
    assert destination.look().held == held("tok_next", OTHER)


def test_a_server_without_a_count_of_changes(broken: tuple[Vault, Between]) -> None:
    """HashiCorp Vault, which has no check-and-set for metadata, is served by patch."""
    vault, way = broken
    way.plain = True
    vault.put(FOREIGN)
    vault.patch({"owner": "team"})
    destination = vault.open()
    destination.check()
    deliver(destination)
    assert vault.data == {**FOREIGN, KEY: SECRET}
    assert vault.custom == {"owner": "team", NAME: record(of=held()).to_text()}
    assert destination.look().state is State.HOLDS


def test_a_mount_with_slashes(vault: Vault) -> None:
    """A mount of several parts is said to be one; where it is not, the answer says what to write."""
    mount = f"{vault.mount}-teams/shop"
    vault.bao.send("POST", f"sys/mounts/{mount}", {"type": "kv", "options": {"version": "2"}})
    kind = vault.kind()
    settings = {"path": f"{mount}/{vault.path}"}
    destination = kind.open(vault.target(kind, **settings, mount=mount))
    destination.check()
    deliver(destination)
    assert vault.bao.data(mount, vault.path) == {KEY: SECRET}

    other = kind.open(vault.target(kind, **settings))
    assert other.look().state is State.UNKNOWN
    with pytest.raises(DestinationError, match="lies in the mount") as caught:
        other.check()
    assert mount in caught.value.message
    assert "'mount:'" in caught.value.hint


@pytest.mark.parametrize("spelling", ["setting", "variable", "path"])
def test_a_namespace(vault: Vault, bao: Bao, spelling: str) -> None:
    """A namespace is named by the setting, by the variable, or at the head of the path."""
    bao.send("POST", "sys/namespaces/teams", ok=False)
    mount = bao.mount(namespace="teams")
    kind = vault.kind(**({"VAULT_NAMESPACE": "teams/"} if spelling == "variable" else {}))
    settings = {
        "setting": {"path": f"{mount}/ci", "namespace": "/teams"},
        "variable": {"path": f"{mount}/ci"},
        "path": {"path": f"teams/{mount}/ci", "mount": f"teams/{mount}"},
    }[spelling]
    target = vault.target(kind, **settings)
    destination = kind.open(target)
    destination.check()
    deliver(destination)
    assert bao.send("GET", f"{mount}/data/ci", namespace="teams")["data"]["data"] == {KEY: SECRET}
    assert target.claims == {f"vault:{bao.address}/teams/{mount}/ci#{KEY}"}


@pytest.mark.parametrize(
    "path", ["sp ace/x", "per%20cent", "que?stion", "ha#sh", "plus+", "ünï", "a&b=c", "~x", "a:b@c"]
)
def test_odd_paths(vault: Vault, path: str) -> None:
    """A path is written as it is given, whatever a URL would make of it."""
    kind = vault.kind()
    deliver(kind.open(vault.target(kind, path=f"{vault.mount}/{path}")))
    names = vault.bao.send("GET", f"{vault.mount}/metadata/{'sp%20ace/' if ' ' in path else ''}?list=true")
    assert names["data"]["keys"] == [path.rpartition("/")[2]]


@pytest.mark.parametrize("key", ["A_KEY", "with space", 'q"uote', "dot.ted", "tooken-ci", "k" * 100, "a/b", "~{}$"])
def test_odd_keys(vault: Vault, key: str) -> None:
    """A key may have any name of printable ASCII, and its record stands under that name."""
    destination = vault.open(key)
    deliver(destination)
    assert vault.data == {key: SECRET}
    assert set(vault.custom) == {f"tooken-ci.{key}"}
    assert destination.look().state is State.HOLDS


def test_several_keys_are_read_at_once(broken: tuple[Vault, Between]) -> None:
    """A look at all keys of one secret costs one request, and two where it has no version; plus what a mount costs."""
    vault, way = broken
    kind = vault.kind()
    targets = [vault.target(kind, key) for key in ("one", "two", "three")]
    assert len({target.group for target in targets}) == 1
    assert [look.empty for look in kind.look(targets)] == [True] * 3
    assert len(way.seen) == 3
    deliver(kind.open(targets[0]))
    way.seen.clear()
    assert [look.state for look in kind.look(targets)] == [State.HOLDS, State.ABSENT, State.ABSENT]
    assert way.seen == [f"GET /v1/{vault.mount}/data/{vault.path}"]


def test_a_mark_after_somebody_elses(vault: Vault) -> None:
    """A mark is added to the record that was looked at; if another run has left its own since, that one stays."""
    ours, theirs = vault.open(), vault.open()
    deliver(ours)
    ours.look()
    theirs.look()
    theirs.write_record(record(of=held(), marks=(mark("run-2"),)))
    with pytest.raises(DestinationError, match="another run is at work") as caught:
        ours.write_record(record(of=held(), marks=(mark("run-1"),)))
    assert caught.value.surely_refused
    assert ours.look().marks == (mark("run-2"),)
    ours.write_record(record(of=held(), marks=(mark("run-2"), mark("run-1"))))
    ours.write_record(record(of=held("tok_next")))  # a record clears all marks, whoever's they are
    assert theirs.look().record == record(of=held("tok_next"))

"""The settings of ``vault``: one spelling for each place, and nothing done before it is asked for."""

from __future__ import annotations

import sys
from typing import Any

import jsonschema
import pytest

from tests.destinations.support import HERE
from tests.destinations.vault_support import kind_for
from tooken_ci.base.errors import UsageError
from tooken_ci.destinations.interface import Surroundings
from tooken_ci.destinations.registry import Registry
from tooken_ci.destinations.vault import VaultKind
from tooken_ci.destinations.vault_settings import AppRole, Jwt, Server, Spot
from tooken_ci.spec.kinds import SettingsError
from tooken_ci.spec.model import Target

LEAST = {"path": "secret/ci/tooken", "key": "token"}
ADDRESS = "https://vault.example.com"


def parse(environment: dict[str, str] | None = None, **settings: Any) -> Target:
    return kind_for(environment or {}).parse({**LEAST, **settings}, HERE)


def test_a_target() -> None:
    """A target is shown by path and key; what the environment says of the server is part of what it claims."""
    target = parse({"VAULT_ADDR": f"{ADDRESS}/", "VAULT_NAMESPACE": "teams"})
    assert (target.kind, target.place) == ("vault", "vault teams/secret/ci/tooken#token")
    assert target.claims == {f"vault:{ADDRESS}/teams/secret/ci/tooken#token"}
    assert target.settings == Spot(
        server=Server(address=ADDRESS, namespace="teams"), mount="secret", path="ci/tooken", key="token"
    )
    assert (target.takeover, target.warnings, target.keeps_record) == (False, (), True)


def test_all_settings() -> None:
    """Every setting arrives where it belongs, and stands above the environment."""
    target = parse(
        {"VAULT_ADDR": "https://other.example", "VAULT_NAMESPACE": "other"},
        path="teams/shop/ci",
        mount="teams/shop",
        address=ADDRESS,
        namespace="/a/b/",
        takeover=True,
        auth={"jwt": {"role": "ci", "mount": "gitlab", "token_env": "VAULT_ID_TOKEN"}},
    )
    auth = Jwt(role="ci", mount="gitlab", token_env="VAULT_ID_TOKEN")
    server = Server(address=ADDRESS, namespace="a/b", auth=auth)
    assert target.settings == Spot(server=server, mount="teams/shop", path="ci", key="token")
    assert target.takeover
    assert target.place == f"vault a/b/teams/shop/ci#token at {ADDRESS}"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"address": ADDRESS}, {"address": "HTTPS://Vault.Example.com:443/"}),
        ({"address": ADDRESS}, {}),
        ({"namespace": "a"}, {"path": "a/secret/ci/tooken", "mount": "a/secret"}),
        ({"mount": "secret"}, {"mount": "secret/ci"}),
        ({"auth": {"approle": {}}}, {"takeover": True}),
    ],
)
def test_one_place_in_two_spellings(one: dict[str, Any], other: dict[str, Any]) -> None:
    """However a place is written, it claims the same."""
    environment = {"VAULT_ADDR": ADDRESS}
    assert parse(environment, **one).claims == parse(environment, **other).claims


@pytest.mark.parametrize(
    "other",
    [{"key": "Token"}, {"path": "secret/ci/Tooken"}, {"namespace": "a"}, {"address": f"{ADDRESS}:8200"}],
)
def test_other_places(other: dict[str, Any]) -> None:
    """Another key, path, namespace or server is another place, and is shown as one."""
    environment = {"VAULT_ADDR": ADDRESS}
    assert parse(environment).claims.isdisjoint(parse(environment, **other).claims)
    assert parse(environment).place != parse(environment, **other).place


def test_what_is_looked_at_together() -> None:
    """Keys of one secret are looked at together if they are reached in the same way."""
    assert parse().group == parse(key="other").group
    others: list[dict[str, Any]] = [
        {"path": "secret/ci/b"},
        {"auth": {"approle": {}}},
        {"namespace": "a"},
        {"address": ADDRESS},
    ]
    assert parse().group not in {parse(**other).group for other in others}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("path", "secret/./ci"),
        ("path", "secret/ci\n"),
        ("path", "secret/ ci"),
        ("path", "secret/\u202eci"),
        ("mount", "kv"),
        ("mount", "secret/ci/tooken"),
        ("namespace", "a\nb"),
        ("address", "ftp://vault.example.com"),
        ("address", "https://u:fake@vault.example.com"),
        ("address", "https://vault.example.com/?token=fake"),
        ("address", "https:/u:fake@vault.example.com"),
        ("address", "u:fake@vault.example.com"),
        ("address", "https://vault.example.com:port"),
        ("auth", {"jwt": {"role": "ci", "token_env": "GITHUB_TOKEN"}}),
        ("auth", {"jwt": {"role": "ci", "token_env": "ACTIONS_ID_TOKEN_REQUEST_TOKEN"}}),
    ],
)
def test_settings_that_make_no_sense(key: str, value: object) -> None:
    """A path, an address or a way to log in that cannot be one is refused at its key, and shows no credential."""
    with pytest.raises(SettingsError) as caught:
        kind_for({}).parse({**LEAST, key: value}, HERE)
    assert caught.value.key == ("path" if key == "mount" else key)
    assert "fake" not in caught.value.message


@pytest.mark.parametrize(
    "change",
    [
        {"path": "/secret/ci"},
        {"path": "secret//ci"},
        {"path": "secret"},
        {"key": ""},
        {"key": " token"},
        {"key": "k" * 101},
        {"key": "tök"},
        {"mount": "secret/"},
        {"auth": {"approle": None}},
        {"auth": {"approle": {"role_id": "x"}}},
        {"auth": {"jwt": {"role": "ci", "token_env": "1A"}}},
        {"token": "fake"},
    ],
)
def test_settings_that_do_not_fit(change: dict[str, Any]) -> None:
    """The schema refuses what no path or key can be, and credentials in the spec."""
    jsonschema.validate(LEAST, VaultKind.schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**LEAST, **change}, VaultKind.schema)


def test_the_path_of_the_api() -> None:
    """A path as the HTTP API has it is valid, and most likely a mistake: that is a warning."""
    (warning,) = parse(path="secret/data/ci/tooken").warnings
    assert "'secret/ci/tooken'" in warning


def test_defaults_of_approle() -> None:
    """AppRole needs no settings."""
    settings = parse(auth={"approle": {}}).settings
    assert isinstance(settings, Spot)
    assert settings.server.auth == AppRole(mount="approle")


def test_a_target_of_another_kind() -> None:
    """Settings of another kind are a fault of the program, never used by guess."""
    target = Target(kind="vault", place="x", claims=frozenset(), settings={}, takeover=False, position=HERE)
    with pytest.raises(TypeError):
        kind_for({}).open(target)


def test_the_library_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the library the extra is named that brings it."""
    monkeypatch.setitem(sys.modules, "hvac", None)
    with pytest.raises(UsageError, match=r"tooken-ci\[vault\]"):
        Registry(Surroundings()).demand([parse()])

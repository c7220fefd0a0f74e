"""HashiCorp Vault and OpenBao: one key of a KV v2 secret, the record in the secret's custom metadata."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from tooken_ci.base.text import quoted
from tooken_ci.destinations.interface import TAKEOVER, Extra, settings_of
from tooken_ci.destinations.vault_settings import Server, Spot, credentials_for, server_of
from tooken_ci.spec.kinds import SettingsError
from tooken_ci.spec.model import Target

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tooken_ci.base.position import Position
    from tooken_ci.base.record import Look
    from tooken_ci.destinations.interface import Surroundings
    from tooken_ci.destinations.vault_session import Session
    from tooken_ci.destinations.vault_store import VaultDestination

_LONGEST_KEY = 100
"""Custom metadata has 128 bytes for a name, and the record's begins with ``tooken-ci-NN.``."""

_AUTH: Mapping[str, Any] = {
    "type": "object",
    "minProperties": 1,
    "additionalProperties": False,
    "description": "How to log in; without it, the token in VAULT_TOKEN.",
    "examples": [{"approle": {}}],
    "properties": {
        "approle": {
            "type": "object",
            "additionalProperties": False,
            "description": "With VAULT_ROLE_ID and VAULT_SECRET_ID.",
            "properties": {
                "mount": {
                    "type": "string",
                    "pattern": "^[^/]+(/[^/]+)*$",
                    "description": "Where the auth method is mounted; 'approle' unless said otherwise.",
                    "examples": ["approle"],
                },
            },
        },
        "jwt": {
            "type": "object",
            "required": ["role"],
            "additionalProperties": False,
            "description": "With a token that the CI system has signed: GitHub's OIDC, GitLab's id_tokens.",
            "properties": {
                "mount": {
                    "type": "string",
                    "pattern": "^[^/]+(/[^/]+)*$",
                    "description": "Where the auth method is mounted; 'jwt' unless said otherwise.",
                    "examples": ["jwt"],
                },
                "role": {
                    "type": "string",
                    "minLength": 1,
                    "description": "The role to log in as.",
                    "examples": ["ci"],
                },
                "token_env": {
                    "type": "string",
                    "pattern": "^[A-Za-z_][A-Za-z0-9_]*$",
                    "description": "The variable that holds the signed token; without it, it is requested from GitHub.",
                    "examples": ["VAULT_ID_TOKEN"],
                },
                "audience": {
                    "type": "string",
                    "minLength": 1,
                    "description": "The audience to request from GitHub.",
                    "examples": ["https://vault.example.com"],
                },
            },
        },
    },
}

_SCHEMA: Mapping[str, Any] = {
    "title": "vault",
    "description": "One key of a KV v2 secret in HashiCorp Vault or OpenBao; the secret's other keys stay as they are.",
    "type": "object",
    "required": ["path", "key"],
    "additionalProperties": False,
    "properties": {
        "path": {
            "type": "string",
            "pattern": "^[^/]+(/[^/]+)+$",
            "description": "MOUNT/PATH, as in 'vault kv get'.",
            "examples": ["secret/ci/tooken"],
        },
        "key": {
            "type": "string",
            "pattern": '^[!"$-~]([ !"$-~]*[!"$-~])?$',
            "maxLength": _LONGEST_KEY,
            "description": "The key of the secret's data that gets the token.",
            "examples": ["token"],
        },
        "mount": {
            "type": "string",
            "pattern": "^[^/]+(/[^/]+)*$",
            "description": "How much of 'path' is the mount, where it is more than the part before the first slash.",
            "examples": ["teams/shop"],
        },
        "address": {
            "type": "string",
            "description": "Of the server; VAULT_ADDR unless said otherwise.",
            "examples": ["https://vault.example.com"],
        },
        "namespace": {
            "type": "string",
            "pattern": "^/?[^/]+(/[^/]+)*/?$",
            "description": "VAULT_NAMESPACE unless said otherwise.",
            "examples": ["teams/platform"],
        },
        "auth": _AUTH,
        "takeover": TAKEOVER,
    },
}


class VaultKind:
    """The kind ``vault``. Destinations that log in at the same server in the same way share the login."""

    name = "vault"
    schema = _SCHEMA
    extra = Extra(name="vault", module="hvac")

    def __init__(self, surroundings: Surroundings) -> None:
        self._environment = surroundings.environment
        self._sessions: dict[Server, Session] = {}
        self._lock = threading.Lock()

    def parse(self, settings: Mapping[str, Any], position: Position) -> Target:
        """Make a target of settings that fit the schema.

        Raises:
            SettingsError: the path is none, does not begin with the mount, or a way to log in makes no sense.
        """
        server = server_of(settings, self._environment)
        mount, path = _divided(settings)
        spot = Spot(server=server, mount=mount, path=path, key=settings["key"])
        full = "/".join(filter(None, (server.namespace, str(spot))))
        elsewhere = f" at {server.address}" if "address" in settings else ""
        return Target(
            kind=self.name,
            place=f"vault {full}#{spot.key}{elsewhere}",
            claims=frozenset({f"vault:{server.address}/{full}#{spot.key}"}),
            settings=spot,
            takeover=bool(settings.get("takeover")),
            warnings=_warnings(spot),
            group=f"{server!r} {full}",
            credentials=credentials_for(server, self._environment),
            position=position,
        )

    def open(self, target: Target) -> VaultDestination:
        """The destination behind a target that this kind parsed."""
        from tooken_ci.destinations.vault_store import VaultDestination

        spot = settings_of(target, Spot)
        return VaultDestination(spot, self._session(spot.server))

    def look(self, targets: Sequence[Target]) -> Sequence[Look]:
        """What stands at each of some keys of one secret, from one reading of it."""
        from tooken_ci.destinations.vault_store import look_at

        spots = [settings_of(target, Spot) for target in targets]
        return look_at(spots, self._session(spots[0].server))

    def _session(self, server: Server) -> Session:
        from tooken_ci.destinations.vault_session import Session

        with self._lock:
            if server not in self._sessions:
                self._sessions[server] = Session(server, self._environment)
            return self._sessions[server]


def _divided(settings: Mapping[str, Any]) -> tuple[str, str]:
    """The mount, and the path below it."""
    whole = settings["path"]
    if not whole.isprintable() or {".", ".."} & set(whole.split("/")) or any(map(_padded, whole.split("/"))):
        raise SettingsError(
            f"{quoted(whole)} is not the path of a secret.", hint="Give MOUNT/PATH, as in 'vault kv get'.", key="path"
        )
    mount = settings.get("mount", whole.partition("/")[0])
    if not whole.startswith(f"{mount}/"):
        raise SettingsError(
            f"The path {quoted(whole)} does not begin with its mount, {quoted(mount)}.",
            hint=f"Write 'path: {mount}/{whole}'." if quoted(mount) == f"'{mount}'" else "",
            key="path",
        )
    return mount, whole.removeprefix(f"{mount}/")


def _padded(part: str) -> bool:
    return part != part.strip()


def _warnings(spot: Spot) -> tuple[str, ...]:
    if not spot.path.startswith("data/"):
        return ()
    meant = quoted(f"{spot.mount}/{spot.path.removeprefix('data/')}")
    whole = quoted(str(spot))
    return (f"The path {whole} has 'data' after its mount; what 'vault kv get' knows as {meant} is {meant} here too.",)

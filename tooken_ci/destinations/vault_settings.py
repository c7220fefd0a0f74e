"""Which Vault, as whom, and where in it: what a spec and the environment say, checked and in one spelling."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tooken_ci.base.address import unfit
from tooken_ci.base.text import quoted
from tooken_ci.spec.kinds import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

REQUEST_TOKEN = "ACTIONS_ID_TOKEN_REQUEST_TOKEN"  # noqa: S105  # nosec B105  # the name of a variable
RANDOM = 20
"""A role id of so many characters was made by Vault, and is kept from the log; a shorter one is a word."""

_PORTS = {"http": 80, "https": 443}
_NOT_FOR_VAULT = re.compile(r"(TOOKEN|INPUT|ACTIONS|GITHUB)_.*")
"""Variables that hold other credentials, which a line in a spec must not be able to send to a server."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class AppRole:
    """Log in with ``VAULT_ROLE_ID`` and ``VAULT_SECRET_ID``.

    Attributes:
        mount: where the auth method is mounted.
    """

    mount: str = "approle"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Jwt:
    """Log in with a token that the CI system has signed.

    Attributes:
        mount: where the auth method is mounted.
        role: the role to log in as.
        token_env: the variable that holds it; empty = it is requested from GitHub.
        audience: whom GitHub's is for; empty = GitHub's default.
    """

    mount: str = "jwt"
    role: str
    token_env: str = ""
    audience: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Server:
    """One Vault as one client sees it; all destinations with the same one share a login.

    Attributes:
        address: without a trailing slash; empty = neither the spec nor the environment names one.
        namespace: without slashes at its ends; empty = the root.
        auth: None = ``VAULT_TOKEN``.
    """

    address: str
    namespace: str = ""
    auth: AppRole | Jwt | None = None

    def __str__(self) -> str:
        within = f" (namespace {quoted(self.namespace)})" if self.namespace else ""
        return f"Vault at {self.address}{within}"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Spot:
    """One key of one secret of a KV v2 mount.

    Attributes:
        server: where.
        mount: of the secrets engine, such as ``secret``.
        path: below the mount.
        key: of the secret's data.
    """

    server: Server
    mount: str
    path: str
    key: str

    def __str__(self) -> str:
        return f"{self.mount}/{self.path}"


def server_of(settings: Mapping[str, Any], environment: Mapping[str, str]) -> Server:
    """The server that settings and environment name.

    Raises:
        SettingsError: an address, a namespace or the name of a variable makes no sense.
    """
    if "address" in settings:
        try:
            address = checked_address(settings["address"])
        except ValueError as error:
            raise SettingsError(f"{error}", hint="Give one such as https://vault.example.com.", key="address") from None
    else:
        try:
            address = checked_address(environment.get("VAULT_ADDR", ""))
        except ValueError:  # told when it is asked: a spec is valid wherever it is read
            address = environment.get("VAULT_ADDR", "")
    namespace = settings.get("namespace", environment.get("VAULT_NAMESPACE", "")).strip("/")
    if "namespace" in settings and not can_be_namespace(namespace):
        raise SettingsError(f"{quoted(namespace)} is not the name of a namespace.", key="namespace")
    return Server(address=address, namespace=namespace, auth=_auth(settings.get("auth")))


def credentials_for(server: Server, environment: Mapping[str, str]) -> frozenset[str]:
    """The variables from which a login may take its credentials, in whatever way it is done."""
    names = {"VAULT_TOKEN", "VAULT_SECRET_ID", REQUEST_TOKEN}
    if len(environment.get("VAULT_ROLE_ID", "").strip()) >= RANDOM:
        names.add("VAULT_ROLE_ID")
    if isinstance(server.auth, Jwt) and server.auth.token_env:
        names.add(server.auth.token_env)
    return frozenset(names)


def _auth(settings: Mapping[str, Any] | None) -> AppRole | Jwt | None:
    if not settings:
        return None
    if len(settings) > 1:
        ways = " and ".join(map(quoted, settings))
        raise SettingsError(f"'auth' must be one way to log in; found {ways}.", hint="Remove all but one.", key="auth")
    if "approle" in settings:
        return AppRole(**settings["approle"])
    jwt = Jwt(**settings["jwt"])
    if jwt.token_env and jwt.audience:
        raise SettingsError(
            "'token_env' and 'audience' exclude each other: a token in a variable has its audience already.",
            hint="On GitHub leave 'token_env' out; on GitLab give the audience as 'aud' under 'id_tokens'.",
            key="auth",
        )
    if _NOT_FOR_VAULT.fullmatch(jwt.token_env):
        raise SettingsError(
            f"The variable {quoted(jwt.token_env)} is not sent to a server: it may hold a credential for another one.",
            hint="Give it a name of its own, such as VAULT_ID_TOKEN.",
            key="auth",
        )
    return jwt


def checked_address(url: str) -> str:
    """The address in one spelling: lower case, without the usual port or a trailing slash; an empty one stays empty.

    Raises:
        ValueError: it is no address, carries credentials, or is plain http to a host that is not this one.
    """
    if not url:
        return ""
    if wrong := unfit("The address of Vault", url.strip()):
        raise ValueError(wrong)
    parts = urlsplit(url.strip())
    host, port = parts.hostname or "", parts.port
    shown = f"[{host}]" if ":" in host else host
    tail = "" if port in {None, _PORTS[parts.scheme]} else f":{port}"
    return f"{parts.scheme}://{shown}{tail}{parts.path.rstrip('/')}"


def can_be_namespace(name: str) -> bool:
    """Whether a namespace can be named in a header."""
    return name.isascii() and name.isprintable() and name == name.strip()

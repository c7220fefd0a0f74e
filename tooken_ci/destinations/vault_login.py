"""How a client of Vault gets its token: one that is given, an AppRole, or a token that the CI system has signed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests

from tooken_ci.base.address import loopback
from tooken_ci.base.errors import DestinationError
from tooken_ci.base.secret import Secret, SecretTooShortError
from tooken_ci.base.text import quoted
from tooken_ci.destinations import broken, timing, vault_http
from tooken_ci.destinations.vault_settings import RANDOM, REQUEST_TOKEN, AppRole, Jwt

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import hvac

    from tooken_ci.destinations.vault_http import Effort
    from tooken_ci.destinations.vault_session import Answer

    Send = Callable[[Callable[[hvac.Client], requests.Response]], Answer]

_REQUEST_URL = "ACTIONS_ID_TOKEN_REQUEST_URL"


class Login:
    """Gets a client token, in the way that the settings say, with credentials from the environment alone."""

    def __init__(self, auth: AppRole | Jwt | None, environment: Mapping[str, str]) -> None:
        self._auth = auth
        self._environment = environment

    def token(self, send: Send, effort: Effort) -> Secret:
        """A client token.

        Args:
            send: sends a request without a token.
            effort: that the login is a part of.

        Raises:
            DestinationError: a credential is missing, or Vault does not accept it.
        """
        match self._auth:
            case None:
                hint = "Set it, or say under 'auth' how to log in."
                return self._credential("VAULT_TOKEN", hint)
            case AppRole(mount=mount):
                role, secret = self._app_role()
                return self._client_token(
                    send(
                        lambda client: vault_http.raw(
                            client.auth.approle.login(role, secret, use_token=False, mount_point=mount)
                        )
                    ),
                    "AppRole",
                    "VAULT_ROLE_ID and VAULT_SECRET_ID",
                )
            case Jwt(mount=mount, role=name) as way:
                signed = self._signed(way, effort).reveal()
                return self._client_token(
                    send(
                        lambda client: vault_http.raw(
                            client.auth.jwt.jwt_login(name, signed, use_token=False, path=mount)
                        )
                    ),
                    "JWT",
                    f"the role {quoted(name)} and its bound claims and audiences",
                )

    def _app_role(self) -> tuple[str, str | None]:
        """The role's id and the secret's; the latter may be left out where the role asks for none."""
        role = self._environment.get("VAULT_ROLE_ID", "").strip()
        if not role:
            raise DestinationError("VAULT_ROLE_ID is not set.", hint="AppRole needs it, and VAULT_SECRET_ID.")
        if len(role) >= RANDOM:
            Secret(role)
        if not self._environment.get("VAULT_SECRET_ID", "").strip():
            return role, None
        return role, self._credential("VAULT_SECRET_ID", "").reveal()

    def _signed(self, way: Jwt, effort: Effort) -> Secret:
        if way.token_env:
            return self._credential(way.token_env, "On GitLab declare it under 'id_tokens' of the job.")
        return self._from_github(way.audience, effort)

    def _from_github(self, audience: str, effort: Effort) -> Secret:
        hint = "On GitHub give the job 'permissions: {id-token: write}'; elsewhere name the variable in 'token_env'."
        url = self._environment.get(_REQUEST_URL, "").strip()
        if not url:
            raise DestinationError(f"{_REQUEST_URL} is not set.", hint=hint)
        key = self._credential(REQUEST_TOKEN, hint)
        parts = urlsplit(url)  # which has a query, unlike the address of an API
        if parts.scheme != "https" and not (parts.scheme == "http" and loopback(parts.hostname or "")):
            raise DestinationError(f"{_REQUEST_URL} is not an https address.", hint=hint)
        body = _fetched(url, {"audience": audience} if audience else {}, key, self._environment, effort)
        value = body.get("value")
        if not isinstance(value, str):
            raise effort.error("GitHub's answer to the request for a signed token has none.", "Run again.")
        return _secret(value, "the signed token of GitHub")

    def _credential(self, name: str, hint: str) -> Secret:
        value = self._environment.get(name, "").strip()
        if not value:
            raise DestinationError(f"{name} is not set.", hint=hint)
        return _secret(value, name)

    def _client_token(self, answer: Answer, method: str, what: str) -> Secret:
        auth = answer.body.get("auth")
        token = auth.get("client_token") if isinstance(auth, dict) else None
        if not isinstance(token, str) or not token:
            raise DestinationError(
                f"Vault did not accept the {method} login ({answer}).", hint=f"Check {what}, and where it is mounted."
            )
        return _secret(token, "the token of Vault")


def _secret(value: str, what: str) -> Secret:
    if not value.isascii() or not value.isprintable() or " " in value:
        raise DestinationError(f"{what} has a character that none has.", hint="Copy it again.")
    try:
        return Secret(value)
    except SecretTooShortError:
        raise DestinationError(f"{what} is too short to be one.", hint="Copy it again.") from None


class _Bearer(requests.auth.AuthBase):
    """Puts the key on a request."""

    def __init__(self, key: Secret) -> None:
        self._key = key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._key.reveal()}"
        return request


def _fetched(
    url: str, params: Mapping[str, str], key: Secret, environment: Mapping[str, str], effort: Effort
) -> Mapping[str, Any]:
    """The JSON object that GitHub answers, tried a few times; redirects are not followed."""
    told = ""
    with vault_http.session_for(
        url, {name: text for name, text in environment.items() if name != "VAULT_CACERT"}
    ) as http:
        for tried in range(1, vault_http.TRIES + 1):
            effort.begin()
            try:
                answer = http.get(
                    url, params=dict(params), auth=_Bearer(key), allow_redirects=False, timeout=vault_http.TIMEOUT
                )
                told = f"it answered {answer.status_code}"
                body = answer.json() if answer.ok and not answer.is_redirect else None
                if isinstance(body, dict):
                    return body
                if answer.status_code < requests.codes.server_error:
                    break
            except RecursionError:
                told = "its answer nests too deep"
                break
            except requests.RequestException as error:
                told = broken.why(error)
            wait = timing.pause(tried)
            if wait >= effort.left:
                break
            vault_http.sleep(wait)
    raise effort.error(
        f"GitHub gave no signed token: {told}.", "Check that the job has 'permissions: {id-token: write}'; run again."
    )

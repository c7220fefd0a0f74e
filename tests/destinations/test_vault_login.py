"""How it logs in, what it refuses to do with credentials, and what is told where a login fails."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.destinations.support import SECRET, held
from tests.destinations.vault_support import KEY, Vault, deliver, kind_for
from tests.support.bao import running
from tests.support.serving import Handler, Serving
from tooken_ci.base.errors import DestinationError
from tooken_ci.base.record import State
from tooken_ci.base.redact import redactor
from tooken_ci.base.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.between import Between
    from tooken_ci.destinations.vault import VaultKind

AUDIENCE = "https://vault.example.com"
APPROLE: dict[str, Any] = {"auth": {"approle": {}}}
GITLAB: dict[str, Any] = {"auth": {"jwt": {"role": "ci", "token_env": "VAULT_ID_TOKEN"}}}


def fails(step: Callable[[], object]) -> DestinationError:
    with pytest.raises(DestinationError) as caught:
        step()
    assert caught.value.surely_refused
    return caught.value


def looks(kind: VaultKind, vault: Vault, **settings: Any) -> str:
    """Why a look fails."""
    (look,) = kind.look([vault.target(kind, **settings)])
    assert look.state is State.UNKNOWN
    return look.reason


class Roles:
    """An AppRole and a JWT role that may do all that an apply needs with one secret.

    Attributes:
        role_id: of the AppRole.
        environment: without ``VAULT_TOKEN``, with the AppRole's credentials.
    """

    def __init__(self, vault: Vault) -> None:
        send, name = vault.bao.send, vault.mount
        self.vault = vault
        send("PUT", f"sys/policies/acl/{name}", {"policy": vault.policy("read update", "read create patch")})
        self.settings = {"token_policies": [name]}
        self.approle, self.jwt = f"approle-{name}", f"jwt-{name}"
        send("POST", f"sys/auth/{self.approle}", {"type": "approle"})
        send("POST", f"auth/{self.approle}/role/ci", self.settings)
        self.role_id = send("GET", f"auth/{self.approle}/role/ci/role-id")["data"]["role_id"]
        self.secret_id = send("POST", f"auth/{self.approle}/role/ci/secret-id")["data"]["secret_id"]
        self._key = ec.generate_private_key(ec.SECP256R1())
        public = self._key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        send("POST", f"sys/auth/{self.jwt}", {"type": "jwt"})
        send("POST", f"auth/{self.jwt}/config", {"jwt_validation_pubkeys": [public.decode()]})
        role = {"role_type": "jwt", "user_claim": "sub", "bound_audiences": [AUDIENCE], **self.settings}
        send("POST", f"auth/{self.jwt}/role/ci", role)
        self.environment = {
            "VAULT_ADDR": vault.environment["VAULT_ADDR"],
            "VAULT_ROLE_ID": self.role_id,
            "VAULT_SECRET_ID": self.secret_id,
        }

    def signed(self, audience: str = AUDIENCE) -> str:
        """A token as a CI system signs it."""
        now = int(time.time())
        claims = {"sub": "project:acme/shop", "aud": audience, "iat": now, "nbf": now - 60, "exp": now + 300}
        return jwt.encode(claims, self._key, algorithm="ES256")

    def with_role(self, **changes: Any) -> None:
        """Changes the AppRole."""
        self.vault.bao.send("POST", f"auth/{self.approle}/role/ci", {**self.settings, **changes})

    @property
    def by_approle(self) -> dict[str, Any]:
        return {"auth": {"approle": {"mount": self.approle}}}

    def by_jwt(self, **more: str) -> dict[str, Any]:
        return {"auth": {"jwt": {"mount": self.jwt, "role": "ci", **more}}}


@pytest.fixture
def roles(vault: Vault) -> Roles:
    """Gives ways to log in to the secret."""
    return Roles(vault)


def test_approle(roles: Roles, vault: Vault) -> None:
    """An AppRole logs in with what the environment holds, and what it gets is a secret at once."""
    kind = kind_for(roles.environment)
    destination = kind.open(vault.target(kind, **roles.by_approle))
    destination.check()
    deliver(destination)
    assert vault.data == {KEY: SECRET}
    for name in ("VAULT_ROLE_ID", "VAULT_SECRET_ID"):
        assert redactor.clean(roles.environment[name]) == "***"
    session = kind._session(vault.target(kind, **roles.by_approle).settings.server)  # type: ignore[attr-defined]
    assert redactor.clean(session._access.client.token) == "***"  # type: ignore[union-attr]


def test_approle_without_a_secret_id(roles: Roles, vault: Vault) -> None:
    """A role that asks for no secret id needs none."""
    roles.with_role(bind_secret_id=False, token_bound_cidrs=["127.0.0.1/32"])
    kind = kind_for({name: value for name, value in roles.environment.items() if name != "VAULT_SECRET_ID"})
    kind.open(vault.target(kind, **roles.by_approle)).check()


def test_a_token_that_the_job_was_given(roles: Roles, vault: Vault) -> None:
    """A signed token in the variable that the spec names logs in, as GitLab's id_tokens do."""
    kind = kind_for({"VAULT_ADDR": vault.bao.address, "VAULT_ID_TOKEN": roles.signed() + "\n"})
    destination = kind.open(vault.target(kind, **roles.by_jwt(token_env="VAULT_ID_TOKEN")))
    deliver(destination)
    assert vault.data == {KEY: SECRET}


class GitHub(Serving):
    """GitHub's side of OIDC, as far as a job sees it."""

    def __init__(self, sign: Callable[[str], str]) -> None:
        super().__init__(_SignedToken)
        self.sign = sign
        self.answers: list[int] = []
        self.environment = {
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"{self.url}/token?api-version=2.0",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "fake-request-token",
        }


class _SignedToken(Handler):
    protocol_version = "HTTP/1.0"
    server: GitHub

    def do_GET(self) -> None:  # noqa: N802
        assert self.headers["Authorization"] == "Bearer fake-request-token"
        assert self.path.startswith("/token?api-version=2.0&audience=")
        status = self.server.answers.pop(0) if self.server.answers else 200
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "http://127.0.0.1:1/")
        self.end_headers()
        self.wfile.write(json.dumps({"value": self.server.sign(AUDIENCE)}).encode())


@pytest.fixture
def github(roles: Roles) -> Iterator[GitHub]:
    """Gives a GitHub that signs tokens."""
    server = GitHub(roles.signed)
    server.begin()
    yield server
    server.end()


def test_github(roles: Roles, vault: Vault, github: GitHub, hurried: list[float]) -> None:
    """On GitHub the signed token is requested, again where that fails in passing, and is a secret at once."""
    github.answers = [500, 503]
    tokens: list[str] = []
    sign = github.sign
    github.sign = lambda audience: tokens.append(sign(audience)) or tokens[-1]  # type: ignore[func-returns-value]
    kind = kind_for({"VAULT_ADDR": vault.bao.address, **github.environment})
    destination = kind.open(vault.target(kind, **roles.by_jwt(audience=AUDIENCE)))
    deliver(destination)
    assert vault.data == {KEY: SECRET}
    assert len(hurried) == 2
    assert redactor.clean(tokens[-1]) == "***"
    assert redactor.clean("fake-request-token") == "***"


@pytest.mark.parametrize("status", [302, 401, 403, 404])
def test_github_refuses(roles: Roles, vault: Vault, github: GitHub, status: int) -> None:
    """Where GitHub gives no token, the remedy is told; a redirect is not followed."""
    github.answers = [status] * 9
    kind = kind_for({"VAULT_ADDR": vault.bao.address, **github.environment})
    target = vault.target(kind, **roles.by_jwt(audience=AUDIENCE))
    error = fails(kind.open(target).check)
    assert f"it answered {status}" in error.message
    assert "id-token: write" in error.hint


def test_github_in_the_clear(roles: Roles, vault: Vault) -> None:
    """The key to GitHub's tokens is sent over https only."""
    other = {
        "ACTIONS_ID_TOKEN_REQUEST_URL": "http://elsewhere.example/?x=1",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "f" * 20,
    }
    kind = kind_for({"VAULT_ADDR": vault.bao.address, **other})
    assert "is not an https address" in looks(kind, vault, **roles.by_jwt(audience=AUDIENCE))


@pytest.mark.parametrize(
    ("missing", "settings", "hint"),
    [
        ("VAULT_ADDR", {}, "Set VAULT_ADDR"),
        ("VAULT_TOKEN", {}, "how to log in"),
        ("VAULT_ROLE_ID", APPROLE, "VAULT_SECRET_ID"),
        ("VAULT_ID_TOKEN", GITLAB, "id_tokens"),
        ("ACTIONS_ID_TOKEN_REQUEST_URL", {"auth": {"jwt": {"role": "ci"}}}, "id-token: write"),
    ],
)
def test_a_variable_that_is_missing(vault: Vault, missing: str, settings: dict[str, Any], hint: str) -> None:
    """Each variable that is missing is named, with what brings it; the spec is valid all the same."""
    kind = kind_for({name: value for name, value in vault.environment.items() if name != missing})
    error = fails(kind.open(vault.target(kind, **settings)).check)
    assert missing in error.message + error.hint
    assert hint in error.hint


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("VAULT_SKIP_VERIFY", "true", "always verified"),
        ("VAULT_SKIP_VERIFY", "1", "always verified"),
        ("VAULT_CACERT", "/nowhere/ca.pem", "'/nowhere/ca.pem' as the trusted certificates, which is not there"),
        ("VAULT_ADDR", "http://vault.example.com:8200", "in the clear"),
        ("VAULT_ADDR", "vault.example.com", "not an http(s) address"),
        ("VAULT_ADDR", "https://user:fake@vault.example.com", "carries credentials"),
        ("VAULT_TOKEN", "fake token with spaces", "has a character that none has"),
        ("VAULT_TOKEN", "short", "too short"),
        ("VAULT_TOKEN", "fake-token-of-nobody", "403: permission denied"),
        ("VAULT_NAMESPACE", "nowhere", "namespace"),
        ("VAULT_NAMESPACE", "\u540d", "not the name of a namespace"),
        ("VAULT_NAMESPACE", "a\nb", "not the name of a namespace"),
    ],
)
def test_a_variable_that_is_wrong(vault: Vault, name: str, value: str, words: str) -> None:
    """A variable that makes no sense, or is not accepted, is told before anything is written."""
    assert words in looks(vault.kind(**{name: value}), vault)
    error = fails(vault.open(**{name: value}).check)
    assert words in error.message
    assert error.hint


@pytest.mark.parametrize("off", ["", "0", "false"])
def test_skip_verify_that_is_off(vault: Vault, off: str) -> None:
    """A variable that asks for nothing is no reason to stop."""
    vault.open(VAULT_SKIP_VERIFY=off).check()


@pytest.mark.parametrize("what", ["VAULT_ROLE_ID", "VAULT_SECRET_ID"])
def test_a_login_that_is_refused(roles: Roles, vault: Vault, what: str) -> None:
    """A login that is refused names the credentials to check, and shows none of them."""
    kind = kind_for({**roles.environment, what: "fake-wrong-credential-0123"})
    error = fails(kind.open(vault.target(kind, **roles.by_approle)).check)
    assert "did not accept the AppRole login (4" in error.message
    assert "VAULT_ROLE_ID and VAULT_SECRET_ID" in error.hint
    assert "fake-wrong" not in str(error)


def test_a_jwt_for_somebody_else(roles: Roles, vault: Vault) -> None:
    """A signed token for another audience is refused, and the answer says why."""
    kind = kind_for({"VAULT_ADDR": vault.bao.address, "VAULT_ID_TOKEN": roles.signed("https://other.example")})
    error = fails(kind.open(vault.target(kind, **roles.by_jwt(token_env="VAULT_ID_TOKEN"))).check)
    assert "audience" in error.message
    assert "the role 'ci'" in error.hint


def test_one_login_for_all(broken: tuple[Vault, Between]) -> None:
    """Places that log in alike share one login, however many are served side by side."""
    vault, way = broken
    roles = Roles(vault)
    kind = kind_for({**roles.environment, "VAULT_ADDR": way.address})
    targets = [vault.target(kind, f"key-{number}", **roles.by_approle) for number in range(6)]
    threads = [threading.Thread(target=kind.open(target).check) for target in targets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum("/login" in line for line in way.seen) == 1


@pytest.mark.parametrize("how", ["uses", "revoked"])
def test_a_login_that_ends_in_between(broken: tuple[Vault, Between], how: str) -> None:
    """A login that ends in the middle of a run is made anew, in the middle of a write too."""
    vault, way = broken
    roles = Roles(vault)
    if how == "uses":
        roles.with_role(token_num_uses=3)
    kind = kind_for({**roles.environment, "VAULT_ADDR": way.address})
    destination = kind.open(vault.target(kind, **roles.by_approle))
    destination.check() if how == "uses" else destination.look()
    if how == "revoked":
        vault.bao.send("PUT", "sys/leases/revoke-prefix/auth/" + roles.approle, {"sync": True})
    deliver(destination)
    assert vault.data == {KEY: SECRET}
    assert destination.look().held == held()
    assert sum("/login" in line for line in way.seen) > 1


def test_a_login_that_fails_after_a_lost_answer(broken: tuple[Vault, Between], hurried: list[float]) -> None:
    """Where the answer to a write is lost and then the login ends and cannot be made anew, nobody knows."""
    vault, way = broken
    roles = Roles(vault)
    kind = kind_for({**roles.environment, "VAULT_ADDR": way.address})
    destination = kind.open(vault.target(kind, **roles.by_approle))
    deliver(destination)
    way.break_at("POST", "/data/", after=True, status=500)
    way.break_at("POST", "/data/", status=403)
    way.break_at("GET", "/lookup-self", status=403)
    way.break_at("POST", "/login", status=400)
    with pytest.raises(DestinationError, match="did not accept") as caught:
        destination.write(Secret("fake-other-secret"))
    assert not caught.value.surely_refused
    assert vault.data == {KEY: "fake-other-secret"}


def test_a_policy_that_refuses_is_no_reason_to_log_in(broken: tuple[Vault, Between]) -> None:
    """A 403 of the policy leaves a login that lives as it is."""
    vault, way = broken
    roles = Roles(vault)
    vault.bao.send("PUT", f"sys/policies/acl/{vault.mount}", {"policy": 'path "other" {}'})
    kind = kind_for({**roles.environment, "VAULT_ADDR": way.address})
    target = vault.target(kind, **roles.by_approle)
    assert "permission denied" in looks(kind, vault, **roles.by_approle)
    assert "policy" in fails(kind.open(target).check).hint
    assert sum("/login" in line for line in way.seen) == 1


def test_tls(tmp_path: Path, hurried: list[float]) -> None:
    """A certificate of a CA of one's own is trusted if the variable names it, and never otherwise."""
    with running(tls=True) as bao:
        environment = {"VAULT_ADDR": bao.address, "VAULT_TOKEN": bao.token, "VAULT_CACERT": str(bao.ca)}
        vault = Vault(bao=bao, mount=bao.mount(), environment=environment)
        deliver(vault.open())
        assert vault.data == {KEY: SECRET}
        stranger = vault.open(VAULT_CACERT="")
        error = fails(stranger.check)
        assert "certificate is not trusted" in error.message
        assert "VAULT_CACERT" in error.hint
        assert fails(lambda: stranger.write(Secret(SECRET))).surely_refused
        assert hurried == []


def test_nothing_is_read_beside_the_environment(vault: Vault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a token file nor a ~/.netrc is used: credentials come from the variables alone."""
    (tmp_path / ".vault-token").write_text(vault.bao.token, encoding="utf-8")
    (tmp_path / ".netrc").write_text("default login nobody password fake-password", encoding="utf-8")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("VAULT_TOKEN", vault.bao.token)
    assert "VAULT_TOKEN is not set" in looks(kind_for({"VAULT_ADDR": vault.bao.address}), vault)
    with contextlib.suppress(DestinationError):
        vault.open(VAULT_TOKEN="fake-token-of-nobody").check()

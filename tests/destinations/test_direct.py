"""What goes to this machine goes there directly: a proxy would read in the clear what is meant for nobody else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import botocore.exceptions
import botocore.parsers
import pytest

from tests.destinations.support import HERE
from tests.support.serving import Handler, Serving
from tests.tooken.support import make_client
from tooken_ci.base.errors import DestinationError, NotFoundError
from tooken_ci.base.secret import Secret
from tooken_ci.destinations.aws_session import Aws
from tooken_ci.destinations.github_api import Api
from tooken_ci.destinations.gitlab_api import Connection, GitLabError
from tooken_ci.destinations.interface import Surroundings
from tooken_ci.destinations.vault import VaultKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

FAKE = "plainly-fake-credential"
VARIABLES = ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")


class Recorder(Serving):
    """Finds nothing of what it is asked for.

    Attributes:
        heard: the request lines.
    """

    def __init__(self) -> None:
        heard: list[str] = []

        class Answers(Handler):
            def do_GET(self) -> None:  # noqa: N802  # a name that the standard library asks for
                heard.append(self.requestline)
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                body = b'{"errors": []}'
                self.send_response(404)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_CONNECT = do_GET  # noqa: N815  # as above

        super().__init__(Answers)
        self.heard = heard

    def __enter__(self) -> Self:
        self.begin()
        return self

    def __exit__(self, *_: object) -> None:
        self.end()


@pytest.fixture
def server() -> Iterator[Recorder]:
    """Gives what the addresses lead to."""
    with Recorder() as running:
        yield running


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorder]:
    """Gives the proxy that the environment names for everything."""
    with Recorder() as running:
        for name in VARIABLES:
            monkeypatch.setenv(name, running.url)
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        yield running


def tooken(url: str, _: Path) -> None:
    with pytest.raises(NotFoundError):
        make_client(url=f"{url}/v1").active()


def vault(url: str, _: Path) -> None:
    kind = VaultKind(Surroundings(environment={"VAULT_ADDR": url, "VAULT_TOKEN": FAKE}))
    kind.open(kind.parse({"path": "secret/ci/tooken", "key": "token"}, HERE)).look()


def signed_by_github(url: str, _: Path) -> None:
    """The server says where the signed token is requested; Vault itself is never asked."""
    environment = {"ACTIONS_ID_TOKEN_REQUEST_URL": url, "ACTIONS_ID_TOKEN_REQUEST_TOKEN": FAKE}
    kind = VaultKind(Surroundings(environment={"VAULT_ADDR": "https://127.0.0.1:9", **environment}))
    kind.open(kind.parse({"path": "secret/ci/tooken", "key": "token", "auth": {"jwt": {"role": "ci"}}}, HERE)).look()


def github(url: str, _: Path) -> None:
    with pytest.raises(DestinationError):
        Api(url, Secret(FAKE), "GH_TOKEN").get("/repos/acme/shop")


def gitlab(url: str, _: Path) -> None:
    with pytest.raises(GitLabError):
        Connection({"GITLAB_URL": url, "GITLAB_TOKEN": FAKE}).call("get", "/projects/acme%2Fshop")


def aws(url: str, _: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", url)
        patch.setenv("AWS_ACCESS_KEY_ID", "AKIAPLAINLYFAKE00001")
        patch.setenv("AWS_SECRET_ACCESS_KEY", FAKE)
        client = Aws().api("eu-west-1")._client
        with pytest.raises(botocore.exceptions.ClientError):
            client.describe_secret(SecretId="test")


def aws_role(url: str, folder: Path) -> None:
    """Credentials are asked for with the token that the CI system has signed."""
    token = folder / "token"
    token.write_text(FAKE, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", url)
        patch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(token))
        patch.setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/ci")
        with pytest.raises(botocore.parsers.ResponseParserError):
            Aws().api("eu-west-1")._credentials.get_frozen_credentials()


@pytest.mark.parametrize(
    "ask", [tooken, vault, signed_by_github, github, gitlab, aws, aws_role], ids=lambda ask: ask.__name__
)
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_no_proxy_is_asked(
    server: Recorder, proxy: Recorder, tmp_path: Path, ask: Callable[[str, Path], None], host: str
) -> None:
    """Where an address is this machine's, what is sent there passes no proxy that the environment names."""
    ask(server.url.replace("127.0.0.1", host), tmp_path)
    assert server.heard
    assert proxy.heard == []

"""What the environment says of the way to the API."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.tooken.scripted import Scripted, answer
from tests.tooken.support import API, error_body, make_client
from tooken_ci.base.errors import UnreachableError, UsageError
from tooken_ci.base.redact import redactor
from tooken_ci.tooken.retry import RetryPolicy
from tooken_ci.tooken.way import proxies

if TYPE_CHECKING:
    from pathlib import Path

TOKEN = "tok_a1b2c3d4e5f6a7b8c9d0e1f2"


def test_a_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests go through the proxy that the environment names, except to the hosts that it excepts."""
    with Scripted([answer(403, error_body(403))]) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url.removesuffix("/v1"))
        with pytest.raises(UnreachableError, match="the proxy cannot be reached, or refused to connect"):
            make_client(policy=RetryPolicy(tries=1)).get(TOKEN)
        assert proxy.heard == [("CONNECT api.tooken.test:443", b"")]
    monkeypatch.setenv("NO_PROXY", "api.tooken.test")
    assert proxies(API) == {}


def test_certificates_of_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A file of certificates that the environment names and that is missing is an error that names it."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "missing.pem"))
    with pytest.raises(UsageError, match=r"REQUESTS_CA_BUNDLE names '.*missing\.pem'"):
        make_client(url="https://127.0.0.1:9/v1")


@pytest.mark.parametrize(
    ("credentials", "shown"),
    [
        ("me:hunter22hunter", ["hunter22hunter", "me:hunter22hunter", "bWU6aHVudGVyMjJodW50ZXI="]),
        ("me:hunter%4022%2Fhunter", ["hunter@22/hunter", "hunter%4022%2Fhunter", "bWU6aHVudGVyQDIyL2h1bnRlcg=="]),
        ("someone:abc", ["someone:abc", "c29tZW9uZTphYmM="]),
        ("ghp_plainly_fake_token", ["ghp_plainly_fake_token"]),
    ],
    ids=["plain", "quoted", "short", "user"],
)
@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "http_proxy", "ALL_PROXY"])
def test_the_credentials_of_a_proxy(
    monkeypatch: pytest.MonkeyPatch, variable: str, credentials: str, shown: list[str]
) -> None:
    """Of every proxy that the environment names the credentials are masked, in the forms that they are sent in."""
    monkeypatch.setenv(variable, f"http://{credentials}@127.0.0.1:9")
    make_client(url="https://127.0.0.1:9/v1")
    for text in shown:
        assert redactor.clean(f"<{text}>") == "<***>"


def test_the_credentials_of_a_proxy_are_sent_to_it_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxy is asked with its credentials, and what goes wrong with it is told without them."""
    monkeypatch.setenv("HTTPS_PROXY", "http://me:hunter22hunter@127.0.0.1:9")
    with pytest.raises(UnreachableError) as caught:
        make_client().active()
    assert "the proxy cannot be reached" in str(caught.value)
    assert "hunter22" not in str(caught.value)


def test_credentials_that_cannot_be_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy whose credentials are too short to be masked is an error that names the variable, and not them."""
    monkeypatch.setenv("HTTPS_PROXY", "http://me:pw1@127.0.0.1:9")
    with pytest.raises(UsageError, match="proxy in HTTPS_PROXY are too short") as caught:
        make_client(url="https://127.0.0.1:9/v1")
    assert "pw1" not in str(caught.value)

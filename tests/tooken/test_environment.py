"""What the environment says of the way to the API."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.tooken.scripted import Scripted, answer
from tests.tooken.support import error_body, make_client
from tooken_ci.base.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

TOKEN = "tok_a1b2c3d4e5f6a7b8c9d0e1f2"


def test_a_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests go through the proxy that the environment names, except to the hosts that it excepts."""
    unused = Scripted([])
    with Scripted([answer(404, error_body(404))]) as proxy, unused:
        monkeypatch.setenv("HTTP_PROXY", proxy.url.removesuffix("/v1"))
        assert make_client(url=unused.url).get(TOKEN) is None
        assert proxy.heard == [(f"GET {unused.url}/tokens/{TOKEN}", b"")]
        assert unused.connections == 0
    with Scripted([answer(404, error_body(404))]) as server:
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        assert make_client(url=server.url).get(TOKEN) is None
        assert server.heard == [(f"GET /v1/tokens/{TOKEN}", b"")]


def test_certificates_of_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A file of certificates that the environment names and that is missing is an error that names it."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "missing.pem"))
    with pytest.raises(UsageError, match=r"REQUESTS_CA_BUNDLE names '.*missing\.pem'"):
        make_client(url="https://127.0.0.1:9/v1")

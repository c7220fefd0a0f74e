"""Whom the client trusts: a real server behind TLS, with a certificate of an authority of one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.tls import Authority, served
from tests.tooken.support import KEY, MovedClock, make_client
from tooken_ci.base.errors import UnreachableError, UsageError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """Gives an authority that nobody trusts yet."""
    return Authority(tmp_path)


def _refused(port: int, bundle: str | None, *, host: str = "127.0.0.1") -> UnreachableError:
    clock = MovedClock()
    client = make_client(url=f"https://{host}:{port}/v1", ca_bundle=bundle, clock=clock)
    with pytest.raises(UnreachableError) as caught:
        client.active()
    assert client.sent == 1
    assert clock.slept == []
    return caught.value


def test_an_authority_of_ones_own(authority: Authority) -> None:
    """Its certificate is refused before the key is sent, with the remedy; named, it is trusted."""
    with served(authority.certify("127.0.0.1")) as (port, heard):
        error = _refused(port, None)
        assert "its TLS certificate is not trusted (unable to get local issuer certificate)" in error.message
        assert "--ca-bundle" in error.hint
        assert heard == []
        client = make_client(url=f"https://127.0.0.1:{port}/v1", ca_bundle=str(authority.bundle))
        assert client.active() == ()
        assert heard == [f"Bearer {KEY}"]


def test_the_certificate_of_another_host(authority: Authority) -> None:
    """A trusted certificate for another name is refused, with the name that was asked for and the remedy."""
    with served(authority.certify("api.tooken.test")) as (port, heard):
        for host in ("127.0.0.1", "localhost"):
            error = _refused(port, str(authority.bundle), host=host)
            assert f"its TLS certificate is not for '{host}'" in error.message
            assert "--api-url" in error.hint
        assert heard == []


def test_a_certificate_that_is_over(authority: Authority) -> None:
    """A certificate that has expired is refused as that."""
    with served(authority.certify("127.0.0.1", days=-1)) as (port, heard):
        error = _refused(port, str(authority.bundle))
        assert "out of time (certificate has expired)" in error.message
        assert "clock" in error.hint
        assert heard == []


def test_the_option_goes_before_the_environment(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The option says whom to trust, whatever the conventional variables say; without it they do."""
    (tmp_path / "other").mkdir()
    other = Authority(tmp_path / "other")
    with served(authority.certify("127.0.0.1")) as (port, heard):
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(other.bundle))
        assert "not trusted" in _refused(port, None).message
        make_client(url=f"https://127.0.0.1:{port}/v1", ca_bundle=str(authority.bundle)).active()
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.bundle))
        make_client(url=f"https://127.0.0.1:{port}/v1").active()
        assert len(heard) == 2


@pytest.mark.parametrize(
    ("content", "words"), [(None, "is not there"), ("nonsense", "no certificate in PEM format"), ("", "no certificate")]
)
def test_a_file_that_holds_no_certificate(tmp_path: Path, content: str | None, words: str) -> None:
    """A file of certificates that is missing or holds none is refused at once, by its name and the option's."""
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(UsageError, match=words) as caught:
        make_client(url="https://127.0.0.1:9/v1", ca_bundle=str(path))
    assert "--ca-bundle" in caught.value.message
    assert "ca.pem" in caught.value.message

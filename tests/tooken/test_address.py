from __future__ import annotations

import pytest

from tests.tooken.support import make_client
from tooken_ci.base.address import unfit
from tooken_ci.base.errors import UsageError
from tooken_ci.tooken.address import checked_url


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://api.tooken.io/v1", "https://api.tooken.io/v1"),
        ("https://api.tooken.io/v1/", "https://api.tooken.io/v1"),
        ("HTTPS://api.tooken.io:8443/v1", "HTTPS://api.tooken.io:8443/v1"),
        ("http://127.0.0.1:8080/v1", "http://127.0.0.1:8080/v1"),
        ("http://127.8.9.1/v1", "http://127.8.9.1/v1"),
        ("http://localhost:1/v1", "http://localhost:1/v1"),
        ("http://LOCALHOST/v1", "http://LOCALHOST/v1"),
        ("http://[::1]:8080/v1", "http://[::1]:8080/v1"),
    ],
)
def test_addresses_a_key_may_be_sent_to(url: str, kept: str) -> None:
    """Https anywhere and plain http on this machine are taken, without a trailing slash."""
    assert checked_url(url) == kept


@pytest.mark.parametrize(
    "url",
    [
        "http://api.tooken.io/v1",
        "http://10.0.0.1/v1",
        "http://0.0.0.0/v1",
        "http://localhost.example.com/v1",
        "http://127.0.0.1.example.com/v1",
        "http://[::2]/v1",
    ],
)
def test_plain_http_is_for_this_machine(url: str) -> None:
    """Plain http to any other host is refused before anything is sent, and named."""
    with pytest.raises(UsageError, match="is plain http") as caught:
        make_client(url=url)
    assert url in caught.value.message


@pytest.mark.parametrize(
    "url",
    [
        "",
        "api.tooken.io/v1",
        "ftp://api.tooken.io/v1",
        "file:///etc/passwd",
        "https://",
        "https:///v1",
        "https://api.tooken.io/v1?key=1",
        "https://api.tooken.io/v1#top",
        "https://[::1/v1",
        "https://api.tooken.io:port/v1",
        "https://api.tooken.io:99999/v1",
    ],
)
def test_no_address(url: str) -> None:
    """What is no http(s) address, or carries a query or a fragment, is refused with the address and an example."""
    with pytest.raises(UsageError, match="is not an http") as caught:
        make_client(url=url)
    assert "https://api.tooken.io/v1" in caught.value.hint


@pytest.mark.parametrize("url", ["https://me:hunter22@api.tooken.io/v1", "https://hunter22@api.tooken.io/v1"])
def test_credentials_in_the_address(url: str) -> None:
    """An address that carries credentials is refused, and they are not shown."""
    with pytest.raises(UsageError, match="carries credentials") as caught:
        make_client(url=url)
    assert "hunter22" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "lacks"),
    [
        ("admin:hunter2secret@api.tooken.io/v1", "it lacks https:// at its beginning"),
        ("ftp://admin:hunter2secret@api.tooken.io/v1", "carries credentials"),
        ("https:/admin:hunter2secret@api.tooken.io/v1", "it lacks a host after https://"),
        ("https:///admin:hunter2secret@api.tooken.io/v1", "it lacks a host after https://"),
        ("https:\\\\admin:hunter2secret@api.tooken.io\\v1", "it lacks a host after https://"),
        ("//api.tooken.io/v1?access_token=hunter2secret", "it lacks https:// at its beginning"),
        ("https://api.tooken.io/v1?access_token=hunter2secret", "it has a query or a fragment"),
        ("https://api.tooken.io/v1#hunter2secret", "it has a query or a fragment"),
        ("http://api.tooken.io/hunter2secret@v1", "is plain http"),
    ],
)
def test_what_may_be_credentials_is_not_shown(url: str, lacks: str) -> None:
    """Of an address in which credentials may stand it is told what is wrong with it, and nothing of itself."""
    told = unfit("The address", url)
    assert lacks in told
    assert "hunter2" not in told


@pytest.mark.parametrize(
    ("url", "told"),
    [
        (
            "api.tooken.io/v1",
            "The address 'api.tooken.io/v1' is not an http(s) address: it lacks https:// at its beginning.",
        ),
        ("https:///v1", "The address 'https:///v1' is not an http(s) address: it lacks a host after https://."),
    ],
)
def test_what_is_wrong_with_it(url: str, told: str) -> None:
    """An address in which no credentials can stand is shown, with what it lacks."""
    assert unfit("The address", url) == told

"""How long stores are waited for, whatever their kind."""

from __future__ import annotations

import pytest
import requests

from tooken_ci.destinations import broken, timing


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0.0),
        (" 120 ", 120.0),
        *((odd, None) for odd in (None, "", "-1", "1.5", "inf", "\xb2", "\u0663", "9" * 400)),
        ("Wed, 21 Oct 2026 07:28:00 GMT", None),
    ],
)
def test_what_a_server_asks_to_be_waited(header: str | None, seconds: float | None) -> None:
    """Only whole seconds in plain digits are believed; whatever else a server sends breaks nothing."""
    assert timing.asked(header) == seconds


def test_pauses_grow_up_to_a_bound() -> None:
    """Each pause is random, at most twice the one before, and never longer than the longest."""
    for tried in range(1, 12):
        bound = min(timing.LONGEST_PAUSE, timing.FIRST_PAUSE * 2 ** (tried - 1))
        assert all(0 <= timing.pause(tried) <= bound for _ in range(50))


@pytest.mark.parametrize(
    ("error", "sure", "words"),
    [
        (requests.ConnectTimeout("x"), True, "no connection came about"),
        (requests.ReadTimeout("x"), False, "did not answer in time"),
        (requests.exceptions.SSLError("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed"), True, "is not trusted"),
        (requests.exceptions.SSLError("tlsv13 alert certificate required"), False, "broke before the answer"),
        (requests.exceptions.ChunkedEncodingError("x"), False, "(ChunkedEncodingError)"),
        (requests.exceptions.ProxyError("x"), False, "the proxy does not let it through"),
        (requests.ConnectionError(), False, "broke before the answer"),
    ],
)
def test_what_a_broken_exchange_means(error: requests.RequestException, *, sure: bool, words: str) -> None:
    """A store has surely taken nothing only where no connection came about, or its certificate was refused."""
    assert broken.never_sent(error) is sure
    assert words in broken.why(error)

"""Answers that are too large to be the API's are not read to their end."""

from __future__ import annotations

import gzip
import tracemalloc

import pytest

from tests.tooken.scripted import Act, Scripted, answer
from tests.tooken.support import error_body, make_client, page_body, token_body
from tooken_ci.base.errors import ConflictError, NotTheApiError
from tooken_ci.tooken.body import LARGEST
from tooken_ci.tooken.retry import RetryPolicy

MIB = 1_048_576
BOMB = gzip.compress(b"[" + b" " * 64 * MIB + b"]")


def sends(body: bytes, status: int = 200, *headers: str) -> Act:
    head = "\r\n".join([f"HTTP/1.1 {status} Scripted", "Connection: close", *headers, "", ""])
    return Act(sends=head.encode() + body)


def of_length(status: int) -> Act:
    return sends(b"x" * (LARGEST + 1), status, f"Content-Length: {LARGEST + 1}")


@pytest.mark.parametrize(
    "act",
    [
        sends(BOMB, 200, "Content-Encoding: gzip"),
        sends(BOMB, 404, "Content-Encoding: gzip", f"Content-Length: {len(BOMB)}"),
        of_length(200),
        of_length(503),
        sends(b"x" * (LARGEST + 1)),
    ],
    ids=["packed", "packed error", "plain", "fault", "without a length"],
)
def test_it_is_given_up(act: Act) -> None:
    """What is too large is given up early, packed or not, and told with what to look at."""
    with Scripted([act]) as server:
        client = make_client(url=server.url, policy=RetryPolicy(tries=1))
        tracemalloc.start()
        try:
            with pytest.raises(NotTheApiError, match="more than 4 MiB") as caught:
                client.active()
            assert tracemalloc.get_traced_memory()[1] < 3 * LARGEST
        finally:
            tracemalloc.stop()
    assert "--api-url" in caught.value.hint


def test_it_is_asked_for_again() -> None:
    """A read whose answer was too large is asked for again, as one that was no JSON is."""
    with Scripted([of_length(200), answer(200, page_body([token_body()], total=1))]) as server:
        assert len(make_client(url=server.url).active()) == 1


def test_a_creation_stays_in_doubt() -> None:
    """A creation whose answer was too large may have been done, so a conflict after it may be with its own token."""
    acts = [of_length(201), answer(409, error_body(409, "conflict"))]
    with Scripted(acts) as server, pytest.raises(ConflictError) as caught:
        make_client(url=server.url).create(name="ci", scopes_wanted=["tokens:read"], expires_at=None)
    assert caught.value.doubtful

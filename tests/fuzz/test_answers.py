"""The reading of the API's answers: whatever comes, a call gives what it promises, or fails in harmless words."""

from __future__ import annotations

import io
import json
import traceback
from typing import TYPE_CHECKING, Any

import pytest
import requests
import requests.adapters
from hypothesis import given
from hypothesis import strategies as st
from urllib3 import HTTPResponse

from tests.fuzz.corpus import ANSWERS
from tests.fuzz.support import BATCH, bent, changed, for_a_while
from tests.support.runner import commands, unprintable
from tests.tooken.support import API, DATE, MovedClock, error_body, make_client, page_body, token_body
from tooken_ci.base.errors import TookenCIError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tooken_ci.tooken.client import Client

SECRET = "tok_secret_plainly_fake_one"
MOST = 60
"""Requests that are answered; a list may claim to have any number of pages."""

PAGE = page_body([token_body(id=f"tok_{number}", name=f"n{number}") for number in range(3)], total=3)
AUDIT = {
    "data": [
        {
            "id": "a1",
            "event": "token.rotated",
            "token_id": "tok_1",
            "token_name": "n",
            "actor": "x@example.com",
            "created_at": "2026-11-20T08:00:00Z",
        }
    ],
    "meta": {"page": 1, "per_page": 100, "total": 1},
}
MINTED = token_body(token=SECRET)
BODIES: list[Any] = [PAGE, AUDIT, MINTED, token_body(), error_body(409), error_body(429)]
CALLS: dict[str, Callable[[Client], object]] = {
    "active": lambda client: client.active(),
    "find": lambda client: client.find("n"),
    "get": lambda client: client.get("tok_1"),
    "create": lambda client: client.create(name="n", scopes_wanted=["tokens:read"], expires_at=None),
    "rotate": lambda client: client.rotate("tok_1"),
    "revoke": lambda client: client.revoke("tok_1"),
    "probe": lambda client: client.probe_write(),
    "rotations": lambda client: client.rotations(since=client.now()),
}
NUMBERS = st.integers(-5, 2_000_000_000).map(str) | st.sampled_from(["", "nan", "inf", "1e400", "9" * 30, "x", "²"])
HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "Date": st.sampled_from([DATE, "", "x", "Mon, 99 Xxx 0000 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT"]),
        "Content-Type": st.sampled_from(["application/json", "text/html", "", "json; charset=x", "::error::x"]),
        "Retry-After": NUMBERS,
        "X-RateLimit-Limit": NUMBERS,
        "X-RateLimit-Remaining": NUMBERS,
        "X-RateLimit-Reset": NUMBERS,
    },
)
STATUSES = st.sampled_from([200, 200, 200, 201, 201, 204, 301, 400, 401, 403, 404, 409, 410, 422, 429, 500, 503, 999])
WHOLE = [json.dumps(body).encode() for body in BODIES]
PIECES = [
    *(bytes([char]) for char in b'{}[]":,0-e.\\nu'),
    b"null",
    b"NaN",
    b"1e999",
    b'"token"',
    b"\xff",
    b"\\ud800",
    b"\0",
]
CONTENT = st.sampled_from(BODIES).flatmap(bent).map(lambda data: json.dumps(data).encode()) | changed(WHOLE, PIECES)
ANSWER = st.tuples(STATUSES, HEADERS, CONTENT | st.binary(max_size=40))


class Canned(requests.adapters.HTTPAdapter):
    """Gives the answers in turn, the last one again and again, without a network; in the end no connection."""

    def __init__(self, answers: list[tuple[int, dict[str, str], bytes]]) -> None:
        super().__init__()
        self._answers = answers
        self._given = 0

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        status, headers, body = self._answers[min(self._given, len(self._answers) - 1)]
        self._given += 1
        if self._given > MOST:
            raise requests.ConnectionError("enough")
        raw = HTTPResponse(io.BytesIO(body), status=status, headers=headers, preload_content=False)
        response = self.build_response(request, raw)
        assert response.content is not None  # read here, as requests does, so that what is wrong with it is its error
        return response


def _check(call: str, answers: list[tuple[int, dict[str, str], bytes]]) -> None:
    client = make_client(url=API, clock=MovedClock(deadline=7200))
    client._transport._session.mount("https://", Canned(answers))
    try:
        CALLS[call](client)
    except TookenCIError as error:
        told, whole = str(error), "".join(traceback.format_exception(error))
    else:
        return
    assert not unprintable(told), told
    assert not commands(told)
    assert SECRET not in whole


@pytest.mark.parametrize("call", CALLS)
def test_what_was_found_before(call: str) -> None:
    """Each answer of the corpus is read, or refused, by each call; also as the second after a sound one."""
    for answer in ANSWERS:
        _check(call, [answer])
        _check(call, [(200, {"Date": DATE}, WHOLE[0]), answer])


@pytest.mark.parametrize("calls", [("active", "find", "rotations"), ("create", "rotate"), ("get", "revoke", "probe")])
def test_any_answer(calls: tuple[str, ...]) -> None:
    """Answers that were changed at random bring no call to anything but a result, or an error of ours."""

    @given(st.sampled_from(calls), st.lists(ANSWER, min_size=1, max_size=3))
    @BATCH
    def batch(call: str, answers: list[tuple[int, dict[str, str], bytes]]) -> None:
        _check(call, answers)

    for_a_while(batch)

"""What is told of a request whose earlier try was lost: only the API itself settles what became of it."""

from __future__ import annotations

import pytest

from tests.tooken.scripted import RESET, Scripted, answer
from tests.tooken.support import HTML, SECRET, error_body, make_client, token_body
from tooken_ci.base.errors import ApiError, ConflictError, NotTheApiError, RateLimitedError, UnreachableError

MINTED = token_body(token=SECRET)
TOKEN = "tok_a1b2c3d4e5f6a7b8c9d0e1f2"
LATE = {"Date": "Mon, 23 Nov 2026 21:20:15 GMT", "Content-Type": "text/html"}
ON_TIME = {"Date": "Mon, 23 Nov 2026 19:20:15 GMT", "Content-Type": "application/json"}


def test_a_404_of_the_api_settles_a_revocation() -> None:
    """A revocation whose answer was lost is done if the API then does not know the token."""
    with Scripted([RESET, answer(404, error_body(404, "not_found"))]) as server:
        make_client(url=server.url).revoke(TOKEN)


def test_a_404_of_a_proxy_settles_nothing() -> None:
    """A proxy's own page tells nothing of a revocation whose answer was lost: it stays unclear."""
    with Scripted([RESET, answer(404, HTML)]) as server, pytest.raises(UnreachableError):
        make_client(url=server.url).revoke(TOKEN)


@pytest.mark.parametrize(("script", "doubtful"), [([RESET], True), ([], False), ([answer(429)], False)])
def test_a_conflict_tells_whether_it_may_be_with_oneself(script: list[object], *, doubtful: bool) -> None:
    """A conflict after a lost answer may be with this run's own token; after a refusal it cannot."""
    acts = [*script, answer(409, error_body(409, "conflict"))]
    with Scripted(acts) as server, pytest.raises(ConflictError) as caught:  # type: ignore[arg-type]
        make_client(url=server.url).create(name="ci", scopes_wanted=["tokens:read"], expires_at=None)
    assert caught.value.doubtful is doubtful


def test_waits_do_not_use_up_the_tries() -> None:
    """A request that was told to wait four times still has all its tries for a fault of another kind."""
    script = [answer(429, headers={"Retry-After": "1"})] * 4 + [answer(503)] * 4 + [answer(200, MINTED)]
    with Scripted(script) as server:
        client = make_client(url=server.url)
        client.create(name="ci", scopes_wanted=["tokens:read"], expires_at=None)
    assert client.sent == 9


def test_what_comes_before_each_request() -> None:
    """Before every try, and only then, the caller is asked; what it raises ends the call with nothing sent."""
    asked: list[int] = []

    def before() -> None:
        asked.append(client.sent)
        if len(asked) == 3:
            raise RateLimitedError("Enough.")

    with Scripted([answer(429), answer(429)]) as server:
        client = make_client(url=server.url)
        with pytest.raises(RateLimitedError, match="Enough"):
            client.create(name="ci", scopes_wanted=["tokens:read"], expires_at=None, before=before)
        assert len(server.heard) == client.sent == 2


def test_what_comes_before_does_not_hide_a_doubt() -> None:
    """Where the first try may have been done, ending before the second is no word that nothing happened."""
    tried: list[None] = []

    def before() -> None:
        tried.append(None)
        if len(tried) == 2:
            raise RateLimitedError("Enough.")

    with Scripted([RESET]) as server, pytest.raises(UnreachableError):
        make_client(url=server.url).create(name="ci", scopes_wanted=["tokens:read"], expires_at=None, before=before)


def test_the_time_on_a_proxys_page_teaches_nothing() -> None:
    """A proxy's error page carries the proxy's time, not the server's; an answer of the API carries the server's."""
    with Scripted([answer(502, HTML, headers=LATE)] * 5 + [answer(404, error_body(404), headers=ON_TIME)]) as server:
        client = make_client(url=server.url)
        with pytest.raises(ApiError):
            client.get(TOKEN)
        with pytest.raises(NotTheApiError, match="no readable Date"):
            client.now()
        assert client.get(TOKEN) is None
        assert client.now().hour == 19

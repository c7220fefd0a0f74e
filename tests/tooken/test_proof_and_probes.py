from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.tooken.support import HTML, KEY, SECRET, TOKENS, MovedClock, error_body, make_client, page_body, sent
from tooken_ci.base.errors import ForbiddenError, NotFoundError, RateLimitedError, UnauthorizedError, UnreachableError
from tooken_ci.base.secret import Secret

if TYPE_CHECKING:
    import responses

    from tooken_ci.tooken.client import Client

PROBED = f"{TOKENS}/tok_probe"


@pytest.mark.parametrize(("status", "body"), [(200, page_body([], total=0)), (403, error_body(403))])
def test_a_secret_that_authenticates(api: responses.RequestsMock, status: int, body: dict[str, object]) -> None:
    """One request as the new token is the proof: an answer, or a refusal for want of the scope."""
    api.get(TOKENS, status=status, json=body)
    client = make_client()
    assert client.proves(Secret(SECRET))
    assert client.sent == 1
    (request,) = sent(api)
    assert request.headers["Authorization"] == f"Bearer {SECRET}"
    assert request.params == {"per_page": "1"}


def test_the_key_stays_in_use_after_a_proof(api: responses.RequestsMock) -> None:
    """Only the proof goes out as the new token; the next request carries the key again."""
    api.get(TOKENS, json=page_body([], total=0))
    api.get(TOKENS, json=page_body([], total=0))
    client = make_client()
    client.proves(Secret(SECRET))
    client.active()
    assert sent(api)[1].headers["Authorization"] == f"Bearer {KEY}"


def test_a_secret_that_needs_a_moment(api: responses.RequestsMock) -> None:
    """A 401 is asked again a second later: the API may need a moment to know its new token."""
    for _ in range(3):
        api.get(TOKENS, status=401, json=error_body(401))
    api.get(TOKENS, status=403, json=error_body(403))
    clock = MovedClock()
    assert make_client(clock=clock).proves(Secret(SECRET))
    assert clock.slept == [1.0, 1.0, 1.0]


def test_a_secret_that_never_authenticates(api: responses.RequestsMock) -> None:
    """After 10 s of 401 the secret counts as not proven."""
    for _ in range(11):
        api.get(TOKENS, status=401, json=error_body(401))
    clock = MovedClock()
    assert not make_client(clock=clock).proves(Secret(SECRET))
    assert sum(clock.slept) == 10


def test_a_proof_that_gets_no_answer(api: responses.RequestsMock) -> None:
    """A server fault proves nothing either way, and is an error."""
    for _ in range(5):
        api.get(TOKENS, status=502)
    with pytest.raises(UnreachableError):
        make_client().proves(Secret(SECRET))


def test_a_proxy_proves_nothing(api: responses.RequestsMock) -> None:
    """A 403 that something in between wrote says nothing of the secret: it is an error, not a proof."""
    api.get(TOKENS, status=403, body=HTML)
    with pytest.raises(ForbiddenError):
        make_client().proves(Secret(SECRET))


def probe_write(client: Client) -> None:
    client.probe_write()


def probe_revoke(client: Client) -> None:
    client.probe_revoke()


@pytest.mark.parametrize("status", [400, 422])
def test_the_write_probe_asks_for_nothing(api: responses.RequestsMock, status: int) -> None:
    """The probe for tokens:write sends an empty object; that it is found wanting shows that the scope is there."""
    api.post(TOKENS, status=status, json=error_body(status))
    make_client().probe_write()
    assert json.loads(sent(api)[0].body) == {}


@pytest.mark.parametrize("status", [404, 204])
def test_the_revoke_probe_names_nobody(api: responses.RequestsMock, status: int) -> None:
    """The probe for tokens:revoke is about an id that cannot exist; that it is unknown shows the scope."""
    api.delete(PROBED, status=status)
    make_client().probe_revoke()
    assert len(api.calls) == 1


@pytest.mark.parametrize(
    ("probe", "method", "url", "scope"),
    [(probe_write, "POST", TOKENS, "tokens:write"), (probe_revoke, "DELETE", PROBED, "tokens:revoke")],
)
def test_a_probe_that_finds_the_scope_missing(
    api: responses.RequestsMock, probe: object, method: str, url: str, scope: str
) -> None:
    """A probe that is refused says which scope is missing."""
    assert callable(probe)
    api.add(method, url, status=403, json=error_body(403))
    with pytest.raises(ForbiddenError, match=scope):
        probe(make_client())


@pytest.mark.parametrize(
    ("answers", "kind"),
    [
        ([{"status": 401}], UnauthorizedError),
        ([{"status": 404, "body": HTML}], NotFoundError),
        ([{"status": 500}] * 5, UnreachableError),
        ([{"status": 429, "headers": {"Retry-After": "3000"}}], RateLimitedError),
    ],
    ids=["401", "a proxy", "500", "429"],
)
@pytest.mark.parametrize(("probe", "method", "url"), [(probe_write, "POST", TOKENS), (probe_revoke, "DELETE", PROBED)])
def test_a_probe_that_learns_nothing(
    api: responses.RequestsMock,
    *,
    probe: object,
    method: str,
    url: str,
    answers: list[dict[str, object]],
    kind: type[Exception],
) -> None:
    """An answer that does not tell whether the scope is there never passes for a yes."""
    assert callable(probe)
    for answer in answers:
        api.add(method, url, **answer)  # type: ignore[arg-type]  # each answer is given by its own keywords
    with pytest.raises(kind):
        probe(make_client())


def probe_rotate(client: Client) -> None:
    client.probe_rotate()


@pytest.mark.parametrize(
    ("probe", "method", "url", "status"),
    [
        (probe_write, "POST", TOKENS, 400),
        (probe_revoke, "DELETE", PROBED, 404),
        (probe_rotate, "POST", f"{PROBED}/rotate", 404),
    ],
)
def test_a_probe_is_sent_again(
    api: responses.RequestsMock, *, probe: object, method: str, url: str, status: int
) -> None:
    """A probe does nothing, so after a fault in passing it is sent again, whatever it asks for, and leaves no doubt."""
    assert callable(probe)
    api.add(method, url, status=500)
    api.add(method, url, status=status, json=error_body(status))
    probe(make_client())
    assert len(api.calls) == 2

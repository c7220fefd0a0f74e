from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.tooken.support import DATE, HTML, KEY, SECRET, TOKENS, make_client, page_body, sent, token_body
from tooken_ci import __version__
from tooken_ci.base.errors import NotFoundError
from tooken_ci.tooken.model import Status

if TYPE_CHECKING:
    import responses

EXPIRY = dt.datetime(2027, 2, 1, 8, 0, 7, tzinfo=dt.UTC)


def only_call(api: responses.RequestsMock) -> Any:
    (request,) = sent(api)
    return request


def query(api: responses.RequestsMock) -> dict[str, str]:
    return dict(only_call(api).params)


def test_every_request_carries_the_key(api: responses.RequestsMock) -> None:
    """A request carries the key as a bearer credential, asks for JSON and says who sends it."""
    api.get(TOKENS, json=page_body([], total=0))
    make_client().active()
    headers = only_call(api).headers
    assert headers["Authorization"] == f"Bearer {KEY}"
    assert headers["Accept"] == "application/json"
    assert headers["User-Agent"] == f"tooken-ci/{__version__}"


def test_active(api: responses.RequestsMock) -> None:
    """The active tokens are asked for in the largest pages, by status."""
    api.get(TOKENS, json=page_body([token_body()], total=1))
    (token,) = make_client().active()
    assert query(api) == {"page": "1", "per_page": "100", "status": "active"}
    assert (token.id, token.name, token.status) == ("tok_a1b2c3d4e5f6a7b8c9d0e1f2", "ci-deploy", Status.ACTIVE)
    assert token.scopes == {"tokens:read"}
    assert token.created_at == dt.datetime(2026, 11, 1, 8, tzinfo=dt.UTC)
    assert token.expires_at == dt.datetime(2027, 2, 1, 8, tzinfo=dt.UTC)
    assert token.last_used_at is None
    assert token.created_by == "platform@example.com"


def test_active_drops_what_is_not(api: responses.RequestsMock) -> None:
    """A token that is not active is left out, even where the API ignores the filter."""
    stale = token_body(id="tok_2", name="other", status="revoked")
    api.get(TOKENS, json=page_body([token_body(), stale], total=2))
    assert [token.name for token in make_client().active()] == ["ci-deploy"]


def test_find_active(api: responses.RequestsMock) -> None:
    """A look-up by name among the active ones sends the text as it is, quoted for a URL."""
    api.get(TOKENS, json=page_body([token_body()], total=1))
    make_client().find_active("a&b =ü/#")
    assert query(api) == {"page": "1", "per_page": "100", "status": "active", "name": "a&b =ü/#"}


def test_find(api: responses.RequestsMock) -> None:
    """A look-up over all statuses gives expired and revoked ones, too."""
    api.get(TOKENS, json=page_body([token_body(status="revoked")], total=1))
    (token,) = make_client().find("ci-deploy")
    assert query(api) == {"page": "1", "per_page": "100", "name": "ci-deploy"}
    assert token.status is Status.REVOKED


@pytest.mark.parametrize(
    ("token_id", "quoted"),
    [
        ("tok_abc", "tok_abc"),
        ("tkn_1/2", "tkn_1%2F2"),
        ("a b?c#d", "a%20b%3Fc%23d"),
        ("50%", "50%25"),
        ("tök", "t%C3%B6k"),
        ("../audit-logs", "..%2Faudit-logs"),
    ],
)
def test_an_id_is_opaque(api: responses.RequestsMock, token_id: str, quoted: str) -> None:
    """An id is quoted for the URL whatever characters it has, so it can never name another resource."""
    api.get(f"{TOKENS}/{quoted}", json=token_body(id=token_id, status="expired"))
    token = make_client().get(token_id)
    assert only_call(api).url == f"{TOKENS}/{quoted}"
    assert token is not None
    assert token.id == token_id


@pytest.mark.parametrize("token_id", [".", ".."])
def test_an_id_of_dots_names_nothing(api: responses.RequestsMock, token_id: str) -> None:
    """An id that a URL would resolve to another resource is no id that a workspace can know: nothing is sent."""
    assert make_client().get(token_id) is None
    assert len(api.calls) == 0


def test_get_of_an_unknown_id(api: responses.RequestsMock) -> None:
    """An id that the workspace does not know gives None."""
    api.get(f"{TOKENS}/tok_x", status=404, json={"error": "not_found"})
    assert make_client().get("tok_x") is None


def test_create(api: responses.RequestsMock) -> None:
    """A creation sends name, sorted scopes and expiry as JSON, and gives the token with its secret."""
    answer = token_body(expires_at="2027-02-01T08:00:07Z", token=SECRET)
    api.post(TOKENS, status=201, json=answer)
    wanted = {"tokens:rotate", "tokens:read"}
    minted = make_client().create(name="ci-deploy", scopes_wanted=wanted, expires_at=EXPIRY)
    request = only_call(api)
    assert json.loads(request.body) == {
        "name": "ci-deploy",
        "scopes": ["tokens:read", "tokens:rotate"],
        "expires_at": "2027-02-01T08:00:07Z",
    }
    assert request.headers["Content-Type"] == "application/json"
    assert minted.secret.reveal() == SECRET
    assert minted.token.expires_at == EXPIRY


def test_create_without_an_end(api: responses.RequestsMock) -> None:
    """A token that never expires is asked for without the field, which is how the API documents it."""
    api.post(TOKENS, status=201, json=token_body(expires_at=None, token=SECRET))
    minted = make_client().create(name="ci-deploy", scopes_wanted=["tokens:read"], expires_at=None)
    assert json.loads(only_call(api).body) == {"name": "ci-deploy", "scopes": ["tokens:read"]}
    assert minted.token.expires_at is None


def test_rotate(api: responses.RequestsMock) -> None:
    """A rotation is a POST without a body to the token's own path, and gives the new secret."""
    api.post(f"{TOKENS}/tok%2F1/rotate", json=token_body(id="tok/1", token=SECRET))
    minted = make_client().rotate("tok/1")
    assert only_call(api).body is None
    assert minted.token.id == "tok/1"
    assert minted.secret.reveal() == SECRET


@pytest.mark.parametrize("status", [204, 404])
def test_revoke(api: responses.RequestsMock, status: int) -> None:
    """A revocation is done when the API says so, and also when the token was gone already."""
    api.delete(f"{TOKENS}/tok%2F1", status=status)
    make_client().revoke("tok/1")
    assert only_call(api).body is None


def test_a_proxy_revokes_nothing(api: responses.RequestsMock) -> None:
    """A 404 that something in between wrote does not count as a token that is gone."""
    api.delete(f"{TOKENS}/tok_1", status=404, body=HTML)
    with pytest.raises(NotFoundError):
        make_client().revoke("tok_1")


def test_requests_are_counted(api: responses.RequestsMock) -> None:
    """Every request counts, and so does one that was repeated."""
    api.get(TOKENS, json=page_body([], total=0))
    api.get(TOKENS, status=503)
    api.get(TOKENS, json=page_body([], total=0))
    client = make_client()
    client.active()
    assert client.sent == 1
    client.active()
    assert client.sent == 3


def test_the_clock_is_the_servers(api: responses.RequestsMock) -> None:
    """The time is read off the answers, not off this machine."""
    api.get(TOKENS, json=page_body([], total=0), headers={"Date": DATE})
    client = make_client()
    client.active()
    assert client.now() == dt.datetime(2026, 11, 23, 19, 20, 15, tzinfo=dt.UTC)

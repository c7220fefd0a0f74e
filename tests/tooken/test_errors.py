from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.tooken.support import HTML, SECRET, TOKENS, error_body, make_client, page_body, token_body
from tooken_ci.base.errors import (
    ApiError,
    ConflictError,
    ForbiddenError,
    NotFoundError,
    NotTheApiError,
    RejectedError,
    UnauthorizedError,
    UnreachableError,
)

if TYPE_CHECKING:
    import responses

KINDS: list[tuple[int, type[ApiError], str]] = [
    (400, RejectedError, "does not take the values"),
    (401, UnauthorizedError, "does not accept the key"),
    (403, ForbiddenError, "lacks the scope tokens:write"),
    (404, NotFoundError, "not found"),
    (409, ConflictError, "conflict"),
    (422, RejectedError, "does not take the values"),
    (402, ApiError, "answered 402"),
    (405, ApiError, "answered 405"),
    (418, ApiError, "answered 418"),
]


def refusal(kind: type[ApiError] = ApiError) -> ApiError:
    """The error that a creation ends with."""
    with pytest.raises(kind) as caught:
        make_client().create(name="ci", scopes_wanted=["tokens:read"], expires_at=None)
    assert type(caught.value) is kind
    return caught.value


@pytest.mark.parametrize(("status", "kind", "words"), KINDS)
def test_each_status_has_its_type(api: responses.RequestsMock, status: int, kind: type[ApiError], words: str) -> None:
    """Each client error is a type of its own, says which request it was about, and is never repeated."""
    api.post(TOKENS, status=status, json=error_body(status))
    error = refusal(kind)
    assert error.status == status
    assert error.api_code == "some_code"
    assert error.message.startswith("POST /v1/tokens: ")
    assert words in error.message
    assert "the API's words" in error.message
    assert len(api.calls) == 1


@pytest.mark.parametrize(("status", "kind", "words"), KINDS)
def test_a_proxys_page_instead_of_an_error_body(
    api: responses.RequestsMock, status: int, kind: type[ApiError], words: str
) -> None:
    """A client error with an HTML body is told by its status, without the page."""
    api.post(TOKENS, status=status, body=HTML, content_type="text/html")
    error = refusal(kind)
    assert error.status == status
    assert words in error.message
    assert "<" not in str(error)


@pytest.mark.parametrize("body", ['{"error": "conflict", "message": "taken"}', '{"error": 5}', "[]", '"x"', "null", ""])
def test_error_bodies_of_other_shapes(api: responses.RequestsMock, body: str) -> None:
    """An error body without status or message, or one that is no object, is tolerated."""
    api.post(TOKENS, status=409, body=body, content_type="application/json")
    assert refusal(ConflictError).status == 409


def test_an_error_of_bottomless_nesting(api: responses.RequestsMock) -> None:
    """A body that nests deeper than it can be read is an error like any other that is not JSON."""
    api.post(TOKENS, status=409, body="[" * 200_000)
    assert refusal(ConflictError).status == 409


def test_a_message_cannot_speak_to_the_runner(api: responses.RequestsMock) -> None:
    """What the API says reaches an error as one line, cut to a bearable length."""
    api.post(TOKENS, status=409, json=error_body(409, code="a\nb", message="no\n::error::pwned\x1b[31m" + "x" * 5000))
    error = refusal(ConflictError)
    assert "\n" not in str(error)
    assert "\x1b" not in str(error)
    assert "\n" not in error.api_code
    assert len(str(error)) < 500


def test_a_refusal_names_the_scope(api: responses.RequestsMock) -> None:
    """A 403 says which scope the call needs."""
    api.delete(f"{TOKENS}/tok_1", status=403, json=error_body(403))
    with pytest.raises(ForbiddenError, match="tokens:revoke"):
        make_client().revoke("tok_1")


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308])
@pytest.mark.parametrize("location", [{"Location": "https://elsewhere.test/v1/tokens"}, {}])
def test_a_redirect_is_refused(api: responses.RequestsMock, status: int, location: dict[str, str]) -> None:
    """A redirect, whether or not it says where to, is an error at once: nothing is sent on or sent again."""
    api.get(TOKENS, status=status, headers=location)
    with pytest.raises(NotTheApiError, match=f"redirect \\({status}\\)") as caught:
        make_client().active()
    assert caught.value.status == status
    assert len(api.calls) == 1


@pytest.mark.parametrize(
    ("body", "content_type"),
    [(HTML, "text/html"), ("", "application/json"), ('{"data": [', "application/json"), ("[" * 200_000, "x/y")],
    ids=["html", "empty", "cut", "bottomless"],
)
def test_a_success_that_is_not_json(api: responses.RequestsMock, body: str, content_type: str) -> None:
    """A success whose body is not JSON is repeated, and in the end told without the body."""
    for _ in range(5):
        api.get(TOKENS, body=body, content_type=content_type)
    with pytest.raises(NotTheApiError, match="is not JSON") as caught:
        make_client().active()
    assert content_type in caught.value.message
    assert "log in" not in str(caught.value)


@pytest.mark.parametrize(
    "body",
    [
        [],
        {},
        {"data": []},
        {"data": [], "meta": {}},
        {"data": None, "meta": {"per_page": 100, "total": 0}},
        {"data": [], "meta": {"per_page": "many", "total": 0}},
        {"data": [], "meta": {"per_page": 0, "total": 0}},
        {"data": [], "meta": {"per_page": 100, "total": -1}},
        {"data": {"id": 1}, "meta": {"per_page": 100, "total": 1}},
        {"data": [None], "meta": {"per_page": 100, "total": 1}},
        "text",
    ],
)
def test_a_list_of_another_shape(api: responses.RequestsMock, body: object) -> None:
    """JSON that is no list of the API's is refused, not taken for an empty workspace."""
    api.get(TOKENS, json=body)
    with pytest.raises(NotTheApiError):
        make_client().active()


def test_a_list_with_endless_numbers(api: responses.RequestsMock) -> None:
    """A total that is no finite number is refused like any other nonsense."""
    api.get(TOKENS, body='{"data": [], "meta": {"per_page": 100, "total": Infinity}}')
    with pytest.raises(NotTheApiError):
        make_client().active()


def test_a_server_fault_that_stays(api: responses.RequestsMock) -> None:
    """A server fault that does not pass tells request, status and the API's words."""
    for _ in range(5):
        api.get(TOKENS, status=500, json=error_body(500, message="out of order"))
    with pytest.raises(UnreachableError, match=r"GET /tokens: the API failed with 500 \(out of order\)\.") as caught:
        make_client().active()
    assert caught.value.status == 500


def test_a_created_body_never_shows(api: responses.RequestsMock) -> None:
    """A creation's answer that cannot be used ends in an error that shows nothing of it."""
    broken = token_body(token=SECRET)
    del broken["created_at"]
    for _ in range(2):
        api.post(TOKENS, status=201, json=broken)
    error = refusal(NotTheApiError)
    assert SECRET not in str(error)
    assert SECRET not in repr(error)
    assert "ci-deploy" not in str(error)


def test_an_empty_page_is_an_empty_workspace(api: responses.RequestsMock) -> None:
    """A workspace without tokens is no error."""
    api.get(TOKENS, json=page_body([], total=0))
    assert make_client().active() == ()

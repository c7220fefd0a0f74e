from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.tooken.support import TOKENS, make_client, numbered, page_body, sent
from tooken_ci.base.errors import WorkspaceError
from tooken_ci.tooken.listing import pages

if TYPE_CHECKING:
    import responses


def answer(api: responses.RequestsMock, *bodies: dict[str, Any]) -> None:
    for body in bodies:
        api.get(TOKENS, json=body)


def asked(api: responses.RequestsMock) -> list[tuple[str, str]]:
    """Which pages were asked for, and of which size."""
    return [(request.params["page"], request.params["per_page"]) for request in sent(api)]


@pytest.mark.parametrize(("tokens", "requests"), [(0, 1), (1, 1), (99, 1), (100, 1), (101, 2), (200, 2), (201, 3)])
def test_a_listing_takes_exactly_the_pages_it_needs(api: responses.RequestsMock, tokens: int, requests: int) -> None:
    """So many tokens take so many requests, and not one more to see that there are no more."""
    for page in range(1, requests + 1):
        part = numbered(100 * page - 99, min(100 * page, tokens))
        answer(api, page_body(part, page=page, total=tokens))
    client = make_client()
    found = client.active()
    assert [token.name for token in found] == [f"token {number}" for number in range(1, tokens + 1)]
    assert asked(api) == [(str(page), "100") for page in range(1, requests + 1)]
    assert pages(tokens) == requests


def test_the_page_size_is_the_one_that_meta_gives(api: responses.RequestsMock) -> None:
    """A server that gives smaller pages than asked for is read to the end by its own size."""
    for page in range(1, 4):
        answer(api, page_body(numbered(25 * page - 24, min(25 * page, 60)), page=page, per_page=25, total=60))
    assert len(make_client().active()) == 60
    assert len(api.calls) == 3


def test_filters_stand_on_every_page(api: responses.RequestsMock) -> None:
    """Each page is asked for with the same filters."""
    answer(api, page_body(numbered(1, 100), total=101), page_body(numbered(101, 101), page=2, total=101))
    make_client().find_active("token")
    for request in sent(api):
        assert (request.params["status"], request.params["name"]) == ("active", "token")


def torn_by_totals() -> list[dict[str, Any]]:
    return [page_body(numbered(1, 100), total=101), page_body(numbered(101, 101), page=2, total=102)]


def torn_by_duplicates() -> list[dict[str, Any]]:
    return [page_body(numbered(1, 100), total=101), page_body(numbered(100, 100), page=2, total=101)]


def torn_by_a_gap() -> list[dict[str, Any]]:
    return [page_body(numbered(1, 100), total=102), page_body(numbered(102, 102), page=2, total=102)]


def torn_by_a_short_page() -> list[dict[str, Any]]:
    return [page_body(numbered(1, 3), total=4)]


def torn_by_a_long_page() -> list[dict[str, Any]]:
    return [page_body(numbered(1, 3), total=2)]


TORN = [torn_by_totals, torn_by_duplicates, torn_by_a_gap, torn_by_a_short_page, torn_by_a_long_page]


@pytest.mark.parametrize("torn", TORN)
def test_torn_pages_are_read_again(api: responses.RequestsMock, torn: Any) -> None:
    """Pages that do not fit together are read anew from the first one, and the whole list is what comes back."""
    answer(api, *torn(), page_body(numbered(1, 2), total=2))
    assert [token.name for token in make_client().active()] == ["token 1", "token 2"]


@pytest.mark.parametrize("torn", TORN)
def test_a_listing_that_stays_torn_is_refused(api: responses.RequestsMock, torn: Any) -> None:
    """A list that keeps changing is an error after three times; a part of it is never given."""
    answer(api, *(torn() * 3))
    with pytest.raises(WorkspaceError, match="3 times in a row") as caught:
        make_client().active()
    assert "run again" in caught.value.hint

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
from responses import matchers

from tests.tooken.support import API, error_body, make_client
from tooken_ci.base.errors import UnreachableError

if TYPE_CHECKING:
    import responses

LOG = f"{API}/audit-logs"
NEWEST = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)
LONG_AGO = NEWEST - dt.timedelta(days=900)


def rotated(token_id: str, hours_ago: float, event: str = "token.rotated") -> dict[str, Any]:
    at = NEWEST - dt.timedelta(hours=hours_ago)
    return {
        "id": 7,
        "event": event,
        "token_id": token_id,
        "token_name": "ci",
        "actor": "me@example.com",
        "created_at": at.isoformat(),
    }


def page(api: responses.RequestsMock, number: int, *entries: dict[str, Any], per_page: int | None = None) -> None:
    asked = matchers.query_param_matcher({"page": number, "per_page": 100, "event": "token.rotated"})
    meta = {} if per_page is None else {"meta": {"per_page": per_page}}
    api.get(LOG, json={"data": list(entries), **meta}, match=[asked])


def test_the_newest_rotation_of_each_token_counts(api: responses.RequestsMock) -> None:
    """Of each token the newest rotation counts, in whatever order they come; other events do not."""
    created = rotated("tok_2", 0, "token.created")
    page(api, 1, rotated("tok_1", 5), rotated("tok_1", 3), rotated("tok_1", 4), rotated("tok_2", 9), created)
    found = make_client().rotations(since=LONG_AGO)
    assert found == {
        "tok_1": NEWEST - dt.timedelta(hours=3),
        "tok_2": NEWEST - dt.timedelta(hours=9),
    }


def test_an_instant_with_an_offset(api: responses.RequestsMock) -> None:
    """Times are understood whatever their offset."""
    page(api, 1, rotated("tok_1", 0) | {"created_at": "2026-11-20T14:00:00+02:00"})
    assert make_client().rotations(since=LONG_AGO) == {"tok_1": NEWEST}


def test_it_is_read_as_far_back_as_is_needed(api: responses.RequestsMock) -> None:
    """Full pages are followed by the next one, until one reaches back far enough; nothing older is asked for."""
    page(api, 1, rotated("tok_1", 1), rotated("tok_2", 2), per_page=2)
    page(api, 2, rotated("tok_3", 3), rotated("tok_4", 4), per_page=2)
    found = make_client().rotations(since=NEWEST - dt.timedelta(hours=3.5))
    assert sorted(found or {}) == ["tok_1", "tok_2", "tok_3", "tok_4"]


def test_the_last_page_ends_it(api: responses.RequestsMock) -> None:
    """A page that is not full is the last, and so is an empty one."""
    page(api, 1, rotated("tok_1", 1), per_page=1)
    page(api, 2, per_page=1)
    assert list(make_client().rotations(since=LONG_AGO) or {}) == ["tok_1"]


@pytest.mark.parametrize("status", [400, 403, 404, 422])
def test_a_closed_log_is_no_failure(api: responses.RequestsMock, status: int) -> None:
    """A log that is closed to the key, or not there, or asked in another way, tells nothing."""
    api.get(LOG, status=status, json=error_body(status))
    assert make_client().rotations(since=LONG_AGO) is None


@pytest.mark.parametrize("body", [{}, {"data": 3}, {"data": [{"id": 1}]}, []])
def test_a_log_of_another_shape(api: responses.RequestsMock, body: object) -> None:
    """A log of another shape than assumed tells nothing, and breaks nothing."""
    api.get(LOG, json=body)
    assert make_client().rotations(since=LONG_AGO) is None


def test_a_log_that_is_out_of_order(api: responses.RequestsMock) -> None:
    """A server that fails is not a closed log: nobody knows then what it would have told."""
    for _ in range(5):
        api.get(LOG, status=500, json=error_body(500))
    with pytest.raises(UnreachableError):
        make_client().rotations(since=LONG_AGO)

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from tests.tooken.support import SECRET, token_body
from tooken_ci.base.errors import NotTheApiError
from tooken_ci.base.redact import redactor
from tooken_ci.tooken.model import Status, read_audit, read_minted, read_token

FIELDS = ["id", "name", "scopes", "status", "created_at"]


@pytest.mark.parametrize("token_id", ["tkn_9x", "x", "ID with spaces/and?more", "§"])
def test_ids_are_opaque(token_id: str) -> None:
    """Whatever text an id is, it is kept as it is."""
    assert read_token(token_body(id=token_id)).id == token_id


def test_optional_fields_may_be_left_out() -> None:
    """A token without expiry, use or maker is complete."""
    body = token_body()
    for field in ("expires_at", "last_used_at", "created_by"):
        del body[field]
    token = read_token(body)
    assert (token.expires_at, token.last_used_at, token.created_by) == (None, None, "")


def test_unknown_fields_are_passed_over() -> None:
    """A field that a later version of the API adds breaks nothing."""
    assert read_token(token_body(colour="blue")).name == "ci-deploy"


@pytest.mark.parametrize("field", FIELDS)
def test_a_missing_field_is_named(field: str) -> None:
    """A token object without a field is refused; the message names the field and shows nothing of the rest."""
    body = token_body(token=SECRET)
    del body[field]
    with pytest.raises(NotTheApiError, match=field) as caught:
        read_token(body)
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    "change",
    [
        {"id": 7},
        {"id": ""},
        {"id": None},
        {"id": "."},
        {"id": ".."},
        {"id": "tok_\ud800"},
        {"name": None},
        {"name": ["ci"]},
        {"scopes": None},
        {"scopes": "tokens:read"},
        {"scopes": {"tokens:read": True}},
        {"scopes": [1]},
        {"status": "asleep"},
        {"status": None},
        {"created_at": None},
        {"created_at": "yesterday"},
        {"created_at": 1795461615},
        {"expires_at": "never"},
        {"expires_at": ""},
        {"expires_at": "9999-12-31T23:59:59-10:00"},
        {"last_used_at": False},
    ],
)
def test_a_field_of_another_kind(change: dict[str, Any]) -> None:
    """A field that is not what the API documents is refused, and its value not shown."""
    with pytest.raises(NotTheApiError) as caught:
        read_token(token_body(**change))
    assert "yesterday" not in str(caught.value)
    assert "asleep" not in str(caught.value)


@pytest.mark.parametrize("data", [None, [], "text", 5, [token_body()]])
def test_what_is_no_object(data: object) -> None:
    """What is no JSON object is refused as a token, as a mint and as an audit entry."""
    for read in (read_token, read_minted, read_audit):
        with pytest.raises(NotTheApiError):
            read(data)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-11-01T08:00:00Z", dt.datetime(2026, 11, 1, 8, tzinfo=dt.UTC)),
        ("2026-11-01T08:00:00.125Z", dt.datetime(2026, 11, 1, 8, 0, 0, 125_000, tzinfo=dt.UTC)),
        ("2026-11-01T09:30:00+01:30", dt.datetime(2026, 11, 1, 8, tzinfo=dt.UTC)),
        ("2026-11-01T08:00:00", dt.datetime(2026, 11, 1, 8, tzinfo=dt.UTC)),
    ],
)
def test_instants_are_utc(text: str, instant: dt.datetime) -> None:
    """Every instant is kept as aware UTC, also where the API leaves the zone out."""
    token = read_token(token_body(created_at=text))
    assert token.created_at == instant
    assert token.created_at.utcoffset() == dt.timedelta(0)


@pytest.mark.parametrize("status", ["active", "expired", "revoked"])
def test_statuses(status: str) -> None:
    """The three documented statuses are known."""
    assert read_token(token_body(status=status)).status == Status(status)


def test_a_secret_is_masked_before_anything_can_go_wrong() -> None:
    """The redactor knows a new secret even where the rest of the answer turns out to be broken."""
    with pytest.raises(NotTheApiError):
        read_minted({"token": SECRET})
    assert redactor.clean(f"it is {SECRET}.") == "it is ***."


@pytest.mark.parametrize(
    "secret", [None, 5, "", "short", ["tok_0123456789"], f"{SECRET}\n", f" {SECRET}", f"{SECRET}é", f"\ud800{SECRET}"]
)
def test_what_can_be_no_secret(secret: object) -> None:
    """An answer whose secret is missing, too short or unfit for a header is refused without being shown."""
    with pytest.raises(NotTheApiError) as caught:
        read_minted(token_body(token=secret))
    assert SECRET not in str(caught.value)


def test_a_minted_token_shows_no_secret() -> None:
    """The result of a creation cannot print its secret."""
    minted = read_minted(token_body(token=SECRET))
    assert SECRET not in repr(minted)
    assert minted.secret.reveal() == SECRET


def test_an_audit_entry_without_names() -> None:
    """An audit entry needs neither a token name nor an actor."""
    entry = {"id": "1", "event": "token.used", "token_id": "tok_1", "created_at": "2026-11-01T08:00:00Z"}
    found = read_audit(entry)
    assert (found.token_name, found.actor) == ("", "")
    assert found.created_at == dt.datetime(2026, 11, 1, 8, tzinfo=dt.UTC)

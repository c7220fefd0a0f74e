"""A token of the API as the rest of the program sees it, and how it is read from JSON."""

from __future__ import annotations

import dataclasses
import enum
import functools
import sys
from typing import TYPE_CHECKING, Any

from tooken_ci.base import times
from tooken_ci.base.errors import NotTheApiError
from tooken_ci.base.secret import Secret, SecretTooShortError
from tooken_ci.base.text import quoted

if TYPE_CHECKING:
    import datetime as dt


PATH_DOTS = frozenset({".", ".."})
"""What no id can be: in a URL they name another resource, however they are quoted."""


class Status(enum.StrEnum):
    """Whether a token authenticates; only an active one does."""

    ACTIVE = "active"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Token:
    """A live object of the API, without its secret.

    Attributes:
        id: opaque.
        name: free text, unique in the workspace.
        scopes: what it may do.
        status: whether it authenticates.
        created_at: UTC.
        expires_at: UTC; None = never.
        last_used_at: UTC; None = never used.
        created_by: an e-mail address or a user id; may be empty.
    """

    id: str
    name: str
    scopes: frozenset[str]
    status: Status
    created_at: dt.datetime
    expires_at: dt.datetime | None
    last_used_at: dt.datetime | None
    created_by: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Minted:
    """What ``POST /tokens`` or a rotate gave: the token, and its secret, shown this once only."""

    token: Token
    secret: Secret


@dataclasses.dataclass(frozen=True, kw_only=True)
class AuditEntry:
    """Who did what to which token, and when."""

    id: str
    event: str
    token_id: str
    token_name: str
    actor: str
    created_at: dt.datetime


def read_token(data: Any) -> Token:
    """A token out of a decoded answer.

    Raises:
        NotTheApiError: the answer is no token object; the message never shows it, it may hold a secret.
    """
    try:
        return Token(
            id=_id(data["id"]),
            name=_text(data["name"]),
            scopes=_scopes(data["scopes"]),
            status=Status(data["status"]),
            created_at=times.parse(data["created_at"]),
            expires_at=_instant(data.get("expires_at")),
            last_used_at=_instant(data.get("last_used_at")),
            created_by=sys.intern(str(data.get("created_by") or "")),
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        what = quoted(str(error)) if isinstance(error, KeyError) else type(error).__name__
        raise NotTheApiError(
            f"A token object of the answer cannot be read ({what}).",
            hint="Check that the API address is that of the Tooken API v1.",
        ) from None


def read_minted(data: Any) -> Minted:
    """A token with its secret out of the answer of a create or a rotate.

    Raises:
        NotTheApiError: the answer is no token object with a secret; the message never shows it.
    """
    secret = data.get("token") if isinstance(data, dict) else None
    if not isinstance(secret, str):
        raise NotTheApiError("The answer holds no secret where one must stand.")
    if not (secret.isascii() and secret.isprintable()) or " " in secret:
        raise NotTheApiError("The answer's secret has characters that no request could carry.")
    try:
        known = Secret(secret)  # the redactor learns of it before anything else can go wrong
    except SecretTooShortError:
        raise NotTheApiError("The answer's secret is too short to be one.") from None
    return Minted(token=read_token(data), secret=known)


def read_audit(data: Any) -> AuditEntry:
    """An entry of the audit log out of a decoded answer.

    Raises:
        NotTheApiError: it has another shape.
    """
    try:
        return AuditEntry(
            id=str(data["id"]),
            event=_text(data["event"]),
            token_id=str(data["token_id"]),
            token_name=str(data.get("token_name") or ""),
            actor=str(data.get("actor") or ""),
            created_at=times.parse(data["created_at"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        raise NotTheApiError("An entry of the audit log cannot be read.") from None


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError("text")
    return value


def _id(value: Any) -> str:
    text = _text(value)
    if text in PATH_DOTS:
        raise ValueError("an id")
    text.encode()  # half a surrogate pair can stand in JSON, but not in a URL
    return text


def _scopes(value: Any) -> frozenset[str]:
    if not isinstance(value, list):
        raise TypeError("a list")
    return _shared(frozenset(map(_text, value)))


@functools.lru_cache(maxsize=1024)
def _shared(scopes: frozenset[str]) -> frozenset[str]:
    """The first set that equals this one: a hundred thousand tokens have a handful of sets between them."""
    return scopes


def _instant(value: Any) -> dt.datetime | None:
    return None if value is None else times.parse(value)

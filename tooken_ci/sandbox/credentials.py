"""Credentials: how ids and secrets look, and what a request may do with one."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import Literal, get_args

Scope = Literal[
    "tokens:read",
    "tokens:write",
    "tokens:revoke",
    "tokens:rotate",
    "audit:read",
    "webhooks:read",
    "webhooks:write",
]
SCOPES: tuple[Scope, ...] = get_args(Scope)

OWNER = "owner@sandbox.example"
"""Who the API key belongs to."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Credential:
    """What authenticated a request.

    Attributes:
        actor: who acts, as ``created_by`` and the audit log say it.
        scopes: what it may do.
        token_id: the token's id; None for the API key.
        token_name: the token's name; None for the API key.
    """

    actor: str
    scopes: frozenset[str]
    token_id: str | None = None
    token_name: str | None = None

    @property
    def label(self) -> str:
        """What the request log calls it."""
        return self.token_id or "api-key"


API_KEY_CREDENTIAL = Credential(actor=OWNER, scopes=frozenset(SCOPES))


def new_token_id() -> str:
    """Returns a new id: ``tok_`` and 24 characters."""
    return f"tok_{secrets.token_hex(12)}"


def new_secret() -> str:
    """Returns a new secret: ``tok_`` and 40 random characters."""
    return f"tok_{secrets.token_urlsafe(30)}"


def hash_secret(secret: str) -> bytes:
    """Returns the only form in which a secret is stored."""
    return hashlib.sha256(secret.encode()).digest()


def bearer_secret(authorization: str | None) -> str | None:
    """Returns the secret of an ``Authorization`` header, if it has one."""
    scheme, _, secret = (authorization or "").partition(" ")
    return secret.strip() if scheme.lower() == "bearer" and secret.strip() else None

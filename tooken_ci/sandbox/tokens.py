"""The workspace's tokens: made, listed, revoked, rotated, and expired by the clock."""

from __future__ import annotations

import hmac
import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Literal

from tooken_ci.sandbox.audit import SYSTEM, AuditLog
from tooken_ci.sandbox.credentials import API_KEY_CREDENTIAL, Credential, hash_secret, new_secret, new_token_id
from tooken_ci.sandbox.errors import ApiError

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from tooken_ci.sandbox.clock import Clock
    from tooken_ci.sandbox.settings import RevokedNames

Status = Literal["active", "expired", "revoked"]

KEPT_LISTINGS = 16


@dataclass(frozen=True, kw_only=True, slots=True)
class Token:
    """A token without its secret; times are in Unix seconds."""

    id: str
    name: str
    scopes: list[str]
    status: Status
    created_at: int
    expires_at: int | None
    last_used_at: int | None
    created_by: str


# instr and not LIKE: no character of a name is a wildcard, folding holds beyond ASCII, and "" is in every name.
_ALL = "SELECT seq FROM tokens WHERE instr(folded_name, :name) > 0 ORDER BY seq DESC"
_BY_STATUS = "SELECT seq FROM tokens WHERE status = :status AND instr(folded_name, :name) > 0 ORDER BY seq DESC"
_ONE_PAGE = "SELECT * FROM tokens WHERE seq IN (SELECT value FROM json_each(?)) ORDER BY seq DESC"
_INSERT = """
    INSERT INTO tokens (id, name, folded_name, scopes, status, created_at, expires_at, last_used_at, created_by,
                        secret_hash)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""


def _token(row: sqlite3.Row) -> Token:
    return Token(
        id=row["id"],
        name=row["name"],
        scopes=json.loads(row["scopes"]),
        status=row["status"],
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        last_used_at=row["last_used_at"],
        created_by=row["created_by"],
    )


class TokenStore:
    """All tokens of the one workspace.

    Every method first lets expire what is due, so that no caller ever sees a token that has outlived its date.
    """

    def __init__(
        self,
        *,
        connection: sqlite3.Connection,
        audit: AuditLog,
        clock: Clock,
        api_key: str,
        revoked_names: RevokedNames,
    ) -> None:
        self._connection = connection
        self._audit = audit
        self._clock = clock
        self._api_key_hash = hash_secret(api_key)
        self._revoked_names = revoked_names
        self._listings: dict[tuple[Status | None, str], list[int]] = {}

    def identify(self, secret: str | None) -> Credential | None:
        """Returns the credential that a secret stands for, if it is a living one; changes nothing else."""
        self._expire_due()
        if secret is None:
            return None
        digest = hash_secret(secret)
        if hmac.compare_digest(digest, self._api_key_hash):
            return API_KEY_CREDENTIAL
        row = self._connection.execute(
            "SELECT id, name, scopes FROM tokens WHERE secret_hash = ? AND status = 'active'", (digest,)
        ).fetchone()
        if row is None:
            return None
        scopes = frozenset(json.loads(row["scopes"]))
        return Credential(actor=row["id"], scopes=scopes, token_id=row["id"], token_name=row["name"])

    def mark_used(self, credential: Credential) -> None:
        """Notes that a token was used just now; API keys leave no trace."""
        if credential.token_id is None or credential.token_name is None:
            return
        now = self._now()
        with self._connection:
            self._connection.execute("UPDATE tokens SET last_used_at = ? WHERE id = ?", (now, credential.token_id))
            self._audit.record(
                "token.used",
                token_id=credential.token_id,
                token_name=credential.token_name,
                actor=credential.actor,
                at=now,
            )

    def create(self, *, name: str, scopes: Sequence[str], expires_at: int | None, by: Credential) -> tuple[Token, str]:
        """Makes a token and returns it with its secret.

        Raises:
            ApiError: the name is taken (409).
        """
        self._expire_due()
        self._refuse_taken(name)
        token = Token(
            id=new_token_id(),
            name=name,
            scopes=list(dict.fromkeys(scopes)),
            status="active",
            created_at=self._now(),
            expires_at=expires_at,
            last_used_at=None,
            created_by=by.actor,
        )
        secret = new_secret()
        with self._connection:
            insert_tokens(self._connection, [(token, hash_secret(secret))])
            self._audit.record("token.created", token_id=token.id, token_name=name, actor=by.actor, at=token.created_at)
        self._listings.clear()
        return token, secret

    def page(self, *, page: int, per_page: int, status: Status | None, name: str) -> tuple[list[Token], int]:
        """Returns one page, newest first, and how many tokens there are on all pages."""
        self._expire_due()
        listing = self._listing(status, name.casefold())
        start = (page - 1) * per_page
        rows = self._connection.execute(_ONE_PAGE, (json.dumps(listing[start : start + per_page]),))
        return [_token(row) for row in rows], len(listing)

    def get(self, token_id: str) -> Token:
        """Returns a token of any status.

        Raises:
            ApiError: there is none with this id (404).
        """
        self._expire_due()
        row = self._connection.execute("SELECT * FROM tokens WHERE id = ?", (token_id,)).fetchone()
        if row is None:
            raise ApiError(HTTPStatus.NOT_FOUND, "No token of this workspace has this id.")
        return _token(row)

    def revoke(self, token_id: str, *, by: Credential) -> None:
        """Ends a token for ever; one that is revoked already stays as it is.

        Raises:
            ApiError: there is none with this id (404).
        """
        token = self.get(token_id)
        if token.status == "revoked":
            return
        with self._connection:
            self._connection.execute("UPDATE tokens SET status = 'revoked' WHERE id = ?", (token_id,))
            self._audit.record(
                "token.revoked", token_id=token_id, token_name=token.name, actor=by.actor, at=self._now()
            )
        self._listings.clear()

    def rotate(self, token_id: str, *, by: Credential) -> tuple[Token, str]:
        """Gives a token a new secret; the old one is dead at once.

        Raises:
            ApiError: there is none with this id (404), or it is not active (409).
        """
        token = self.get(token_id)
        if token.status != "active":
            raise ApiError(HTTPStatus.CONFLICT, f"The token is {token.status} and can't be rotated.")
        secret = new_secret()
        with self._connection:
            self._connection.execute("UPDATE tokens SET secret_hash = ? WHERE id = ?", (hash_secret(secret), token_id))
            self._audit.record(
                "token.rotated", token_id=token_id, token_name=token.name, actor=by.actor, at=self._now()
            )
        return token, secret

    def _refuse_taken(self, name: str) -> None:
        rows = self._connection.execute("SELECT status FROM tokens WHERE name = ?", (name,)).fetchall()
        holders = {row["status"] for row in rows}
        if "active" in holders or (holders and self._revoked_names == "reserved"):
            kind = "active" if "active" in holders else "revoked or expired"
            raise ApiError(HTTPStatus.CONFLICT, f"A token of this name exists already ({kind}).")

    def _listing(self, status: Status | None, folded_name: str) -> list[int]:
        """The order of a listing is kept until a token changes, so that a page costs the same wherever it is."""
        key = (status, folded_name)
        if key not in self._listings:
            if len(self._listings) >= KEPT_LISTINGS:
                self._listings.clear()
            values = {"status": status, "name": folded_name}
            rows = self._connection.execute(_ALL if status is None else _BY_STATUS, values)
            self._listings[key] = [row[0] for row in rows]
        return self._listings[key]

    def _now(self) -> int:
        return int(self._clock.now())

    def _expire_due(self) -> None:
        due = self._connection.execute(
            "SELECT id, name, expires_at FROM tokens INDEXED BY tokens_due"
            " WHERE status = 'active' AND expires_at <= ? ORDER BY expires_at",
            (self._clock.now(),),
        ).fetchall()
        if not due:
            return
        with self._connection:
            for row in due:
                self._connection.execute("UPDATE tokens SET status = 'expired' WHERE id = ?", (row["id"],))
                self._audit.record(
                    "token.expired", token_id=row["id"], token_name=row["name"], actor=SYSTEM, at=row["expires_at"]
                )
        self._listings.clear()


def insert_tokens(connection: sqlite3.Connection, tokens: Sequence[tuple[Token, bytes]]) -> None:
    """Adds tokens with the hashes of their secrets, within the caller's transaction."""
    connection.executemany(
        _INSERT,
        (
            (
                token.id,
                token.name,
                token.name.casefold(),
                json.dumps(token.scopes),
                token.status,
                token.created_at,
                token.expires_at,
                token.last_used_at,
                token.created_by,
                secret_hash,
            )
            for token, secret_hash in tokens
        ),
    )

"""The audit log: who did what to which token, and when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import sqlite3

Event = Literal["token.created", "token.revoked", "token.rotated", "token.expired", "token.used"]

SYSTEM = "system"
"""The actor of what the clock does."""

_COUNT_ALL = "SELECT COUNT(*) FROM audit WHERE (:event IS NULL OR event = :event)"
_COUNT_ONE = "SELECT COUNT(*) FROM audit WHERE token_id = :token_id AND (:event IS NULL OR event = :event)"
_PAGE_OF_ALL = """
    SELECT * FROM audit WHERE (:event IS NULL OR event = :event) ORDER BY seq DESC LIMIT :limit OFFSET :offset
"""
_PAGE_ONE = """
    SELECT * FROM audit WHERE token_id = :token_id AND (:event IS NULL OR event = :event)
    ORDER BY seq DESC LIMIT :limit OFFSET :offset
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditEntry:
    """One entry of the log; ``created_at`` is in Unix seconds."""

    id: str
    event: str
    token_id: str
    token_name: str
    actor: str
    created_at: int


class AuditLog:
    """Writes entries within the caller's transaction, and reads them newest first."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def record(self, event: Event, *, token_id: str, token_name: str, actor: str, at: int) -> None:
        """Adds an entry."""
        self._connection.execute(
            "INSERT INTO audit (event, token_id, token_name, actor, created_at) VALUES (?, ?, ?, ?, ?)",
            (event, token_id, token_name, actor, at),
        )

    def page(
        self, *, page: int, per_page: int, token_id: str | None = None, event: str | None = None
    ) -> tuple[list[AuditEntry], int]:
        """Returns one page, newest first, and how many entries there are on all pages."""
        of_all = token_id is None
        values = {"token_id": token_id, "event": event, "limit": per_page, "offset": (page - 1) * per_page}
        (total,) = self._connection.execute(_COUNT_ALL if of_all else _COUNT_ONE, values).fetchone()
        if page > total:
            return [], total
        rows = self._connection.execute(_PAGE_OF_ALL if of_all else _PAGE_ONE, values).fetchall()
        entries = [
            AuditEntry(
                id=f"evt_{row['seq']:012x}",
                event=row["event"],
                token_id=row["token_id"],
                token_name=row["token_name"],
                actor=row["actor"],
                created_at=row["created_at"],
            )
            for row in rows
        ]
        return entries, total

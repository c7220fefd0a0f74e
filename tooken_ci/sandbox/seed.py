"""Tokens that are there before anybody asks: many that nobody manages, or those a file lists."""

from __future__ import annotations

import itertools
import secrets
from collections import Counter
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING

from tooken_ci.sandbox.audit import SYSTEM
from tooken_ci.sandbox.clock import from_iso
from tooken_ci.sandbox.credentials import OWNER, SCOPES, new_token_id
from tooken_ci.sandbox.faults import read_list
from tooken_ci.sandbox.settings import SandboxConfigError
from tooken_ci.sandbox.tokens import Token, insert_tokens

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

DAY = 86_400
HASH_BYTES = 32

_KINDS = ("Legacy bot", "CI runner", "Grafana board", "nightly-backup", "Données équipe", "Partner API", "deploy_key")
_MAKERS = (OWNER, "platform@sandbox.example", "data@sandbox.example", "usr_4f1d09ac")


def seed(connection: sqlite3.Connection, source: str, *, now: float) -> None:
    """Fills an empty database; one that holds tokens already is left as it is.

    Args:
        connection: the database.
        source: a number of tokens, or the path of a YAML or JSON file.
        now: the time that ages and expiries count from.

    Raises:
        SandboxConfigError: the file can't be used, or two of its active tokens have one name.
    """
    if connection.execute("SELECT 1 FROM tokens LIMIT 1").fetchone():
        return
    unmanaged = source.isascii() and source.isdigit()
    tokens = list(_unmanaged(int(source), int(now)) if unmanaged else _listed(Path(source), int(now)))
    tokens.sort(key=lambda token: token.created_at)
    names = Counter(token.name for token in tokens if token.status == "active")
    if twice := [name for name, count in names.items() if count > 1]:
        raise SandboxConfigError(f"{source}: active tokens need names of their own: {', '.join(twice)}")
    history = sorted(itertools.chain.from_iterable(map(_history, tokens)), key=_entry_time)
    with connection:
        # Nobody knows a secret for a random hash, and nobody is to.
        insert_tokens(connection, [(token, secrets.token_bytes(HASH_BYTES)) for token in tokens])
        connection.executemany(
            "INSERT INTO audit (event, token_id, token_name, actor, created_at) VALUES (?, ?, ?, ?, ?)",
            history,
        )


def _entry_time(entry: tuple[str, str, str, str, int]) -> int:
    return entry[-1]


def _history(token: Token) -> Iterator[tuple[str, str, str, str, int]]:
    yield "token.created", token.id, token.name, token.created_by, token.created_at
    if token.status == "expired" and token.expires_at is not None:
        yield "token.expired", token.id, token.name, SYSTEM, token.expires_at
    elif token.status == "revoked":
        yield "token.revoked", token.id, token.name, OWNER, token.last_used_at or token.created_at


def _unmanaged(count: int, now: int) -> Iterator[Token]:
    """The variety comes from the index alone, so that two runs see the same workspace but for ids."""
    for index in range(1, count + 1):
        made = now - DAY * (1 + index % 400) - index % 3600
        width = 1 + index % 3
        yield Token(
            id=new_token_id(),
            name=f"{_KINDS[index % len(_KINDS)]} {index}",
            scopes=[SCOPES[(index + step) % len(SCOPES)] for step in range(width)],
            status="active",
            created_at=made,
            expires_at=None if index % 3 == 0 else now + DAY * (30 + index % 300) + index % 3600,
            last_used_at=None if index % 5 == 0 else now - 60 * (index % 10_000),
            created_by=_MAKERS[index % len(_MAKERS)],
        )


_KEYS = {
    "name", "scopes", "expires_at", "expires_in_seconds", "status", "created_at", "last_used_at", "created_by",
}  # fmt: skip


def _listed(path: Path, now: int) -> Iterator[Token]:
    items = read_list(path)
    if not isinstance(items, list):
        raise SandboxConfigError(f"{path}: a list of tokens is expected, not {type(items).__name__}")
    for number, item in enumerate(items, start=1):
        try:
            yield _listed_token(item, now)
        except (KeyError, TypeError, ValueError) as error:
            raise SandboxConfigError(f"{path}: token {number}: {error}") from error


def _listed_token(item: object, now: int) -> Token:
    if not isinstance(item, dict):
        raise TypeError(f"a mapping is expected, not {type(item).__name__}")
    if unknown := item.keys() - _KEYS:
        raise ValueError(f"unknown keys: {', '.join(sorted(unknown))}")
    if unknown := set(item["scopes"]) - set(SCOPES):
        raise ValueError(f"unknown scopes: {', '.join(sorted(unknown))}")
    status = item.get("status", "active")
    if status not in ("active", "expired", "revoked"):
        raise ValueError(f"status is {status!r}; it must be active, expired or revoked")
    expires_at = _moment(item.get("expires_at"))
    if "expires_in_seconds" in item:
        expires_at = now + int(item["expires_in_seconds"])
    if status == "expired" and expires_at is None:
        expires_at = now - 1
    created_at = _moment(item.get("created_at"))
    return Token(
        id=new_token_id(),
        name=str(item["name"]),
        scopes=list(item["scopes"]),
        status=status,
        created_at=min(now, expires_at or now) if created_at is None else created_at,
        expires_at=expires_at,
        last_used_at=_moment(item.get("last_used_at")),
        created_by=str(item.get("created_by", OWNER)),
    )


def _moment(value: object) -> int | None:
    """YAML reads dates by itself, JSON gives text."""
    match value:
        case None:
            return None
        case datetime():
            return int((value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp())
        case date():
            return int(datetime.combine(value, time(), UTC).timestamp())
        case str():
            return from_iso(value)
    raise ValueError(f"{value!r} is no date")

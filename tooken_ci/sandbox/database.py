"""The SQLite database: one connection, used by the one thread of the event loop."""

from __future__ import annotations

import sqlite3

from tooken_ci.sandbox.settings import SandboxConfigError

# The index by status also holds what a listing filters and sorts by, so that it never touches the rows.
SCHEMA = """
CREATE TABLE IF NOT EXISTS tokens (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    folded_name TEXT NOT NULL,
    scopes TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('active', 'expired', 'revoked')),
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    last_used_at INTEGER,
    created_by TEXT NOT NULL,
    secret_hash BLOB NOT NULL UNIQUE
);
CREATE INDEX IF NOT EXISTS tokens_by_name ON tokens (name);
CREATE UNIQUE INDEX IF NOT EXISTS active_names ON tokens (name) WHERE status = 'active';
CREATE INDEX IF NOT EXISTS tokens_by_status ON tokens (status, seq, folded_name);
CREATE INDEX IF NOT EXISTS tokens_due ON tokens (expires_at) WHERE status = 'active';

CREATE TABLE IF NOT EXISTS audit (
    seq INTEGER PRIMARY KEY,
    event TEXT NOT NULL,
    token_id TEXT NOT NULL,
    token_name TEXT NOT NULL,
    actor TEXT NOT NULL,
    created_at INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS audit_by_token ON audit (token_id);
"""


def open_database(path: str) -> sqlite3.Connection:
    """Opens the database and makes its tables.

    Raises:
        SandboxConfigError: the file can't be opened or is no database.
    """
    try:
        connection = sqlite3.connect(path)
        connection.row_factory = sqlite3.Row
        # In a file, a crash of the machine may cost the last transactions; a crash of the process costs none.
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.executescript(SCHEMA)
    except sqlite3.Error as error:
        raise SandboxConfigError(f"the database {path} can't be opened: {error}") from error
    return connection

"""The scopes of the Tooken API. No scope implies another (vendor's documentation)."""

from __future__ import annotations

READ = "tokens:read"
WRITE = "tokens:write"
REVOKE = "tokens:revoke"
ROTATE = "tokens:rotate"
AUDIT = "audit:read"

ALL = (READ, WRITE, REVOKE, ROTATE, AUDIT, "webhooks:read", "webhooks:write")

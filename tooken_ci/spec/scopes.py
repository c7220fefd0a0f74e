"""The scopes of the Tooken API. No scope implies another (vendor's documentation)."""

from __future__ import annotations

READ = "tokens:read"
WRITE = "tokens:write"
REVOKE = "tokens:revoke"
ROTATE = "tokens:rotate"

ALL = (READ, WRITE, REVOKE, ROTATE, "audit:read", "webhooks:read", "webhooks:write")

"""Which scope each call of the API needs (vendor's documentation). No scope implies another."""

from __future__ import annotations

READ = "tokens:read"
WRITE = "tokens:write"
REVOKE = "tokens:revoke"
ROTATE = "tokens:rotate"
AUDIT = "audit:read"

"""What a sandbox can be told before it starts; needs nothing but the standard library."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pathlib import Path

RevokedNames = Literal["reserved", "free"]

API_KEY_VARIABLE = "TOOKEN_SANDBOX_API_KEY"
MEMORY = ":memory:"
LAST_PORT = 65535


class SandboxConfigError(ValueError):
    """An option of the sandbox, a faults file or a seed file can't be used; the text says why."""


def generate_api_key() -> str:
    """Returns a new API key in the vendor's form."""
    return f"tok_live_{secrets.token_urlsafe(24)}"


@dataclass(frozen=True, kw_only=True, slots=True)
class SandboxSettings:
    """The options of ``tooken-ci sandbox``.

    Attributes:
        host: the address to listen on.
        port: the port to listen on; 0 takes any free one.
        db: the SQLite file, or ``:memory:``.
        api_key: the workspace's API key; a new one by default.
        limit: requests that the workspace may send in one window.
        window: length of a window in whole seconds.
        revoked_names: whether the name of a revoked or expired token stays ``reserved`` or is ``free`` again.
        faults: a YAML or JSON file with the faults to inject.
        latency_ms: the least time that an API request takes.
        seed: a number of tokens to make, or the path of a YAML or JSON file that lists them.
    """

    host: str = "127.0.0.1"
    port: int = 0
    db: str = MEMORY
    api_key: str = field(default_factory=generate_api_key, repr=False)
    limit: int = 1000
    window: int = 60
    revoked_names: RevokedNames = "reserved"
    faults: Path | None = None
    latency_ms: int = 0
    seed: str | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.port <= LAST_PORT:
            raise SandboxConfigError(f"port is {self.port}; it must be between 0 and {LAST_PORT}")
        for name, least in (("limit", 1), ("window", 1), ("latency_ms", 0)):
            if getattr(self, name) < least:
                raise SandboxConfigError(f"{name} is {getattr(self, name)}; it must be at least {least}")
        if self.revoked_names not in ("reserved", "free"):
            raise SandboxConfigError(f"revoked_names is {self.revoked_names!r}; it must be reserved or free")
        if not self.api_key or self.api_key != self.api_key.strip() or not self.api_key.isascii():
            raise SandboxConfigError("api_key must be plain ASCII text without spaces around it")

"""How the work on one entry ends early. The other entries go on."""

from __future__ import annotations

from tooken_ci.base.errors import TookenCIError


class EntryError(TookenCIError):
    """An entry could not be served.

    Attributes:
        changed: something was changed before it failed.
    """

    code = "entry"

    def __init__(self, message: str, *, hint: str = "", changed: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.changed = changed


class BusyError(EntryError):
    """Another run may be at work on the entry."""

    code = "busy"

    def __init__(self, message: str, *, changed: bool = False) -> None:
        super().__init__(message, hint="Run again in a few minutes.", changed=changed)

"""How the work on one entry ends early. The other entries go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tooken_ci.base.errors import TookenCIError

if TYPE_CHECKING:
    import datetime as dt


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
    """Another run may be at work on the entry.

    Attributes:
        since: the age of what tells so counts from then, the server's time; None = from now.
    """

    code = "busy"

    def __init__(self, message: str, *, since: dt.datetime | None = None, changed: bool = False) -> None:
        super().__init__(message, hint="Run again in a few minutes.", changed=changed)
        self.since = since

"""Reads the audit log. Its path and shape are assumed, so whatever is not as assumed counts as a log that is closed."""

from __future__ import annotations

import itertools
import logging
from typing import TYPE_CHECKING, Any

from tooken_ci.base import scopes
from tooken_ci.base.errors import ForbiddenError, NotFoundError, NotTheApiError, RejectedError
from tooken_ci.tooken.listing import PER_PAGE
from tooken_ci.tooken.model import read_audit
from tooken_ci.tooken.retry import CallKind
from tooken_ci.tooken.transport import Call

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from tooken_ci.tooken.model import AuditEntry
    from tooken_ci.tooken.transport import Transport

log = logging.getLogger(__name__)

_PATH = "/audit-logs"
_ROTATED = "token.rotated"


def rotations(transport: Transport, *, since: dt.datetime) -> Mapping[str, dt.datetime] | None:
    """When secrets were last made anew, UTC, by token id; None where no log can be read.

    Args:
        transport: to the workspace.
        since: how far back it is read, from the newest entry on.

    Raises:
        ApiError: the API could not be reached.
        StoppedError: the run is to end.
    """
    found: dict[str, dt.datetime] = {}
    for number in itertools.count(1):
        transport.clock.check()
        try:
            entries, more = _page(transport, number)
        except (ForbiddenError, NotFoundError, RejectedError, NotTheApiError) as closed:
            log.info("The audit log cannot be read (%s); the delivery records alone tell how old secrets are.", closed)
            return None
        for entry in entries:
            if entry.event == _ROTATED:  # a server may not know the filter
                found[entry.token_id] = max(entry.created_at, found.get(entry.token_id, entry.created_at))
        if not more or min(entry.created_at for entry in entries) < since:
            break
    return found


def _page(transport: Transport, number: int) -> tuple[list[AuditEntry], bool]:
    """The entries of a page, and whether there is another one behind it."""
    params: dict[str, str | int] = {"page": number, "per_page": PER_PAGE, "event": _ROTATED}
    data = transport.send(Call(kind=CallKind.READ, path=_PATH, scope=scopes.AUDIT, params=params))
    try:
        entries = [read_audit(item) for item in data["data"]]
        return entries, len(entries) >= _page_size(data)
    except (KeyError, TypeError, ValueError):
        raise NotTheApiError("The answer to the audit log has no data.") from None


def _page_size(data: Any) -> int:
    meta = data.get("meta")
    told = meta.get("per_page") if isinstance(meta, dict) else None
    return max(1, told) if isinstance(told, int) else PER_PAGE

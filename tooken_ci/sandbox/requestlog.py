"""The log of API requests received, for tests that count and compare them; it never holds a secret."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import asdict, dataclass

KEPT = 200_000
"""The oldest records go when there are more, so that a sandbox can run for weeks."""

_SECRET = re.compile(r"tok_[\w-]{32,}")


@dataclass(kw_only=True, slots=True)
class RequestRecord:
    """One API request.

    Attributes:
        n: its number since the server started, from 1.
        method: the HTTP method.
        path: the path with /v1, without the query.
        query: the query string.
        at: when it arrived, in Unix seconds.
        reset: the end of the quota's window in which it was counted; None where it was not counted.
        status: the status that was sent; None while under way and where no reply was sent.
        credential: the token's id, ``api-key``, or None for no or a wrong credential.
        fault: the kind of the fault that was injected, if any.
    """

    n: int
    method: str
    path: str
    query: str
    at: float
    reset: int | None = None
    status: int | None = None
    credential: str | None = None
    fault: str | None = None


class RequestLog:
    """Numbers requests as they arrive and keeps what became of them."""

    def __init__(self) -> None:
        self._received = 0
        self._records: deque[RequestRecord] = deque(maxlen=KEPT)

    def open(self, *, method: str, path: str, query: str, at: float) -> RequestRecord:
        """Adds the record of a request that has just arrived."""
        self._received += 1
        record = RequestRecord(
            n=self._received, method=method, path=_without_secrets(path), query=_without_secrets(query), at=at
        )
        self._records.append(record)
        return record

    def clear(self) -> None:
        """Forgets the records; the numbers go on."""
        self._records.clear()

    def data(self) -> list[dict[str, object]]:
        """Returns the records, oldest first, as JSON data."""
        return [asdict(record) for record in self._records]


def _without_secrets(text: str) -> str:
    """A client that puts a secret into a URL must not find it here (ids are shorter)."""
    return _SECRET.sub("[secret]", text)

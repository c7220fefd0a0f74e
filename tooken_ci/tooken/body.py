"""The body of an answer, read no further than any of the API's could go, however small it was packed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tooken_ci.base.direct import Direct

if TYPE_CHECKING:
    from collections.abc import Iterator

    import requests

LARGEST = 4_194_304
"""Bytes of a body once it is unpacked. A page of 100 tokens has some 50,000."""


class TooLargeError(Exception):
    """A body is larger than that, and what is left of it was not read."""


class Bounded(Direct):
    """Has every body end there, while requests reads it."""

    def build_response(self, req: requests.PreparedRequest, resp: Any) -> requests.Response:
        """Make an answer, as requests asks for it."""
        response = super().build_response(req, resp)
        response.raw = _Body(response.raw)
        return response


class _Body:
    """What urllib3 reads, counted as it is unpacked; everything else is left to urllib3."""

    def __init__(self, raw: Any) -> None:
        self._raw = raw

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)

    def stream(self, amount: int, *, decode_content: bool) -> Iterator[bytes]:
        """The body in parts.

        Raises:
            TooLargeError: it goes on beyond what is read.
        """
        size = 0
        for part in self._raw.stream(amount, decode_content=decode_content):
            size += len(part)
            if size > LARGEST:
                self._raw.close()
                raise TooLargeError
            yield part

"""Where the key may be sent."""

from __future__ import annotations

from tooken_ci.base.address import unfit
from tooken_ci.base.errors import UsageError


def checked_url(url: str) -> str:
    """The base URL without a trailing slash, if a key may be sent there.

    Raises:
        UsageError: it is no http(s) address, carries credentials, a query or a fragment, or is plain http to a host
            that is not this one.
    """
    if wrong := unfit("The API address", url):
        raise UsageError(
            wrong,
            hint="Give an address such as https://api.tooken.io/v1 with --api-url or TOOKEN_API_URL; plain http is for "
            "a server on this machine only.",
        )
    return url.rstrip("/")

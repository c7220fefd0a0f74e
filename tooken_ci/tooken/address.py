"""Where the key may be sent."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from tooken_ci.base.errors import UsageError
from tooken_ci.base.text import quoted


def checked_url(url: str) -> str:
    """The base URL without a trailing slash, if a key may be sent there.

    Raises:
        UsageError: it is no http(s) address, carries credentials, a query or a fragment, or is plain http to a host
            that is not this one.
    """
    hint = "Give an address such as https://api.tooken.io/v1 with --api-url or TOOKEN_API_URL."
    try:
        parts = urlsplit(url)
        _ = parts.port  # read only here, and refused where it is none
    except ValueError:
        raise UsageError("The API address is not an http(s) address.", hint=hint) from None
    if parts.username is not None or parts.password is not None:
        raise UsageError("The API address carries credentials, which end up in logs.", hint=hint)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise UsageError(f"The API address {quoted(url)} is not an http(s) address.", hint=hint)
    if parts.scheme == "http" and not loopback(parts.hostname):
        raise UsageError(
            f"The API address {quoted(url)} is plain http: the key would travel in the clear.",
            hint="Use https; plain http is for a server on this machine only.",
        )
    return url.rstrip("/")


def loopback(host: str) -> bool:
    """Whether a host is this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

"""Whether a credential may be sent to an address."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from tooken_ci.base.text import quoted


def unfit(what: str, url: str) -> str:
    """Why no credential may be sent there; empty where one may be.

    Args:
        what: the address is, for people; the sentence begins with it.
        url: the address; it is not shown where it may hold a credential itself.
    """
    try:
        parts = urlsplit(url)
        _ = parts.port  # read only here, and refused where it is none
    except ValueError:
        return f"{what} is not an http(s) address."
    if parts.username is not None or parts.password is not None:
        return f"{what} carries credentials, which end up in logs."
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        return f"{what} {quoted(url)} is not an http(s) address."
    if parts.scheme == "http" and not loopback(parts.hostname):
        return f"{what} {quoted(url)} is plain http: credentials would travel in the clear."
    return ""


def loopback(host: str) -> bool:
    """Whether a host is this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

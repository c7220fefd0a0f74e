"""Whether a credential may be sent to an address."""

from __future__ import annotations

import ipaddress
from urllib.parse import SplitResult, urlsplit

from tooken_ci.base.text import quoted

_SCHEMES = {"http", "https"}
_MAY_HOLD_CREDENTIALS = frozenset("@?#")
"""Where one of these stands in an address, credentials may too, however it was meant to be written."""


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
    shown = what if _MAY_HOLD_CREDENTIALS & set(url) else f"{what} {quoted(url)}"
    if fault := _fault(parts):
        return f"{shown} is not an http(s) address: it {fault}."
    if parts.scheme == "http" and not loopback(parts.hostname or ""):
        return f"{shown} is plain http: credentials would travel in the clear."
    return ""


def _fault(parts: SplitResult) -> str:
    """Why it is no address of a server; empty where it is."""
    if parts.scheme not in _SCHEMES:
        return "lacks https:// at its beginning"
    if not parts.hostname:
        return f"lacks a host after {parts.scheme}://"
    return "has a query or a fragment" if parts.query or parts.fragment else ""


def loopback(host: str) -> bool:
    """Whether a host is this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

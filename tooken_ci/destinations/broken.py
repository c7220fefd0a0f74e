"""What it means that an exchange broke, for every kind whose library sends it by way of requests."""

from __future__ import annotations

import requests
import requests.exceptions


def untrusted(error: OSError) -> bool:
    """Whether the server's certificate is not trusted, so that nothing was sent."""
    return isinstance(error, requests.exceptions.SSLError) and "CERTIFICATE_VERIFY_FAILED" in str(error)


def never_sent(error: OSError) -> bool:
    """Whether not a byte of the request can have reached the server."""
    if isinstance(error, requests.exceptions.ConnectTimeout) or untrusted(error):
        return True
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return type(reason).__name__ in {"NewConnectionError", "NameResolutionError"}


def why(error: OSError) -> str:
    """What happened, in words; no text of the error's own, which may repeat what was sent."""
    if untrusted(error):
        return "its TLS certificate is not trusted"
    if isinstance(error, requests.exceptions.ProxyError):
        return "the proxy does not let it through"
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return "no connection came about in time"
    if isinstance(error, requests.exceptions.Timeout):
        return "it did not answer in time"
    if never_sent(error):
        return "the connection was refused, or the name does not resolve"
    return f"the connection broke before the answer was complete ({type(error).__name__})"

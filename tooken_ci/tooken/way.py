"""The way to the API: one pool of connections, by which proxy it goes, whom it trusts, and why a connection failed."""

from __future__ import annotations

import os
import re
import ssl
import urllib.request
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import requests
import requests.utils

from tooken_ci import __version__
from tooken_ci.base.errors import UsageError
from tooken_ci.base.redact import MINIMUM
from tooken_ci.base.secret import Secret
from tooken_ci.base.text import quoted, safe
from tooken_ci.tooken.body import Bounded
from tooken_ci.tooken.retry import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

CONNECT_TIMEOUT = 10.0
READ_TIMEOUT = 30.0

_OPTION = "--ca-bundle"
_CERTIFICATE = re.compile(rb"^-----BEGIN (TRUSTED |X509 )?CERTIFICATE-----", re.MULTILINE)
_OF_ANOTHER_NAME = {62, 64}
_OUT_OF_TIME = {9, 10}
"""OpenSSL's numbers for why a certificate was refused: another host name or address; not yet or no longer valid."""


def session(base_url: str, workers: int, ca_bundle: str | None = None) -> requests.Session:
    """One pool of connections, as many as there are workers; no cookies, certificates always verified.

    What the environment says of proxies and certificates is read once, where requests would for every request.

    Args:
        base_url: of the API.
        workers: how many requests may be under way at once.
        ca_bundle: a file of trusted certificates; None = as the environment says.

    Raises:
        UsageError: the certificates can't be used, or the password of a proxy could not be masked.
    """
    made = requests.Session()
    made.trust_env = False
    made.proxies = proxies(base_url)
    made.verify = _certificates(ca_bundle)
    made.headers["User-Agent"] = f"tooken-ci/{__version__}"
    made.headers["Accept"] = "application/json"
    made.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    adapter = Bounded(pool_connections=1, pool_maxsize=workers)
    made.mount("https://", adapter)
    made.mount("http://", adapter)
    return made


def proxies(url: str) -> dict[str, str]:
    """The proxies that the environment names for an address; the credentials of all that it names are masked first.

    Raises:
        UsageError: a proxy's credentials are too short to be masked.
    """
    for kind, proxy in urllib.request.getproxies().items():
        if kind != "no":
            _hide_credentials(f"{kind.upper()}_PROXY", proxy)
    return requests.utils.get_environ_proxies(url)


def _hide_credentials(variable: str, proxy: str) -> None:
    """Let the redactor know a proxy's credentials, as they stand in its address and as they are sent."""
    try:
        userinfo, _, _ = urlsplit(proxy if "://" in proxy else f"//{proxy}").netloc.rpartition("@")
    except ValueError:
        return
    user, _, password = userinfo.partition(":")
    if password and len(userinfo) < MINIMUM:
        raise UsageError(
            f"The credentials of the proxy in {variable} are too short to be masked: fewer than {MINIMUM} characters.",
            hint="Give the proxy a longer password.",
        )
    for value in (userinfo, f"{unquote(user)}:{unquote(password)}", password, unquote(password)):
        if len(value) >= MINIMUM:
            Secret(value)


def _certificates(ca_bundle: str | None) -> str | bool:
    """The file or folder of trusted certificates that an option or the environment names; True = those of requests."""
    for name in (_OPTION, "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        path = ca_bundle if name == _OPTION else os.environ.get(name)
        if path and not os.path.exists(path):  # noqa: PTH110  # a path that cannot be one is not there either
            raise UsageError(
                f"{name} names {quoted(path)} as the trusted certificates, which is not there.",
                hint="Give the path of a file in PEM format, or leave it out.",
            )
        if path:
            _demand_certificates(name, path)
            return path
    return True


def _demand_certificates(name: str, path: str) -> None:
    """Tell at once, and not as a failing connection, that a file holds no certificate."""
    if os.path.isdir(path):  # noqa: PTH112  # as above
        return
    try:
        with open(path, "rb") as file:  # noqa: PTH123  # as above
            why = "" if _CERTIFICATE.search(file.read()) else "it holds no certificate in PEM format"
    except OSError as error:
        why = (error.strerror or type(error).__name__).lower()
    if why:
        raise UsageError(
            f"{name} names {quoted(path)} as the trusted certificates, which cannot be used: {why}.",
            hint="Give a file of certificates in PEM format, each from BEGIN CERTIFICATE to END CERTIFICATE.",
        )


def fault(error: requests.RequestException) -> Fault:
    """What kind of fault it is that requests tells of."""
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return Fault.REFUSED
    if isinstance(error, (requests.exceptions.ChunkedEncodingError, requests.exceptions.ContentDecodingError)):
        return Fault.TRUNCATED
    reason = getattr(error.args[0], "reason", None) if error.args else None
    never_sent = type(reason).__name__ in {"NewConnectionError", "NameResolutionError"}
    return Fault.REFUSED if never_sent else Fault.BROKEN


def distrust(error: requests.RequestException, base_url: str) -> tuple[str, str] | None:
    """Why the server's certificate was refused, and what to do; None where it was not.

    Nothing was sent then, and to try again would change nothing.
    """
    refusal = next((cause for cause in _causes(error) if isinstance(cause, ssl.SSLCertVerificationError)), None)
    if refusal is None:
        return None
    if refusal.verify_code in _OF_ANOTHER_NAME:
        host = quoted(urlsplit(base_url).hostname or "")
        return (
            f"its TLS certificate is not for {host}",
            "Give the name that stands in the certificate with --api-url; it may be another server that answers.",
        )
    why = safe(refusal.verify_message)
    if refusal.verify_code in _OUT_OF_TIME:
        return f"its TLS certificate is out of time ({why})", "Have it renewed, and look at this machine's clock."
    hint = f"If your own certificate authority made it, name that one's file with {_OPTION} or TOOKEN_CA_BUNDLE; "
    return f"its TLS certificate is not trusted ({why})", f"{hint}if not, something stands in between."


def reason(error: requests.RequestException) -> str:
    """Why a connection came to nothing, in words."""
    if isinstance(error, requests.exceptions.SSLError):
        return "what answers there speaks no TLS that can be trusted"
    if isinstance(error, requests.exceptions.ProxyError):
        return "the proxy cannot be reached, or refused to connect"
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return f"no connection within {CONNECT_TIMEOUT:.0f} s"
    if isinstance(error, requests.exceptions.Timeout):
        return f"no answer within {READ_TIMEOUT:.0f} s"
    if fault(error) is Fault.REFUSED:
        return "the connection was refused, or the name does not resolve"
    return f"the connection broke before the answer was complete ({type(error).__name__})"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The errors that stand in an error: the libraries wrap each other's."""
    yield error
    for inner in (*error.args, getattr(error, "reason", None)):
        if isinstance(inner, BaseException):
            yield from _causes(inner)

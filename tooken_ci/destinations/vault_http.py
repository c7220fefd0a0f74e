"""Plain HTTP below the library: one pool of connections, what the environment says of it, how an exchange can fail."""

from __future__ import annotations

import time
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests
import requests.auth

from tooken_ci import __version__
from tooken_ci.base.direct import Direct
from tooken_ci.base.errors import DestinationError
from tooken_ci.base.text import quoted
from tooken_ci.destinations.timing import LONGEST_READ, LONGEST_WRITE
from tooken_ci.tooken.way import proxies

if TYPE_CHECKING:
    from collections.abc import Mapping

TIMEOUT = (5.0, 15.0)
"""Seconds to connect, and to wait for an answer."""

LAST_TRY = LONGEST_WRITE - sum(TIMEOUT)
"""Seconds from the start of a write after which no request is sent any more, so that it is over in time."""

LAST_READ = LONGEST_READ - sum(TIMEOUT)
"""The same for what only reads."""

TRIES = 5
_CONNECTIONS = 32
_INDEX = "X-Vault-Index"
_OFF = frozenset({"", "0", "f", "false", "no", "off"})

sleep = time.sleep


class Effort:
    """One operation on the store: how long it may go on, and whether the store may have acted already.

    Attributes:
        doubt: a request that writes was sent, and nobody knows whether it was done.
    """

    def __init__(self, seconds: float, *, doubt: bool = False) -> None:
        self._seconds = seconds
        self._until = time.monotonic() + seconds
        self.doubt = doubt

    @property
    def left(self) -> float:
        """Seconds in which another request may be sent."""
        return self._until - time.monotonic()

    def begin(self) -> None:
        """See that another request may be sent.

        Raises:
            DestinationError: it has taken too long already.
        """
        if self.left <= 0:
            raise self.error(f"it was given up after {self._seconds:.0f} s.", "Run again.")

    def error(self, message: str, hint: str = "") -> DestinationError:
        """What to raise, with what is known of the store."""
        return DestinationError(message, hint=hint, surely_refused=not self.doubt)


class Latest(requests.auth.AuthBase):
    """Tells a cluster how far a node must have come to answer, so that what was just written is read there too.

    An auth object, because requests asks it for every request, and then leaves ``~/.netrc`` alone.
    """

    def __init__(self) -> None:
        self._index = ""

    def note(self, response: requests.Response) -> None:
        """Learn from the answer to a write."""
        self._index = response.headers.get(_INDEX) or self._index

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Put what is known on a request."""
        if self._index:
            request.headers[_INDEX] = self._index
        return request


def session_for(url: str, environment: Mapping[str, str]) -> requests.Session:
    """A pool of connections to one server; no cookies, no ``~/.netrc``, certificates verified always.

    Raises:
        DestinationError: the environment asks not to verify, or names certificates that are not there.
    """
    if environment.get("VAULT_SKIP_VERIFY", "").strip().lower() not in _OFF:
        raise DestinationError(
            "VAULT_SKIP_VERIFY is set, but the certificate of Vault is always verified.",
            hint="Remove the variable, and name the file of your own CA in VAULT_CACERT.",
        )
    session = requests.Session()
    session.trust_env = False
    session.proxies = proxies(url)
    session.verify = _certificates(environment)
    session.headers["User-Agent"] = f"tooken-ci/{__version__}"
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    adapter = Direct(pool_connections=1, pool_maxsize=_CONNECTIONS)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


def _certificates(environment: Mapping[str, str]) -> str | bool:
    """The file or folder of trusted certificates; True = those that come with requests."""
    for name in ("VAULT_CACERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        path = environment.get(name)
        if path and not Path(path).exists():
            raise DestinationError(
                f"{name} names {quoted(path)} as the trusted certificates, which is not there.",
                hint="Give the path of a file in PEM format, or remove the variable.",
            )
        if path:
            return path
    return True


def raw(answer: Any) -> requests.Response:
    """What hvac gives with its raw adapter, whatever its types say."""
    response: requests.Response = answer
    return response

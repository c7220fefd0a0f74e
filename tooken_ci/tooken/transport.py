"""One HTTP exchange with the API: safe to send, counted, repeated where the policy allows, its faults told apart."""

from __future__ import annotations

import dataclasses
import ipaddress
import logging
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
import requests.auth

from tooken_ci import __version__
from tooken_ci.base.errors import (
    ApiError,
    ConflictError,
    NotFoundError,
    NotTheApiError,
    RateLimitedError,
    UnreachableError,
    UsageError,
)
from tooken_ci.base.text import quoted, safe
from tooken_ci.tooken import answers
from tooken_ci.tooken.quota import Quota
from tooken_ci.tooken.retry import RetryPolicy
from tooken_ci.tooken.servertime import ServerTime

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tooken_ci.base.secret import Secret
    from tooken_ci.base.times import Clock

log = logging.getLogger(__name__)

_CONNECT_TIMEOUT = 10.0
_READ_TIMEOUT = 30.0
_LONG_WAIT = 5.0
_TOO_MANY = 429
_SERVER_FAULT = 500


@dataclasses.dataclass(frozen=True, kw_only=True)
class Call:
    """One request to the API.

    Attributes:
        method: the HTTP method.
        path: below the base URL, already quoted.
        scope: what the credential needs for it; named where it is refused.
        params: the query.
        body: sent as JSON; None = no body.
        repeatable: may be sent again although the server may have acted.
    """

    method: str
    path: str
    scope: str
    params: Mapping[str, str | int] = dataclasses.field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    repeatable: bool = True


class _Bearer(requests.auth.AuthBase):
    """Puts the credential on a request. As an auth object it also keeps requests from reading ``~/.netrc``."""

    def __init__(self, credential: Secret) -> None:
        self._credential = credential

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._credential.reveal()}"
        return request


class Transport:
    """Sends calls to one workspace with one key.

    Attributes:
        sent: how many requests went out so far, repeats included.
        quota: the allowance as the answers tell it.
        server_time: the server's clock.
    """

    def __init__(self, *, base_url: str, key: Secret, clock: Clock, policy: RetryPolicy | None = None) -> None:
        self._base_url = checked_url(base_url)
        self._key = key
        self._clock = clock
        self._policy = policy or RetryPolicy()
        self._session = requests.Session()
        self._session.headers["User-Agent"] = f"tooken-ci/{__version__}"
        self._session.headers["Accept"] = "application/json"
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self.sent = 0
        self.server_time = ServerTime(clock)
        self.quota = Quota(self.server_time)

    def send(self, call: Call, *, credential: Secret | None = None) -> Any:
        """Send a call, again where it failed in passing, and give the decoded answer (None for an empty one).

        Args:
            call: what to send.
            credential: whom to send it as; the key where left out.

        Raises:
            ApiError: one of its kinds; what the server surely refused is never repeated.
        """
        start = self._clock.monotonic()
        waited = 0.0
        tried = 0
        doubt: Exception | None = None  # an earlier try may have been acted on; whatever ends the call must say so
        while True:
            try:
                waited += self._wait(self.quota.wait(), waited, "the workspace's allowance is used up")
                tried += 1
                outcome = self._exchange(call, credential or self._key)
                if not isinstance(outcome, _Passing):
                    return outcome
                doubt = doubt if outcome.surely_refused else outcome.error
                if outcome.wait is not None:
                    waited += self._wait(outcome.wait or self._policy.pause(tried), waited, "the API answered 429")
                    continue
            except ApiError as refused:
                settled = call.method == "GET" or isinstance(refused, (ConflictError, NotFoundError))
                raise refused if doubt is None or settled else doubt from None
            spent = self._clock.monotonic() - start - waited
            last = tried >= self._policy.tries or spent >= self._policy.deadline
            if last or not (outcome.surely_refused or call.repeatable):
                raise outcome.error
            self._clock.sleep(self._policy.pause(tried))

    def _wait(self, seconds: float, waited: float, why: str) -> float:
        if seconds <= 0:
            return 0.0
        if waited + seconds > self._policy.longest_wait:
            raise RateLimitedError(
                f"The rate limit asks for {waited + seconds:.0f} s of waiting; more than "
                f"{self._policy.longest_wait:.0f} s are not waited for one request.",
                hint="Run again later, or find out who else uses up the workspace's allowance.",
                status=_TOO_MANY,
            )
        if seconds > _LONG_WAIT:
            log.warning("Waiting %.0f s: %s.", seconds, why)
        self._clock.sleep(seconds)
        return seconds

    def _exchange(self, call: Call, credential: Secret) -> Any:
        """One request and its answer; a fault that may pass is returned, any other raised."""
        self.sent += 1
        try:
            answer = self._session.request(
                call.method,
                self._base_url + call.path,
                params=dict(call.params),
                json=call.body,
                auth=_Bearer(credential),
                allow_redirects=False,
                timeout=(_CONNECT_TIMEOUT, _READ_TIMEOUT),
            )
        except requests.RequestException as error:
            return _Passing(error=self._unreachable(call, error), surely_refused=_never_arrived(error))
        log.debug("%s %s: %d", call.method, safe(call.path), answer.status_code)
        self.server_time.note(answer.headers.get("Date"))
        self.quota.note(answer.headers)
        if answer.status_code == _TOO_MANY:
            refused = RateLimitedError(f"{call.method} {call.path}: 429, the rate limit is reached.", status=_TOO_MANY)
            return _Passing(error=refused, surely_refused=True, wait=self.quota.wait_after_refusal(answer.headers))
        try:
            data = answers.decode(answer, call.scope)
        except NotTheApiError as error:
            if answer.status_code in answers.REDIRECTS:
                raise
            return _Passing(error=error)
        if answer.status_code >= _SERVER_FAULT:
            return _Passing(error=answers.server_fault(call.method, call.path, answer))
        return data

    def _unreachable(self, call: Call, error: requests.RequestException) -> UnreachableError:
        if isinstance(error, requests.exceptions.SSLError):
            reason = "its TLS certificate is not trusted"
        elif isinstance(error, requests.exceptions.ConnectTimeout):
            reason = f"no connection within {_CONNECT_TIMEOUT:.0f} s"
        elif isinstance(error, requests.exceptions.Timeout):
            reason = f"no answer within {_READ_TIMEOUT:.0f} s"
        elif _never_arrived(error):
            reason = "the connection was refused, or the name does not resolve"
        else:
            reason = f"the connection broke before the answer was complete ({type(error).__name__})"
        return UnreachableError(
            f"The API at {safe(self._base_url)} cannot be reached ({call.method} {call.path}): {reason}.",
            hint="Check --api-url, the network and any proxy (HTTPS_PROXY).",
        )


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Passing:
    """A fault that may be gone at the next try.

    Attributes:
        error: what to raise if it is not.
        surely_refused: the server certainly did nothing.
        wait: seconds the rate limit asks for; 0 = it does not say; None = it is no matter of the rate limit.
    """

    error: Exception
    surely_refused: bool = False
    wait: float | None = None


def _never_arrived(error: requests.RequestException) -> bool:
    """Whether no byte of the request can have reached the server."""
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return True
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(error, requests.exceptions.ConnectionError) and type(reason).__name__ in {
        "NewConnectionError",
        "NameResolutionError",
    }


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
    if parts.scheme == "http" and not _loopback(parts.hostname):
        raise UsageError(
            f"The API address {quoted(url)} is plain http: the key would travel in the clear.",
            hint="Use https; plain http is for a server on this machine only.",
        )
    return url.rstrip("/")


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

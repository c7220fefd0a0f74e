"""One Vault, one login: sends requests by way of hvac, again where that is safe, and tells what the answers mean."""

from __future__ import annotations

import dataclasses
import re
import threading
from typing import TYPE_CHECKING, Any

import hvac
import hvac.adapters
import requests

from tooken_ci.base.errors import DestinationError
from tooken_ci.base.text import quoted, safe
from tooken_ci.destinations import broken, timing, vault_http
from tooken_ci.destinations.vault_login import Login
from tooken_ci.destinations.vault_settings import can_be_namespace, checked_address

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tooken_ci.destinations.vault_http import Effort
    from tooken_ci.destinations.vault_settings import Server

    Call = Callable[[hvac.Client], requests.Response]

OK = frozenset({200, 204})
FORBIDDEN = 403
NOT_FOUND = 404
_REDIRECTS = range(300, 400)
_ASKS_TO_WAIT = frozenset({412, 429})
"""The quota is used up, or a standby lags behind: nothing was done, and it may pass."""
_UPGRADING = "Upgrading from non-versioned"
"""A mount that has just been made says so with a 400, for a moment in which it does nothing."""

_SERVER_FAULT = 500
_SHOWN = 200
_COUNT = re.compile(r"\d+ errors? occurred:")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Answer:
    """What Vault answered, and not in passing: 2xx or 4xx.

    Attributes:
        status: of the HTTP answer.
        body: the JSON object; empty where the answer has none.
    """

    status: int
    body: Mapping[str, Any]

    @property
    def data(self) -> Mapping[str, Any]:
        """What it is about; empty where there is nothing."""
        data = self.body.get("data")
        return data if isinstance(data, dict) else {}

    @property
    def found_nothing(self) -> bool:
        """Vault says that there is no such thing, and no more: nothing is wrong with the question."""
        return self.status == NOT_FOUND and self.body.get("errors", 0) == []

    @property
    def errors(self) -> str:
        """What Vault says of an error, as it came: hostile until it is made safe."""
        errors = self.body.get("errors")
        told = "; ".join(str(error) for error in errors) if isinstance(errors, list) else ""
        return " ".join(_COUNT.sub("", told).replace("*", "").split())

    def __str__(self) -> str:
        told = safe(self.errors, limit=_SHOWN)
        return f"{self.status}{': ' if told else ''}{told}"


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Fault:
    """An exchange that failed, perhaps in passing.

    Attributes:
        message: what happened.
        hint: what to do if it does not pass.
        wait: seconds that the server asks to wait; 0 = it does not say.
        final: it will not pass.
        silent: nobody answered.
        refused: the server has surely done nothing.
    """

    message: str
    hint: str = ""
    wait: float = 0.0
    final: bool = False
    silent: bool = False
    refused: bool = False


class _Access:
    """A client with the token that it was logged in with; a new login makes a new one."""

    def __init__(self, client: hvac.Client) -> None:
        self.client = client


class Session:
    """Sends requests as one client of one Vault. Thread-safe: the login is made once, and anew when it has expired.

    Attributes:
        server: which, and as whom.
        mounts: those that are known to be of KV version 2.
    """

    def __init__(self, server: Server, environment: Mapping[str, str]) -> None:
        self.server = server
        self._environment = environment
        self._login = Login(server.auth, environment)
        self._login_lock = threading.Lock()
        self._guard = threading.Lock()
        self._access: _Access | None = None
        self._http: requests.Session | None = None
        self._latest = vault_http.Latest()
        self._silent = False
        self._paths: dict[str, threading.Lock] = {}
        self.mounts: set[str] = set()

    def lock_of(self, path: str) -> threading.Lock:
        """What serves one path at a time: those who write its keys side by side would only get in each other's way."""
        with self._guard:
            return self._paths.setdefault(path, threading.Lock())

    def ask(self, call: Call, effort: Effort, *, writes: bool = False) -> Answer:
        """Send a request, again where it failed in passing, and after a new login where that has expired.

        Args:
            call: sends it, and gives the answer whatever its status.
            effort: that it is a part of.
            writes: an answer that is lost leaves doubt.

        Raises:
            DestinationError: no answer, or none of Vault's; there is no login; or it took too long.
        """
        try:
            access = self._logged_in(effort)
            answer = self._send(call, access.client, effort, writes=writes)
            if answer.status == FORBIDDEN and self.server.auth is not None:
                fresh = self._logged_in_anew(access, effort)
                if fresh is not access:
                    answer = self._send(call, fresh.client, effort, writes=writes)
        except DestinationError as error:  # a login that fails after a try that may have been done settles nothing
            raise effort.error(error.message, error.hint) from None
        return answer

    def _logged_in(self, effort: Effort) -> _Access:
        with Turn(self._login_lock, effort):
            if self._access is None:
                self._access = self._log_in(effort)
            return self._access

    def _logged_in_anew(self, refused: _Access, effort: Effort) -> _Access:
        """After a 403: another login if the token has ended, the same if the policy is what refuses."""
        with Turn(self._login_lock, effort):
            if self._access is refused:
                alive = self._send(lambda client: client.auth.token.lookup_self(), refused.client, effort)
                if alive.status not in OK:
                    self._access = self._log_in(effort)
            return self._access or refused

    def _log_in(self, effort: Effort) -> _Access:
        if self._http is None:
            self._http = self._connections()
        anybody = self._client("")
        token = self._login.token(lambda call: self._send(call, anybody, effort), effort)
        return _Access(self._client(token.reveal()))

    def _connections(self) -> requests.Session:
        if not self.server.address:
            raise DestinationError(
                "nothing says where Vault is.", hint="Set VAULT_ADDR, or give the destination an 'address'."
            )
        try:
            checked_address(self.server.address)
        except ValueError as error:
            raise DestinationError(
                f"{error}", hint="Correct VAULT_ADDR; plain http is for this machine only."
            ) from None
        if not can_be_namespace(self.server.namespace):
            raise DestinationError(
                f"{quoted(self.server.namespace)} is not the name of a namespace.", hint="Correct VAULT_NAMESPACE."
            )
        http = vault_http.session_for(self.server.address, self._environment)
        http.auth = self._latest
        return http

    def _client(self, token: str) -> hvac.Client:
        """A client that gives every answer as it comes, and asks neither environment nor files for a token."""
        options: dict[str, Any] = {"timeout": vault_http.TIMEOUT, "ignore_exceptions": True}
        return hvac.Client(
            url=self.server.address,
            token=token,
            verify=self._http.verify if self._http is not None else True,
            session=self._http,
            namespace=self.server.namespace or None,
            allow_redirects=False,
            adapter=hvac.adapters.RawAdapter,
            **options,
        )

    def _send(self, call: Call, client: hvac.Client, effort: Effort, *, writes: bool = False) -> Answer:
        tried = 0
        while True:
            effort.begin()
            outcome = self._exchange(call, client, effort, writes=writes)
            if isinstance(outcome, Answer):
                self._silent = False
                return outcome
            tried += 1
            wait = outcome.wait or timing.pause(tried)
            # of one that nobody could reach a moment ago every other place need not find out for itself
            tries = 1 if self._silent and outcome.silent else vault_http.TRIES
            if outcome.final or tried >= tries or wait >= effort.left:
                self._silent = outcome.silent
                raise effort.error(outcome.message, outcome.hint)
            vault_http.sleep(wait)

    def _exchange(self, call: Call, client: hvac.Client, effort: Effort, *, writes: bool) -> Answer | _Fault:
        try:
            response = call(client)
        except requests.RequestException as error:
            effort.doubt = effort.doubt or (writes and not broken.never_sent(error))
            trust = "Name the file of your own CA in VAULT_CACERT." if broken.untrusted(error) else ""
            return _Fault(
                message=f"{self.server} cannot be reached: {broken.why(error)}.",
                hint=trust or "Check VAULT_ADDR, the network and any proxy (HTTPS_PROXY).",
                final=bool(trust),
                silent=True,
            )
        if writes:
            self._latest.note(response)
        outcome = self._judged(response)
        if isinstance(outcome, _Fault) and not outcome.refused:
            effort.doubt = effort.doubt or writes
        return outcome

    def _judged(self, response: requests.Response) -> Answer | _Fault:
        answer = Answer(status=response.status_code, body=_body(response) or {})
        if answer.status in _REDIRECTS:
            place = quoted(response.headers.get("Location", ""))
            return _Fault(
                message=f"{self.server} redirects to {place}; redirects are not followed.",
                hint="Give the address of the active node, or of what stands before all of them.",
                final=True,
                refused=True,
            )
        if answer.status in _ASKS_TO_WAIT or _UPGRADING in answer.errors:
            hint = "Run again later, or raise the rate limit quota."
            told = f"{self.server} asks to wait ({answer})."
            return _Fault(
                message=told, hint=hint, wait=timing.asked(response.headers.get("Retry-After")) or 0.0, refused=True
            )
        if answer.status >= _SERVER_FAULT:
            sealed = "sealed" in answer.errors.lower()
            return _Fault(
                message=f"{self.server} {'is sealed' if sealed else 'failed'} ({answer}).",
                hint="Unseal it, then run again." if sealed else "Look at the server's log; run again.",
                final=sealed,
            )
        if response.content and _body(response) is None:
            hint = "Check VAULT_ADDR; a proxy in between may answer in its place."
            return _Fault(message=f"What answers at {self.server.address} is not Vault ({answer}).", hint=hint)
        return answer


class Turn:
    """A lock that is waited for no longer than an effort may go on."""

    def __init__(self, lock: threading.Lock, effort: Effort) -> None:
        self._lock = lock
        self._effort = effort

    def __enter__(self) -> None:
        if not self._lock.acquire(timeout=max(self._effort.left, 0)):
            raise self._effort.error("another request to the same Vault has not come to its end.", "Run again.")

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def _body(response: requests.Response) -> Mapping[str, Any] | None:
    try:
        body = response.json()
    except (ValueError, RecursionError):  # the latter for what nests too deep
        return None
    return body if isinstance(body, dict) else None

"""One HTTP exchange with the API: safe to send, counted, repeated where the policy allows, its faults told apart."""

from __future__ import annotations

import dataclasses
import logging
from typing import TYPE_CHECKING, Any

import requests
import requests.auth

from tooken_ci.base.errors import (
    ApiError,
    ConflictError,
    DeadlineError,
    NotFoundError,
    NotTheApiError,
    RateLimitedError,
    TookenCIError,
    UnauthorizedError,
    UnreachableError,
)
from tooken_ci.base.text import safe
from tooken_ci.tooken import answers, way
from tooken_ci.tooken.address import checked_url
from tooken_ci.tooken.body import LARGEST, TooLargeError
from tooken_ci.tooken.quota import Pace, Quota
from tooken_ci.tooken.retry import SURELY_REFUSED, TABLE, Again, CallKind, Fault, RetryPolicy
from tooken_ci.tooken.servertime import ServerTime

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tooken_ci.base.progress import Progress
    from tooken_ci.base.secret import Secret
    from tooken_ci.base.times import Clock

log = logging.getLogger(__name__)

_TOO_MANY = 429
_SERVER_FAULT = 500


@dataclasses.dataclass(frozen=True, kw_only=True)
class Call:
    """One request to the API.

    Attributes:
        kind: what it does; tells the HTTP method, and when it may be repeated.
        path: below the base URL, already quoted.
        scope: what the credential needs for it; named where it is refused.
        params: the query.
        body: sent as JSON; None = no body.
        ends_credential: it may end the very credential that it is sent with, so a 401 to its repeat says: it did.
        probe: it asks for nothing that could be done; so it is sent again like a read, and leaves no doubt.
    """

    kind: CallKind
    path: str
    scope: str
    params: Mapping[str, str | int] = dataclasses.field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    ends_credential: bool = False
    probe: bool = False

    def __str__(self) -> str:
        return f"{self.kind.method} {self.path}"

    @property
    def effect(self) -> CallKind:
        """What it could do to the workspace, which decides whether it may be sent again."""
        return CallKind.READ if self.probe else self.kind


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Failed:
    """An exchange that failed in passing.

    Attributes:
        fault: how.
        error: what to raise if it does not pass.
        wait: seconds that a 429 asks to wait; 0 = it does not say.
    """

    fault: Fault
    error: ApiError
    wait: float = 0.0


@dataclasses.dataclass
class _Tries:
    """What has become of one call so far.

    Attributes:
        began: when, on the run's clock.
        failed: how often it failed; being told to wait is no failure.
        told: how often it was told to wait.
        waited: seconds, after being told to.
        doubt: the error of a try on which the server may have acted; whatever ends the call must say so.
        last: the error of the last try.
    """

    began: float
    failed: int = 0
    told: int = 0
    waited: float = 0.0
    doubt: ApiError | None = None
    last: ApiError | None = None


class _Bearer(requests.auth.AuthBase):
    """Puts the credential on a request. As an auth object it also keeps requests from reading ``~/.netrc``."""

    def __init__(self, credential: Secret) -> None:
        self._credential = credential

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._credential.reveal()}"
        return request


class Transport:
    """Sends calls to one workspace with one key. Thread-safe; its connections are shared and kept.

    Attributes:
        clock: the run's.
        policy: of the retries.
        pace: how fast the run may go.
        quota: says when a request may be sent.
        server_time: the server's clock.
    """

    def __init__(
        self,
        *,
        base_url: str,
        key: Secret,
        clock: Clock,
        policy: RetryPolicy | None = None,
        pace: Pace | None = None,
        progress: Progress | None = None,
        ca_bundle: str | None = None,
    ) -> None:
        self._base_url = checked_url(base_url)
        self._key = key
        self.policy = policy or RetryPolicy()
        self.clock = clock
        self.pace = pace or Pace()
        self._session = way.session(self._base_url, self.pace.workers, ca_bundle)
        self.server_time = ServerTime(clock)
        self.quota = Quota(self.server_time, clock, pace=self.pace, progress=progress)

    def send(
        self,
        call: Call,
        *,
        credential: Secret | None = None,
        doubt: ApiError | None = None,
        before: Callable[[], None] | None = None,
    ) -> Any:
        """Send a call, again where it failed in passing, and give the decoded answer (None for an empty one).

        Args:
            call: what to send.
            credential: whom to send it as; the key where left out.
            doubt: the error of an earlier request for the same, on which the server may have acted.
            before: is called whenever it is about to be sent, however long that had to wait; what it raises ends it.

        Raises:
            ApiError: one of its kinds; what the server surely refused is never repeated.
            StoppedError: the run is to end, and the server has certainly done nothing.
        """
        tries = _Tries(began=self.clock.monotonic(), doubt=doubt)
        try:
            while True:
                outcome = self._exchange(call, credential or self._key, before)
                if not isinstance(outcome, _Failed):
                    return outcome
                tries.last = outcome.error
                if outcome.fault not in SURELY_REFUSED:
                    tries.doubt = outcome.error
                self._pause_or_raise(call, outcome, tries)
        except TookenCIError as end:
            if isinstance(end, DeadlineError) and tries.last is not None:
                end.explain(f"The last failure: {tries.last.message}")
            if tries.doubt is None or call.effect is CallKind.READ:
                raise
            settling = (ConflictError, NotFoundError, *([UnauthorizedError] if call.ends_credential else []))
            if isinstance(end, settling) and end.from_api:  # it tells what has become of it
                end.doubtful = True
                raise
            raise tries.doubt from None

    def _pause_or_raise(self, call: Call, failed: _Failed, tries: _Tries) -> None:
        if TABLE[failed.fault][call.effect] is Again.NEVER:
            raise failed.error
        if failed.fault is Fault.RATE_LIMITED:
            self._bear(failed, tries)
            return
        tries.failed += 1
        spent = self.clock.monotonic() - tries.began - tries.waited
        if tries.failed >= self.policy.tries or spent >= self.policy.deadline:
            raise failed.error
        self.clock.sleep(self.policy.pause(tries.failed))

    def _bear(self, failed: _Failed, tries: _Tries) -> None:
        """Being told to wait is no failure: it is borne as often as it comes, as long as the waits are short."""
        tries.told += 1
        wait = failed.wait or self.policy.pause(tries.told)
        tries.waited += wait
        if tries.waited > self.policy.longest_wait:
            raise RateLimitedError(
                f"The rate limit (429) asks for {tries.waited:.0f} s of waiting; more than "
                f"{self.policy.longest_wait:.0f} s are not waited for one request.",
                hint="Run again later, or find out who else uses up the workspace's allowance.",
                status=_TOO_MANY,
            )
        if failed.wait:
            self.quota.hold_off(wait)
        else:
            self.clock.sleep(wait)

    def _exchange(self, call: Call, credential: Secret, before: Callable[[], None] | None) -> Any:
        """One request and its answer; a fault that may pass is returned, any other raised."""
        with self.quota.turn() as turn:
            if before is not None:
                before()
            turn.used = True
            try:
                answer = self._session.request(
                    call.kind.method,
                    self._base_url + call.path,
                    params=dict(call.params),
                    json=call.body,
                    auth=_Bearer(credential),
                    allow_redirects=False,
                    timeout=(way.CONNECT_TIMEOUT, way.READ_TIMEOUT),
                )
            except TooLargeError:
                return _Failed(fault=Fault.NOT_JSON, error=_too_large(call))
            except requests.RequestException as error:
                self._refuse_distrusted(call, error)
                return _Failed(fault=way.fault(error), error=self._unreachable(call, error))
            if answers.may_be_the_apis(answer):  # a proxy's own page tells the proxy's time
                self.server_time.note(answer.headers.get("Date"))
            turn.headers = answer.headers
        log.debug("%s: %d", safe(str(call)), answer.status_code)
        return self._judge(call, answer)

    def _judge(self, call: Call, answer: requests.Response) -> Any:
        if answer.status_code == _TOO_MANY:
            error = RateLimitedError(f"{call}: 429, the rate limit is reached.", status=_TOO_MANY)
            wait = self.quota.told_wait(answer.headers)
            return _Failed(fault=Fault.RATE_LIMITED, error=error, wait=wait)
        try:
            data = answers.decode(answer, call.scope)
        except NotTheApiError as error:
            if answer.status_code in answers.REDIRECTS:
                raise
            return _Failed(fault=Fault.NOT_JSON, error=error)
        if answer.status_code >= _SERVER_FAULT:
            return _Failed(fault=Fault.SERVER_FAULT, error=answers.server_fault(str(call), answer))
        return data

    def _refuse_distrusted(self, call: Call, error: requests.RequestException) -> None:
        """A certificate that is refused ends the call at once: nothing was sent, and no other try would be better."""
        told = way.distrust(error, self._base_url)
        if told is not None:
            why, hint = told
            raise UnreachableError(f"The API at {safe(self._base_url)} was not asked ({call}): {why}.", hint=hint)

    def _unreachable(self, call: Call, error: requests.RequestException) -> UnreachableError:
        return UnreachableError(
            f"The API at {safe(self._base_url)} cannot be reached ({call}): {way.reason(error)}.",
            hint="Check --api-url, the network and any proxy (HTTPS_PROXY).",
        )


def _too_large(call: Call) -> NotTheApiError:
    return NotTheApiError(
        f"The answer to {call} has more than {LARGEST >> 20} MiB, so it is not the Tooken API's.",
        hint="Check --api-url, and whether a proxy or another server stands in between.",
    )

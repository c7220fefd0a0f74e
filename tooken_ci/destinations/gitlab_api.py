"""Requests to GitLab: where they go, with which credential, how often they are tried, and what their failures mean.

python-gitlab would wait for as long as a server asks, and repeat a write without telling. So its own retries are off:
here every try is told, and a refusal counts as one only if no try before it may have been done.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import threading
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import gitlab
import requests
from gitlab.exceptions import GitlabError

from tooken_ci.base.direct import Direct
from tooken_ci.base.errors import DestinationError
from tooken_ci.base.text import quoted, safe
from tooken_ci.destinations import broken, timing
from tooken_ci.destinations.gitlab_access import (
    WHICH_ADDRESS,
    WHICH_AUTHORITY,
    WHICH_CREDENTIAL,
    address,
    authority,
    token,
)

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclasses.dataclass(frozen=True, kw_only=True)
class Patience:
    """How long GitLab is waited for, in seconds.

    Attributes:
        connect: for a connection.
        read: for each part of an answer.
        whole: for a call, with all its tries.
        pause: the longest pause after the first try; it doubles from try to try.
        tries: how often a call is sent.
    """

    connect: float = 5.0
    read: float = 12.0
    whole: float = timing.LONGEST_READ
    pause: float = timing.FIRST_PAUSE
    tries: int = 4


USUAL = Patience()


@dataclasses.dataclass(frozen=True, kw_only=True)
class Answer:
    """What GitLab answered to a call that succeeded.

    Attributes:
        data: the JSON of its body; None where there is no body.
        next_page: the number of a list's next page; empty = there is none; None = it is not told.
    """

    data: Any = dataclasses.field(repr=False)
    next_page: str | None


class GitLabError(DestinationError):
    """GitLab refused a call, or did not answer it.

    Attributes:
        status: of the last answer; 0 where there was none.
        said: what GitLab said about it, safe to show.
    """

    code = "destination_gitlab"

    def __init__(
        self, message: str, *, hint: str = "", status: int = 0, said: str = "", surely_refused: bool = True
    ) -> None:
        super().__init__(message, hint=hint, surely_refused=surely_refused)
        self.status = status
        self.said = said


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Fault:
    """How one try failed.

    Attributes:
        why: for people.
        hint: what to do about it.
        status, said: as in ``GitLabError``.
        sure: GitLab certainly did nothing.
        again: another try may go better.
        after: how long GitLab asks to wait before that, in seconds; None = it does not say.
    """

    why: str
    hint: str = ""
    status: int = 0
    said: str = ""
    sure: bool
    again: bool
    after: float | None = None


class Connection:
    """One GitLab and one credential, for all threads of a run."""

    def __init__(self, environment: Mapping[str, str], patience: Patience = USUAL) -> None:
        self._environment = environment
        self._patience = patience
        self._of_thread = threading.local()
        self._asking = threading.Lock()
        self._scopes: frozenset[str] | None = None

    def call(
        self,
        verb: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        role: str = "",
        seconds: float | None = None,
        once: bool = False,
    ) -> Answer:
        """Send a request, and again where that may help.

        Args:
            verb: the HTTP method.
            path: below ``/api/v4``.
            query: after the path.
            body: sent as JSON.
            role: what the call takes, for people.
            seconds: how long it may take with all its tries; None = as long as usual.
            once: a repeat would do harm: it is not sent again once it may have been done.

        Raises:
            GitLabError: it failed; ``surely_refused`` if no try may have been done.
        """
        end = time.monotonic() + (self._patience.whole if seconds is None else seconds)
        doubt = False
        for attempt in itertools.count(1):
            found = self._try(verb, path, dict(query or {}), body, end)
            if isinstance(found, Answer):
                return found
            doubt = doubt or not found.sure
            pause = timing.pause(attempt, self._patience.pause) if found.after is None else found.after
            spent = attempt >= self._patience.tries or (once and doubt)
            if not found.again or spent or time.monotonic() + pause >= end:
                hint = found.hint or (f"It takes {role}." if role and found.status in {403, 404} else "")
                raise GitLabError(
                    f"{found.why}.", hint=hint, status=found.status, said=found.said, surely_refused=not doubt
                )
            time.sleep(pause)
        raise AssertionError("unreachable")

    def demand_api_scope(self) -> None:
        """See that the token may write at all, as far as it tells; asked once in a run.

        Raises:
            DestinationError: it may not.
        """
        with self._asking:
            if self._scopes is None:
                self._scopes = self._own_scopes()
        if self._scopes and self._scopes.isdisjoint({"api", "granular"}):
            told = ", ".join(sorted(self._scopes))
            raise DestinationError(
                f"GITLAB_TOKEN has the scope {safe(told)}, which does not let it write variables.",
                hint="Make one with the scope api.",
            )

    def _own_scopes(self) -> frozenset[str]:
        """The token's scopes; empty where GitLab does not tell."""
        try:
            data = self.call("get", "/personal_access_tokens/self").data
        except GitLabError as error:
            if error.status in {401, 403, 404}:
                return frozenset()
            raise
        scopes = data.get("scopes") if isinstance(data, dict) else None
        return frozenset(scope for scope in scopes or () if isinstance(scope, str))

    def _try(
        self, verb: str, path: str, query: dict[str, Any], body: Mapping[str, Any] | None, end: float
    ) -> Answer | _Fault:
        client = self._client()
        left = max(end - time.monotonic(), 0.1)
        limits: Any = (min(self._patience.connect, left), min(self._patience.read, left))
        try:
            response = client.http_request(
                verb,
                path,
                query_data=query,
                post_data=None if body is None else dict(body),
                timeout=limits,
                obey_rate_limit=False,
                retry_transient_errors=False,
            )
        except GitlabError as error:
            return _refusal(error, getattr(self._of_thread, "after", None))
        except OSError as error:  # every error of requests is one
            return _no_answer(error, client.url)
        except RecursionError:  # python-gitlab reads the JSON of a refusal, which may nest too deep
            return _Fault(why="GitLab's answer nests too deep", hint=WHICH_ADDRESS, sure=False, again=False)
        try:
            data = response.json() if response.content else None
        except (ValueError, RecursionError):
            why = f"what answers at {quoted(client.url)} is not GitLab's API: it sent no JSON"
            return _Fault(why=why, hint=WHICH_ADDRESS, sure=False, again=False)
        return Answer(data=data, next_page=response.headers.get("X-Next-Page"))

    def _client(self) -> gitlab.Gitlab:
        """This thread's own client: a session is not made to be shared."""
        if not hasattr(self._of_thread, "client"):
            session = requests.Session()
            session.max_redirects = 0  # GitLab's header for the token would follow to any host
            for scheme in ("http://", "https://"):
                session.mount(scheme, Direct())
            session.hooks["response"].append(self._note_pause)
            self._of_thread.client = gitlab.Gitlab(
                address(self._environment),
                private_token=token(self._environment).reveal(),
                ssl_verify=authority(self._environment),
                user_agent="tooken-ci",
                session=session,
            )
        client: gitlab.Gitlab = self._of_thread.client
        return client

    def _note_pause(self, response: requests.Response, *_: Any, **__: Any) -> None:
        """Keep what python-gitlab drops: how long an answer asks to wait."""
        self._of_thread.after = timing.asked(response.headers.get("Retry-After"))


def _refusal(error: GitlabError, after: float | None) -> _Fault:
    """What an answer means that is not a success."""
    status, said = error.response_code or 0, _said(error)
    told = f"{status}{f', {said}' if said else ''}"
    if status == HTTPStatus.UNAUTHORIZED:
        return _Fault(
            why=f"GitLab does not accept GITLAB_TOKEN ({told})",
            hint=WHICH_CREDENTIAL,
            status=status,
            said=said,
            sure=True,
            again=False,
        )
    if status == HTTPStatus.FORBIDDEN and "insufficient_scope" in said:
        why, hint = f"GITLAB_TOKEN lacks a scope ({told})", "Writing takes the scope api, a plan read_api."
        return _Fault(why=why, hint=hint, status=status, said=said, sure=True, again=False)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        why, hint = f"GitLab's rate limit is reached ({told})", "Run again later."
        return _Fault(why=why, hint=hint, status=status, said=said, sure=True, again=True, after=after)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.REQUEST_TIMEOUT:
        why, hint = f"GitLab answered {told}", "Run again."
        return _Fault(why=why, hint=hint, status=status, said=said, sure=False, again=True, after=after)
    locked = status == HTTPStatus.CONFLICT and "lock" in said.lower()
    return _Fault(why=f"GitLab answered {told}", status=status, said=said, sure=True, again=locked)


def _no_answer(error: OSError, url: str) -> _Fault:
    """What it means that no answer came."""
    where = quoted(url)
    if isinstance(error, requests.TooManyRedirects):
        to = error.response.headers.get("Location", "") if error.response is not None else ""
        why = f"GitLab at {where} answered with a redirect to {quoted(to, limit=200)}, which is not followed"
        hint = (
            "The project or group may have been renamed: give its new path. Or else see whether the address is right."
        )
        return _Fault(why=why, hint=hint, sure=True, again=False)
    if isinstance(error, ValueError):  # no address, or no header, that a request can have
        return _Fault(why=f"no request can be sent to {where}", hint=WHICH_ADDRESS, sure=True, again=False)
    untrusted, sure = broken.untrusted(error), broken.never_sent(error)
    hint = WHICH_AUTHORITY if untrusted else WHICH_ADDRESS if sure else "Run again."
    why = f"GitLab cannot be reached at {where}: {broken.why(error)}"
    return _Fault(why=why, hint=hint, sure=sure, again=not untrusted)


def _said(error: GitlabError) -> str:
    """GitLab's own words, from the JSON of an answer; what a proxy says in HTML is not shown."""
    try:
        data = json.loads(error.response_body or b"")
    except (ValueError, RecursionError):
        return ""
    told = (data.get("message") or data.get("error")) if isinstance(data, dict) else None
    return safe(told if isinstance(told, str) else json.dumps(told), limit=200) if told else ""

"""The wire to GitHub: PyGithub's requests, with retries of our own, since only we know what a repeat may mean.

PyGithub's own are switched off: its ``GithubRetry`` waits for a rate limit as long as that takes and repeats writes in
silence, and its pauses between requests hold for one thread alone. One of its requesters serves one thread at a time.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import time
from collections import deque
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import github.Auth
import requests
from github.Requester import HTTPRequestsConnectionClass, HTTPSRequestsConnectionClass, Requester

from tooken_ci import __version__
from tooken_ci.base.address import unfit
from tooken_ci.base.direct import Direct
from tooken_ci.base.errors import DestinationError
from tooken_ci.base.secret import Secret
from tooken_ci.base.text import safe
from tooken_ci.destinations import broken, timing
from tooken_ci.destinations.github_names import CREDENTIALS
from tooken_ci.destinations.github_pace import Pace, limited, until_reset
from tooken_ci.destinations.github_refusal import refusal

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Mapping

log = logging.getLogger(__name__)

_TIMEOUT = 8
_LONGEST_TRY = 2 * _TIMEOUT
"""Seconds to connect, and then as many again to be answered."""

_TRIES = 6
_PER_PAGE = 30
_FAULT = 500
_REDIRECT = 300


@dataclasses.dataclass(frozen=True, kw_only=True)
class Answer:
    """What GitHub answered.

    Attributes:
        status: the HTTP status.
        headers: by their names in lower case.
        data: the body, where it is JSON; else None.
    """

    status: int
    headers: Mapping[str, str]
    data: Any

    @property
    def date(self) -> dt.datetime | None:
        """GitHub's time, to the second; None where it does not tell."""
        try:
            return parsedate_to_datetime(self.headers["date"])
        except (KeyError, ValueError):
            return None

    @property
    def message(self) -> str:
        """What GitHub says in words, made safe; empty where it says nothing."""
        said = self.data.get("message") if isinstance(self.data, dict) else None
        return safe(said) if isinstance(said, str) else ""


def connect(environment: Mapping[str, str]) -> Api:
    """The way to the GitHub that the environment names, with the credential that it gives.

    Raises:
        DestinationError: there is no credential, or the address cannot be one.
    """
    url = environment.get("GITHUB_API_URL") or "https://api.github.com"
    if wrong := unfit("GITHUB_API_URL", url):
        raise DestinationError(wrong, hint="On GitHub Enterprise it is https://HOST/api/v3.")
    for variable in CREDENTIALS:
        if value := environment.get(variable, "").strip():
            return Api(url, _token(value, variable), variable)
    raise DestinationError(
        f"there is no credential for GitHub: neither {' nor '.join(CREDENTIALS)} is set.",
        hint=f"Set {CREDENTIALS[0]} to a fine-grained token, or an App's, that may write secrets and variables.",
    )


def _token(value: str, variable: str) -> Secret:
    told = f"{variable} cannot be a token of GitHub's: "
    try:
        token = Secret(value)
    except ValueError as error:
        raise DestinationError(f"{told}{error}", hint="Look at what it was set to.") from None
    if not (value.isascii() and value.isprintable()) or " " in value:
        raise DestinationError(f"{told}it has a character that none has.", hint="Copy it again, as one line.")
    return token


class Api:
    """One GitHub, asked with one credential."""

    def __init__(self, url: str, credential: Secret, variable: str) -> None:
        self._url = url.rstrip("/")
        self._credential = credential
        self._variable = variable
        self._idle: deque[Requester] = deque()
        self._pace = Pace()

    def get(
        self, path: str, *, accept: Collection[int] = (), until: float | None = None, **parameters: str | int
    ) -> Answer:
        """Read something.

        Args:
            path: below the API's address.
            accept: statuses that are no error here.
            until: when it must be over, by ``time.monotonic``; in half a minute where left out.
            parameters: of the query.

        Raises:
            DestinationError: GitHub refuses, or cannot be reached in time.
        """
        ends = time.monotonic() + timing.LONGEST_READ if until is None else until
        return self._call("GET", path, accept=accept, until=ends, parameters=parameters)

    def send(
        self,
        verb: str,
        path: str,
        body: Mapping[str, Any] | None,
        *,
        until: float,
        accept: Collection[int] = (),
        once: bool = False,
    ) -> Answer:
        """Write something; it is repeated where an answer is lost, unless that would do harm.

        Args:
            verb: PUT, POST, PATCH or DELETE.
            path: below the API's address.
            body: is sent as JSON.
            until: when it must be over, by ``time.monotonic``.
            accept: statuses that are no error here.
            once: a repeat would do harm: it is not sent again once it may have been done.

        Raises:
            DestinationError: GitHub refuses, or cannot be reached in time; tells whether it surely did nothing.
        """
        return self._call(verb, path, body=body, accept=accept, until=until, once=once)

    def _call(
        self,
        verb: str,
        path: str,
        *,
        accept: Collection[int],
        until: float,
        body: Mapping[str, Any] | None = None,
        parameters: Mapping[str, Any] | None = None,
        once: bool = False,
    ) -> Answer:
        doubtful = False  # an earlier try may have been done
        for tried in range(1, _TRIES + 1):
            self._take_turn(verb, until, doubtful=doubtful)
            try:
                answer = self._once(verb, path, body, parameters)
            except requests.RequestException as error:
                doubtful = doubtful or (verb != "GET" and not broken.never_sent(error))
                pause, why = timing.pause(tried), f"GitHub cannot be reached at {safe(self._url)}: {broken.why(error)}"
            except RuntimeError as error:  # PyGithub follows no redirect to another host
                raise DestinationError(
                    f"GitHub's API at {safe(self._url)} sends requests elsewhere: {safe(str(error))}.",
                    hint="Look at GITHUB_API_URL.",
                    surely_refused=not doubtful,
                ) from None
            else:
                self._learn(answer)
                limit = limited(answer.status, answer.headers, answer.message, answer.date)
                if limit is not None:
                    self._pace.hold_off(limit.wait)
                    pause, why = limit.wait, f"{limit.what} of GitHub is reached"
                elif answer.status >= _FAULT:
                    doubtful = doubtful or verb != "GET"
                    pause, why = timing.pause(tried), f"GitHub answers {verb} {safe(path)} with {answer.status}"
                elif answer.status < _REDIRECT or answer.status in accept:
                    return answer
                else:
                    raise refusal(
                        f"{verb} {path}",
                        answer.status,
                        answer.message,
                        variable=self._variable,
                        of_an_app=self._credential.reveal().startswith("ghs_"),
                        surely_refused=not doubtful,
                    )
            if tried == _TRIES or (once and doubtful) or time.monotonic() + pause + _LONGEST_TRY > until:
                break
            time.sleep(pause)
        hint = "Run again later." if doubtful or verb == "GET" else "Nothing was written; run again later."
        raise DestinationError(f"{why}.", hint=hint, surely_refused=not doubtful)

    def _take_turn(self, verb: str, until: float, *, doubtful: bool) -> None:
        wait = self._pace.wait(writes=verb != "GET")
        if wait <= 0:
            return
        if time.monotonic() + wait > until:
            raise DestinationError(
                f"GitHub's rate limit lets nothing through for {wait:.0f} s, which is too long to wait.",
                hint="Run again later, or find out who else uses up the allowance.",
                surely_refused=not doubtful,
            )
        time.sleep(wait)

    def _learn(self, answer: Answer) -> None:
        """The last request that was allowed says when there are more: nothing is sent in vain until then."""
        reset = until_reset(answer.headers, answer.date)
        if reset is not None:
            self._pace.hold_off(reset)

    def _once(self, verb: str, path: str, body: Any, parameters: Any) -> Answer:
        try:
            requester = self._idle.pop()
        except IndexError:
            requester = self._requester()
        try:
            status, headers, text = requester.requestJson(verb, path, parameters=dict(parameters or {}), input=body)
        finally:
            self._idle.append(requester)
        log.debug("GitHub: %s %s: %d", verb, safe(path), status)
        try:
            data = json.loads(text) if text else None
        except ValueError:
            data = None
        return Answer(status=status, headers=headers, data=data)

    def _requester(self) -> Requester:
        return _Requester(
            auth=github.Auth.Token(self._credential.reveal()),
            base_url=self._url,
            timeout=_TIMEOUT,
            user_agent=f"tooken-ci/{__version__}",
            per_page=_PER_PAGE,
            verify=True,
            retry=None,
            pool_size=None,
            lazy=True,
        )


class _Plain(HTTPRequestsConnectionClass):
    def __init__(self, *where: Any, **how: Any) -> None:
        super().__init__(*where, **how)
        self.session.mount("http://", Direct())


class _Tls(HTTPSRequestsConnectionClass):
    def __init__(self, *where: Any, **how: Any) -> None:
        super().__init__(*where, **how)
        self.session.mount("https://", Direct())


class _Requester(Requester):
    """PyGithub's, with connections of our own.

    It has the same name but for the underscore, and so these are the very attributes that PyGithub's own code reads;
    the method that it has to set them would also have it make a new connection for every request.
    """

    __httpConnectionClass = _Plain
    __httpsConnectionClass = _Tls

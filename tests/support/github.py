"""A GitHub of the tests' own: secrets, variables and what goes with them, behind a real HTTP server."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import re
import socket
import threading
import time
from email.utils import format_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qs, urlsplit

from tests.support.github_answers import Answers, Item
from tests.support.github_comments import Comments
from tests.support.serving import Handler, Serving

if TYPE_CHECKING:
    from collections.abc import Mapping

TOKEN = "github_pat_of_the_tests_0123456789"
READER = "github_pat_that_only_reads_0123456"
JOB = "ghs_the_jobs_own_token_0123456789ab"
ROBOT = "github-actions"
"""Whom the job's own writes as."""

SHOP = "/repos/acme/shop/actions"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Fault:
    """What goes wrong with a request.

    Attributes:
        match: a regular expression for ``METHOD /path``.
        status: of the answer; 0 = the connection ends without one.
        headers: of the answer.
        message: in the answer.
        text: instead of an answer in JSON.
        done: the request is done all the same.
        seconds: how long the answer takes.
        times: how often it happens.
    """

    match: str
    status: int = 0
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    message: str = "Server Error"
    text: str | None = None
    done: bool = False
    seconds: float = 0.0
    times: int = 1


class FakeGitHub:
    """The server, from construction until ``stop``; ``reset`` empties it.

    Attributes:
        url: its address.
        log: each request as ``METHOD /path?query``, in the order in which they came.
        ahead: seconds that its clock is ahead of this machine's.
        examples: bodies of documented answers, which hold more than this server knows of.
        state: what is there, and what it answers.
        comments: what is said on its pull request, acme/shop#7.
    """

    def __init__(self, prefix: str = "") -> None:
        self.guard = threading.RLock()
        self.over = threading.Event()
        self.prefix = prefix
        self.examples: dict[str, dict[str, Any]] = {}
        self.reset()
        fake = self

        class Bound(_Handler):
            github = fake

        self._server = Serving(Bound)
        self._server.begin()
        self.url = f"{self._server.url}{prefix}"

    def reset(self) -> None:
        """Starts anew."""
        with self.guard:
            self.log: list[str] = []
            self.faults: list[Fault] = []
            self.ahead = 0.0
            self.comments = Comments({TOKEN: "a-person", READER: ROBOT, JOB: ROBOT}, frozenset({READER}))
            self.state = Answers(self.now, {TOKEN: "", READER: "PUT POST PATCH DELETE", JOB: "*"}, self.comments)

    def stop(self) -> None:
        self.over.set()
        self._server.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def now(self) -> float:
        """Its clock, Unix seconds."""
        return time.time() + self.ahead

    def fail(self, match: str, **how: Any) -> None:
        """Lets the next request that matches go wrong."""
        self.faults.append(Fault(match=match, **how))

    def fault(self, call: str) -> Fault | None:
        """What goes wrong with a request now."""
        found = next((one for one in self.faults if re.fullmatch(one.match, call)), None)
        if found is not None:
            self.faults.remove(found)
            if found.times > 1:
                self.faults.insert(0, dataclasses.replace(found, times=found.times - 1))
        return found

    def requests(self, method: str = "") -> list[str]:
        """The requests of a method, or all of them."""
        return [line for line in self.log if line.startswith(method)]

    def secret(self, name: str, of: str = SHOP) -> str | None:
        """The secret of that name, opened with the holder's own key."""
        item = self.state.items.get((of, "secrets"), {}).get(name)
        return None if item is None else item.value

    def secrets(self) -> set[str]:
        """All secrets of all holders, opened."""
        return {
            item.value for (_, what), items in self.state.items.items() if what == "secrets" for item in items.values()
        }

    def variable(self, name: str, of: str = SHOP) -> str | None:
        """The value of the variable of that name."""
        item = self.state.items.get((of, "variables"), {}).get(name)
        return None if item is None else item.value

    def put(self, what: str, name: str, value: str, of: str = SHOP, **more: Any) -> None:
        """Somebody else puts a secret or a variable there."""
        now = self.now()
        self.state.items.setdefault((of, what), {})[name] = Item(value, now, now, **more)

    def remove(self, what: str, name: str, of: str = SHOP) -> None:
        """Somebody else removes a secret or a variable."""
        del self.state.items[of, what][name]


class _Handler(Handler):
    github: FakeGitHub

    def date_time_string(self, timestamp: float | None = None) -> str:
        return format_datetime(dt.datetime.fromtimestamp(self.github.now(), dt.UTC), usegmt=True)

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        address = urlsplit(self.path.removeprefix(self.github.prefix))
        call = f"{self.command} {address.path}"
        token = self.headers.get("Authorization", "").partition(" ")[2]
        with self.github.guard:
            self.github.log.append(f"{call}?{address.query}" if address.query else call)
            fault = self.github.fault(call)
            status, data = 0, None
            if fault is None or fault.done:
                query = {key: int(value) for key, (value, *_) in parse_qs(address.query).items()}
                self.github.state.examples = self.github.examples
                status, data = self.github.state.answer(self.command, address.path, query, body, token)
        if fault is not None:
            self.github.over.wait(fault.seconds)
            status, data = fault.status, {"message": fault.message}
        if not status:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        text = "" if data is None else json.dumps(data)
        if fault is not None and fault.text is not None:
            text = fault.text
        self._reply(status, text.encode(), fault.headers if fault is not None else {})

    def _reply(self, status: int, text: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if text:
            self.send_header("Content-Type", "application/json; charset=utf-8")
        if status != HTTPStatus.NO_CONTENT:
            self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_PUT = do_POST = do_PATCH = do_DELETE = _serve  # noqa: N815

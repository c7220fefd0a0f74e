"""Stands between a client and a real server, passes everything on, and breaks what it is told to break."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import re
import socket
import struct
import threading
from typing import TYPE_CHECKING, TypeVar

import requests

from tests.support.serving import Handler, Serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

B = TypeVar("B", bound="Between")

_NOT_PASSED_ON = {"host", "content-length", "connection", "accept-encoding", "transfer-encoding"}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Break:
    """What happens to a request.

    Attributes:
        method: of the requests that are meant.
        path: a regular expression for the path of those.
        occurrence: which of those, from 1; 0 = every one.
        after: the server gets it first, and has done what it asks for.
        status: is answered instead; 0 = none.
        headers: of that answer.
        body: of that answer.
        hang: no answer ever comes.
        then: is called before anything else happens, once the server has done its work where ``after`` is set.
    """

    method: str
    path: str
    occurrence: int = 1
    after: bool = False
    status: int = 0
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    body: str = '{"errors": ["broken on purpose"]}'
    hang: bool = False
    then: Callable[[], object] | None = None


class Between(Serving):
    """The server in between.

    Attributes:
        address: where it listens.
        breaks: what it breaks.
        seen: method and path of every request, in the order in which they came.
        headers: of the newest request.
        plain: OpenBao looks like HashiCorp Vault, which keeps no count of the changes to a secret's metadata.
    """

    def __init__(self, to: str) -> None:
        super().__init__(_Handler)
        self.to = to
        self.address = self.url
        self.breaks: list[Break] = []
        self.seen: list[str] = []
        self.headers: Mapping[str, str] = {}
        self.plain = False
        self.over = threading.Event()
        self._counts: dict[int, int] = {}
        self._lock = threading.Lock()

    def break_at(self, method: str, path: str, **how: object) -> None:
        """Breaks a request from now on; how, is told by what ``Break`` takes."""
        self.breaks.append(Break(method=method, path=path, **how))  # type: ignore[arg-type]

    def arrived(self, method: str, path: str) -> Break | None:
        """What is to happen to a request that has just come."""
        with self._lock:
            self.seen.append(f"{method} {path}")
            for number, one in enumerate(self.breaks):
                if one.method == method and re.search(one.path, path):
                    self._counts[number] = self._counts.get(number, 0) + 1
                    if one.occurrence in {0, self._counts[number]}:
                        return one
        return None

    def handle_error(self, *_: object) -> None:
        """Says nothing of connections that it has broken."""


class _Handler(Handler):
    server: Between

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.headers = dict(self.headers.items())
        broken = self.server.arrived(self.command, self.path)
        answer = self._passed_on(body) if broken is None or broken.after else None
        if broken is not None and broken.then is not None:
            broken.then()
            answer = answer or self._passed_on(body)
        if broken is None or (broken.then is not None and not (broken.hang or broken.status)):
            assert answer is not None
            self._answer(answer.status_code, dict(answer.headers), answer.content)
        elif broken.hang:
            self.server.over.wait(30)
            self.close_connection = True
        elif broken.status:
            self._answer(broken.status, {"Content-Type": "application/json", **broken.headers}, broken.body.encode())
        else:  # a reset instead of an orderly end
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            self.close_connection = True

    do_GET = _serve  # noqa: N815  # the name that it is called by
    do_POST = _serve  # noqa: N815  # the name that it is called by
    do_PUT = _serve  # noqa: N815  # the name that it is called by
    do_PATCH = _serve  # noqa: N815  # the name that it is called by
    do_DELETE = _serve  # noqa: N815  # the name that it is called by

    def _passed_on(self, body: bytes) -> requests.Response:
        kept = {
            name: value
            for name, value in self.headers.items()
            if name.lower() not in {*_NOT_PASSED_ON, "x-vault-index"}
        }
        with requests.Session() as session:
            session.trust_env = False
            answer = session.request(
                self.command,
                self.server.to + self.path,
                headers=kept,
                data=_without(body, "metadata_cas") if self.server.plain else body,
                timeout=20,
                allow_redirects=False,
            )
        if self.server.plain:
            answer._content = _without(answer.content, "current_metadata_version", "metadata_cas_required")
        return answer

    def _answer(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            if name.lower() not in {*_NOT_PASSED_ON, "content-encoding"}:
                self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextlib.contextmanager
def between(to: str) -> Iterator[Between]:
    """A server in between, for as long as it is needed."""
    with serving(Between(to)) as server:
        yield server


@contextlib.contextmanager
def serving(server: B) -> Iterator[B]:
    """Has a server in between serve, for as long as it is needed."""
    server.begin()
    try:
        yield server
    finally:
        server.over.set()
        server.end()


def _without(body: bytes, *names: str) -> bytes:
    """JSON without some of its members, at the top or in what it is about."""
    if not body:
        return body
    whole = json.loads(body)
    for part in (whole, whole.get("data")):
        if isinstance(part, dict):
            for name in names:
                part.pop(name, None)
    return json.dumps(whole).encode()

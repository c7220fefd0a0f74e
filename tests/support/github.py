"""A GitHub of the tests' own: secrets, variables and what goes with them, in memory, behind a real HTTP server."""

from __future__ import annotations

import base64
import dataclasses
import datetime as dt
import json
import re
import socket
import threading
import time
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, SealedBox

if TYPE_CHECKING:
    from collections.abc import Mapping

TOKEN = "github_pat_of_the_tests_0123456789"
READER = "github_pat_that_only_reads_0123456"
JOB = "ghs_the_jobs_own_token_0123456789ab"

_PATHS = re.compile(
    r"(?P<top>/repos/(?P<owner>[^/]+)/(?P<repo>[^/]+)|/orgs/(?P<org>[^/]+))"
    r"(?:/environments/(?P<environment>[^/]+)|/(?P<app>actions|dependabot))?"
    r"(?:/(?P<what>secrets|variables)(?:/(?P<name>[^/]+)(?P<more>/repositories)?)?)?"
)
_NAME = re.compile(r"(?!GITHUB_)[A-Z_][A-Z0-9_]*")
_MOST = {"secrets": 100, "variables": 30}
_NOT_FOUND = (404, {"message": "Not Found", "documentation_url": "https://docs.github.com/rest", "status": "404"})


class HungUpError(Exception):
    """The connection is to end without an answer."""


@dataclasses.dataclass
class Item:
    """A secret or a variable; ``value`` is what was put there, a secret's opened."""

    value: str
    created: float
    updated: float
    visibility: str = ""
    ids: list[int] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Fault:
    """What goes wrong with a request.

    Attributes:
        match: a regular expression for ``METHOD /path``.
        status: of the answer; 0 = the connection ends without one.
        headers: of the answer.
        message: in the answer.
        done: the request is done all the same.
        times: how often it happens.
    """

    match: str
    status: int = 0
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    message: str = "Server Error"
    done: bool = False
    times: int = 1


class FakeGithub:
    """The server, from construction until ``stop``. Its state is that of this object; ``reset`` empties it.

    Attributes:
        url: its address.
        log: each request as ``METHOD /path?query``, in the order in which they came.
        ahead: seconds that its clock is ahead of this machine's.
        examples: bodies of documented answers, which hold more than this server knows of.
    """

    def __init__(self, prefix: str = "") -> None:
        self.guard = threading.RLock()
        self.examples: dict[str, dict[str, Any]] = {}
        self._prefix = prefix
        self.reset()
        fake = self

        class Handler(_Handler):
            github = fake

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}{prefix}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def reset(self) -> None:
        """Starts anew: one organization with two repositories, the first of which has an environment."""
        with self.guard:
            self.log: list[str] = []
            self.faults: list[Fault] = []
            self.ahead = 0.0
            self.repositories = {"acme/shop": 101, "acme/billing": 102}
            self.environments = {("acme/shop", "production"), ("acme/shop", "eu/west 1")}
            self.items: dict[tuple[str, str], dict[str, Item]] = {}
            self.keys: dict[str, PrivateKey] = {}
            self.frozen: set[str] = set()  # secrets that are taken and not written

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def fail(self, match: str, **how: Any) -> None:
        """Lets the next requests that match go wrong."""
        self.faults.append(Fault(match=match, **how))

    def requests(self, method: str = "") -> list[str]:
        """The requests of a method, or all of them."""
        return [line for line in self.log if line.startswith(method)]

    def secret(self, name: str, of: str = "/repos/acme/shop/actions") -> str | None:
        """The secret of that name, opened with the holder's own key."""
        item = self.items.get((of, "secrets"), {}).get(name)
        return None if item is None else item.value

    def variable(self, name: str, of: str = "/repos/acme/shop/actions") -> str | None:
        """The value of the variable of that name."""
        item = self.items.get((of, "variables"), {}).get(name)
        return None if item is None else item.value

    def put(self, what: str, name: str, value: str, of: str = "/repos/acme/shop/actions", **more: Any) -> None:
        """Somebody else puts a secret or a variable there."""
        now = self.now()
        self.items.setdefault((of, what), {})[name] = Item(value, now, now, **more)

    def now(self) -> float:
        return time.time() + self.ahead

    def answer(self, method: str, path: str, query: Mapping[str, list[str]], body: Any, token: str) -> tuple[int, Any]:
        """What a request is answered: status and body."""
        if token not in {TOKEN, READER, JOB}:
            return 401, {"message": "Bad credentials", "documentation_url": "https://docs.github.com/rest"}
        match = _PATHS.fullmatch(path)
        if match is None:
            return _NOT_FOUND
        if token == JOB:
            return 403, {"message": "Resource not accessible by integration", "status": "403"}
        if token == READER and method != "GET":
            return 403, {"message": "Resource not accessible by personal access token", "status": "403"}
        part = {key: unquote(value).lower() for key, value in match.groupdict(default="").items()}
        full = f"{part['owner']}/{part['repo']}"
        if part["repo"] and full not in self.repositories:
            return _NOT_FOUND
        if part["org"] and part["org"] != "acme":
            return _NOT_FOUND
        if part["environment"] and (full, part["environment"]) not in self.environments:
            return _NOT_FOUND
        if not part["what"]:
            return 200, self._repository(full)
        app = f"/environments/{part['environment']}" if part["environment"] else f"/{part['app']}"
        holder = f"{unquote(match['top']).lower()}{app}"
        if part["app"] == "dependabot" and part["what"] == "variables":
            return _NOT_FOUND
        return self._of(holder, part, method, query, body)

    def _of(
        self, holder: str, part: Mapping[str, str], method: str, query: Mapping[str, list[str]], body: Any
    ) -> tuple[int, Any]:
        items = self.items.setdefault((holder, part["what"]), {})
        name = part["name"].upper()
        if name == "PUBLIC-KEY":
            key = self.keys.setdefault(holder, PrivateKey.generate())
            return 200, {"key_id": self._key_id(holder), "key": _base64(bytes(key.public_key))}
        if not name and method == "GET":
            per_page = min(int(query.get("per_page", ["30"])[0]), _MOST[part["what"]])
            start = (int(query.get("page", ["1"])[0]) - 1) * per_page
            shown = [self._shown(holder, one, items[one], part["what"]) for one in sorted(items)]
            return 200, {"total_count": len(items), part["what"]: shown[start : start + per_page]}
        if not name:
            return self._create(items, body)
        if part["more"]:
            names = {number: full for full, number in self.repositories.items()}
            found = [self._repository(names[number], "minimal-repository") for number in items[name].ids]
            return 200, {"total_count": len(found), "repositories": found}
        if method == "PUT":
            return self._put(holder, items, name, body)
        if name not in items:
            return _NOT_FOUND
        if method == "GET":
            return 200, self._shown(holder, name, items[name], part["what"])
        if method == "DELETE":
            del items[name]
        else:
            items[name] = dataclasses.replace(items[name], value=body["value"], updated=self.now())
        return 204, None

    def _put(self, holder: str, items: dict[str, Item], name: str, body: Any) -> tuple[int, Any]:
        if not _NAME.fullmatch(name):
            return 422, {"message": "Secret names can only contain alphanumeric characters and underscores"}
        if body["key_id"] != self._key_id(holder):
            return 422, {"message": "The key_id is not that of the present key"}
        if name in self.frozen:
            return 204, None
        try:
            value = SealedBox(self.keys[holder]).decrypt(base64.b64decode(body["encrypted_value"])).decode()
        except (CryptoError, ValueError):
            return 422, {"message": "The encrypted value cannot be opened"}
        before = items.get(name)
        now = self.now()
        items[name] = Item(
            value,
            before.created if before is not None else now,
            now,
            body.get("visibility", ""),
            body.get("selected_repository_ids", []),
        )
        return (201, {}) if before is None else (204, None)

    def _create(self, items: dict[str, Item], body: Any) -> tuple[int, Any]:
        name = body["name"].upper()
        if name in items:
            return 409, {"message": "Already exists - Variable already exists"}
        now = self.now()
        visibility, ids = body.get("visibility", ""), body.get("selected_repository_ids", [])
        items[name] = Item(body["value"], now, now, visibility, ids)
        return 201, {}

    def _shown(self, holder: str, name: str, item: Item, what: str) -> dict[str, Any]:
        shown = {"name": name, "created_at": _instant(item.created), "updated_at": _instant(item.updated)}
        if what == "variables":
            shown["value"] = item.value
        if item.visibility:
            shown["visibility"] = item.visibility
        if item.visibility == "selected":
            shown["selected_repositories_url"] = f"https://api.github.com{holder}/{what}/{name}/repositories"
        return shown

    def _repository(self, full: str, example: str = "full-repository") -> dict[str, Any]:
        name = full.partition("/")[2]
        return {**self.examples.get(example, {}), "id": self.repositories[full], "name": name, "full_name": full}

    def _key_id(self, holder: str) -> str:
        self.keys.setdefault(holder, PrivateKey.generate())
        return str(int.from_bytes(bytes(self.keys[holder].public_key)[:6], "big"))


class _Handler(BaseHTTPRequestHandler):
    github: FakeGithub
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Keeps silent."""

    def date_time_string(self, timestamp: float | None = None) -> str:
        return format_datetime(dt.datetime.fromtimestamp(self.github.now(), dt.UTC), usegmt=True)

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        address = urlsplit(self.path.removeprefix(self.github._prefix))
        call = f"{self.command} {address.path}"
        token = self.headers.get("Authorization", "").partition(" ")[2]
        with self.github.guard:
            self.github.log.append(f"{call}?{address.query}" if address.query else call)
            fault = next((one for one in self.github.faults if re.fullmatch(one.match, call)), None)
            if fault is not None:
                self.github.faults.remove(fault)
                if fault.times > 1:
                    self.github.faults.insert(0, dataclasses.replace(fault, times=fault.times - 1))
            if fault is None or fault.done:
                status, data = self.github.answer(self.command, address.path, parse_qs(address.query), body, token)
        if fault is not None:
            if not fault.status:
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            status, data = fault.status, {"message": fault.message}
        text = b"" if data is None else json.dumps(data).encode()
        self.send_response(status)
        for name, value in (fault.headers if fault is not None else {}).items():
            self.send_header(name, value)
        if text:
            self.send_header("Content-Type", "application/json; charset=utf-8")
        if status != 204:  # noqa: PLR2004
            self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_PUT = do_POST = do_PATCH = do_DELETE = _serve  # noqa: N815


def _instant(seconds: float) -> str:
    return dt.datetime.fromtimestamp(seconds, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()

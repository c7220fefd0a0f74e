"""The other side of every wire, in one thread: the sandbox, the store behind ``exec``, and what harms their answers."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import enum
import json
import socket
import sqlite3
import threading
from typing import TYPE_CHECKING, Any, Self, TypeVar

import uvicorn

from tests.crash.store import Store, write_client
from tests.crash.timing import ServerClock
from tooken_ci.sandbox.credentials import API_KEY_CREDENTIAL
from tooken_ci.sandbox.faults import Fault, FaultKind
from tooken_ci.sandbox.ratelimit import Quota
from tooken_ci.sandbox.server import create_app
from tooken_ci.sandbox.settings import SandboxSettings
from tooken_ci.sandbox.wire import Connections

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping
    from pathlib import Path

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from tests.crash.store import Harm, Shelf
    from tests.crash.timing import SharedTime
    from tooken_ci.sandbox.settings import RevokedNames

T = TypeVar("T")

PATIENCE = 30.0
LIMIT = 1000
WINDOW = 60


class Harmed(enum.StrEnum):
    """What happens to one request."""

    KILLED_BEFORE = "killed before it is handled"
    KILLED_AFTER = "killed after it is handled"
    LOST = "reply lost"
    ERROR_BEFORE = "500 before the work"
    ERROR_AFTER = "500 after the work"
    TRUNCATED = "reply truncated"

    @property
    def kills(self) -> bool:
        """Whether the run dies."""
        return self in {Harmed.KILLED_BEFORE, Harmed.KILLED_AFTER}


_FAULTS = {
    Harmed.LOST: FaultKind.DROP_AFTER,
    Harmed.ERROR_BEFORE: FaultKind.ERROR_BEFORE,
    Harmed.ERROR_AFTER: FaultKind.ERROR_AFTER,
    Harmed.TRUNCATED: FaultKind.TRUNCATED,
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Request:
    """One request of a run.

    Attributes:
        method: the HTTP method.
        path: below ``/v1``.
    """

    method: str
    path: str

    @property
    def rotates(self) -> bool:
        """Whether it kills a secret."""
        return self.path.endswith("/rotate") and "tok_probe" not in self.path


@dataclasses.dataclass(frozen=True, kw_only=True)
class State:
    """The workspace and the destinations at one moment, to be put back later."""

    database: sqlite3.Connection
    shelves: Mapping[str, Shelf]
    issued: Mapping[str, str]
    dead: frozenset[str]
    skipped: float


@dataclasses.dataclass(kw_only=True)
class Harms:
    """What is done to the requests of one run, and what has come of it.

    Attributes:
        harm: tells what happens to the n-th request, from 1; None = nothing.
        seen: every request so far.
        done: how many came to harm.
    """

    harm: Callable[[int, Request], Harmed | None] = lambda _, __: None
    seen: list[Request] = dataclasses.field(default_factory=list)
    done: int = 0


class _Listening(uvicorn.Server):
    """uvicorn's server, which tells when it listens, and leaves signals alone."""

    def __init__(self, config: uvicorn.Config, started: threading.Event) -> None:
        super().__init__(config)
        self._started_event = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._started_event.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Any:
        yield


class Stage:
    """The workspace and the destinations, and everything that happens to them.

    What looks at, or changes, any of it runs in the one thread that also serves; ``do`` runs it there.

    Attributes:
        issued: the token's id, by every secret that was ever issued.
        dead: secrets that tooken-ci revoked or rotated away.
        store: the destinations behind ``exec``.
        check: is called after every request that was handled, and after every write to a destination.
        kill: kills the run that is under way.
        arrived: the first client has come to the request at which it is held.
    """

    def __init__(self, folder: Path, shared: SharedTime, *, revoked_names: RevokedNames = "reserved") -> None:
        """Starts to serve."""
        self._shared = shared
        self._clock = ServerClock(shared)
        self._connections = Connections()
        self.api_key = f"tok_live_{'k' * 32}"
        self.issued: dict[str, str] = {}
        self.dead: set[str] = set()
        self.check: Callable[[str], None] = lambda _: None
        self.kill: Callable[[], None] = lambda: None
        self.store = Store(self)
        self.harms = (Harms(), Harms())
        self.arrived = threading.Event()
        self._held: asyncio.Event | None = None
        self._hold_at = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="stage", daemon=True)
        self._thread.start()
        settings = SandboxSettings(api_key=self.api_key, limit=LIMIT, window=WINDOW, revoked_names=revoked_names)
        # the database belongs to the thread that opens it
        gate: Any = self.do(lambda: create_app(settings, clock=self._clock, connections=self._connections))
        gate._app = _Tap(gate._app, self)
        self._gate = gate
        self._workspace = gate._workspace
        self._connection: sqlite3.Connection = self._workspace.tokens._connection
        self._serve(folder)

    def _serve(self, folder: Path) -> None:
        listening = threading.Event()
        sockets = [_listener() for _ in range(2)]
        self.ports = [each.getsockname()[1] for each in sockets]
        config = uvicorn.Config(
            self._api,
            http=self._connections.protocol(),
            ws="none",
            interface="asgi3",
            proxy_headers=False,
            lifespan="off",
            log_config=None,
            log_level="critical",
            access_log=False,
            date_header=False,
            server_header=False,
            timeout_graceful_shutdown=0,
        )
        self._server = _Listening(config, listening)
        self._serving = asyncio.run_coroutine_threadsafe(self._server.serve(sockets=sockets), self._loop)
        assert listening.wait(PATIENCE)
        behind = self.wait_for(asyncio.start_server(self.store.serve, "127.0.0.1", 0))
        self._behind = behind
        self.client = write_client(folder, behind.sockets[0].getsockname()[1])

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    def stop(self) -> None:
        """Ends it all."""
        self._server.should_exit = True
        self._serving.result(PATIENCE)

        self.do(self._behind.close)
        self.do(self._connection.close)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE)
        self._loop.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def url(self, client: int = 0) -> str:
        """The API's address for one of two clients that run at once."""
        return f"http://127.0.0.1:{self.ports[client]}/v1"

    def wait_for(self, work: Coroutine[Any, Any, T]) -> T:
        """Waits for work in the serving thread."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE)

    def do(self, work: Callable[[], T]) -> T:
        """What the work makes, done in the serving thread."""

        async def run() -> T:
            return work()

        return self.wait_for(run())

    # what a person, or somebody else's program, does; and what is there

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Asks the API past every count and harm; what it revokes was not revoked by tooken-ci."""
        return self.wait_for(_call(self._gate._app, method, path, body))

    def rows(self, query: str, *values: object) -> list[sqlite3.Row]:
        """What the sandbox's own database says; only in the serving thread."""
        return self._connection.execute(query, values).fetchall()

    def lives(self, secret: str) -> bool:
        """Whether a secret authenticates; only in the serving thread."""
        return self._workspace.tokens.identify(secret) is not None

    def advance(self, seconds: float) -> None:
        """Moves the time."""
        self._clock.advance(seconds)

    # one run after the other

    def begin(self, *harms: Harms, write: tuple[int, Harm] | None = None) -> None:
        """Makes ready for a run, or two at once, whose requests and writes come to harm as told."""

        def ready() -> None:
            self.harms = (harms[0] if harms else Harms(), harms[1] if len(harms) > 1 else Harms())
            self.store.begin(write)
            # ten tries of one listing in a row are no reason to wait for the next window
            object.__setattr__(self._workspace, "quota", Quota(limit=LIMIT, window=WINDOW, clock=self._clock))

        self.do(ready)

    def hold(self, number: int) -> None:
        """Holds the first client at one of its requests, from 1, until it is released."""
        self.arrived.clear()
        self._hold_at = number
        self._held = self.do(asyncio.Event)

    def release(self) -> None:
        """Lets the first client's request go on."""
        held, self._held = self._held, None
        if held is not None:
            self.do(held.set)

    def keep(self) -> State:
        """The state as it is now."""

        def copy() -> State:
            database = sqlite3.connect(":memory:", check_same_thread=False)
            self._connection.backup(database)
            return State(
                database=database,
                shelves=self.store.copy(),
                issued=dict(self.issued),
                dead=frozenset(self.dead),
                skipped=self._shared.skipped,
            )

        return self.do(copy)

    def put_back(self, state: State) -> None:
        """Makes it as it was."""

        def restore() -> None:
            state.database.backup(self._connection)
            self._workspace.tokens._listings.clear()
            self.store.put_back(state.shelves)
            self.issued, self.dead = dict(state.issued), set(state.dead)
            self._shared.set(state.skipped)
            self._shared.go_on()

        self.do(restore)

    # the wire

    async def _api(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        client = self.ports.index(scope["server"][1])
        harms = self.harms[client]
        request = Request(method=scope["method"], path=scope["path"].removeprefix("/v1"))
        harms.seen.append(request)
        if client == 0 and self._held is not None and len(harms.seen) == self._hold_at:
            self.arrived.set()
            await self._held.wait()
        harmed = harms.harm(len(harms.seen), request)
        harms.done += harmed is not None
        self._workspace.faults.replace([Fault(do=_FAULTS[harmed])] if harmed in _FAULTS else [])
        if harmed is Harmed.KILLED_BEFORE:
            self.kill()
            self._connections.abort(scope)
            await send({"type": "http.response.start", "status": 500, "headers": []})
            await send({"type": "http.response.body", "body": b""})
            return
        scope["harmed"] = harmed
        await self._gate(scope, receive, send)


class _Tap:
    """Sees what the API answers right after it has worked, before anything becomes of the answer."""

    def __init__(self, app: ASGIApp, stage: Stage) -> None:
        self._app = app
        self._stage = stage

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        messages: list[Message] = []

        async def keep(message: Message) -> None:
            messages.append(message)

        await self._app(scope, receive, keep)
        status = next(message["status"] for message in messages if message["type"] == "http.response.start")
        body = b"".join(message.get("body", b"") for message in messages if message["type"] == "http.response.body")
        self._learn(scope, status, body)
        if not scope["state"]["observed"]:
            self._stage.check(f"{scope['method']} {scope['path']}")
        if scope.get("harmed") is Harmed.KILLED_AFTER:
            self._stage.kill()
        for message in messages:
            await send(message)

    def _learn(self, scope: Scope, status: int, body: bytes) -> None:
        """Notes each secret that is issued, and each that tooken-ci ends."""
        stage, method, path = self._stage, scope["method"], scope["path"]
        ours = not scope["state"]["observed"]
        if method == "POST" and status in {200, 201}:
            made = json.loads(body)
            if path.endswith("/rotate") and ours:
                stage.dead |= {secret for secret, token in stage.issued.items() if token == made["id"]}
            stage.issued[made["token"]] = made["id"]
        if method == "DELETE" and status == 204 and ours:
            gone = path.rpartition("/")[2]
            stage.dead |= {secret for secret, token in stage.issued.items() if token == gone}


async def _call(app: ASGIApp, method: str, path: str, body: Any) -> Any:
    """One request to the app itself, by the workspace's own API key, unobserved."""
    content = b"" if body is None else json.dumps(body).encode()
    answer = bytearray()

    async def receive() -> Message:
        return {"type": "http.request", "body": content, "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            assert message["status"] < 400, message
        answer.extend(message.get("body", b""))

    path, _, query = path.partition("?")
    scope = {
        "type": "http",
        "method": method,
        "path": f"/v1{path}",
        "raw_path": f"/v1{path}".encode(),
        "query_string": query.encode(),
        "headers": [(b"content-type", b"application/json")],
        "http_version": "1.1",
        "scheme": "http",
        "server": ("127.0.0.1", 0),
        "client": ("127.0.0.1", 0),
        "root_path": "",
        "state": {"credential": API_KEY_CREDENTIAL, "observed": True},
    }
    await app(scope, receive, send)
    return json.loads(answer) if answer else None


def _listener() -> socket.socket:
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener

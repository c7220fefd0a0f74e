"""A server at the level of sockets that plays a script, one act a connection, so that it can misbehave exactly."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import socket
import struct
import threading
from typing import TYPE_CHECKING, Any, Self

from tests.tooken.support import MovedClock

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PATIENCE = 20.0
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Act:
    """What the server does with one connection.

    Attributes:
        reads: whether it reads the request, rather than only waiting for it: a reset while the client still connects
            would be a connection that never came about.
        sends: what it sends then; nothing = it resets the connection.
    """

    reads: bool = True
    sends: bytes = b""


RESET_UNREAD = Act(reads=False)
RESET = Act()


def answer(status: int, body: Any = None, *, headers: Mapping[str, str] | None = None, missing: int = 0) -> Act:
    """An answer in full, or with its last bytes missing; text stands as it is, anything else as JSON."""
    content = b"" if body is None else (body if isinstance(body, str) else json.dumps(body)).encode()
    told = {"Connection": "close"} if status == 204 else {"Connection": "close", "Content-Length": str(len(content))}
    head = "".join(f"{name}: {value}\r\n" for name, value in {**told, **(headers or {})}.items())
    whole = f"HTTP/1.1 {status} Scripted\r\n{head}\r\n".encode() + content
    return Act(sends=whole[: len(whole) - missing])


class Scripted:
    """The server, from entry to exit. Until it is opened, every connection is refused.

    Attributes:
        url: the base URL.
        connections: how many came.
        heard: the requests that were read, in order: method with path, and body.
    """

    def __init__(self, script: Sequence[Act], *, opened: bool = True) -> None:
        self._script = list(script)
        self._listener = socket.socket()
        self._listener.bind(("127.0.0.1", 0))  # nobody else gets the port, and nobody listens on it yet
        self._thread = threading.Thread(target=self._play)
        self._opened = False
        self._over = False
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/v1"
        self.connections = 0
        self.heard: list[tuple[str, bytes]] = []
        if opened:
            self.open()

    def open(self) -> None:
        """Takes connections from now on."""
        if not self._opened:
            self._opened = True
            self._listener.listen(16)
            self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._opened:
            self._over = True
            with contextlib.suppress(OSError), socket.create_connection(self._listener.getsockname(), PATIENCE):
                self._thread.join(PATIENCE)
            assert not self._thread.is_alive()
        self._listener.close()

    def _play(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            with connection:
                if self._over:
                    return
                act = self._script[self.connections] if self.connections < len(self._script) else RESET_UNREAD
                self.connections += 1
                connection.settimeout(PATIENCE)
                self._do(act, connection)

    def _do(self, act: Act, connection: socket.socket) -> None:
        if act.reads:
            self.heard.append(_request(connection))
        else:
            connection.recv(1, socket.MSG_PEEK)
        if act.sends:
            connection.sendall(act.sends)
        else:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)


def _request(connection: socket.socket) -> tuple[str, bytes]:
    with connection.makefile("rb") as stream:
        line = stream.readline().decode().rpartition(" ")[0]
        headers = dict(text.decode().lower().split(": ", 1) for text in iter(stream.readline, b"\r\n"))
        return line, stream.read(int(headers.get("content-length", "0")))


class OpeningClock(MovedClock):
    """A clock whose first wait opens the server: whoever was refused before finds it open afterwards."""

    def __init__(self, server: Scripted) -> None:
        super().__init__()
        self._server = server

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        self._server.open()

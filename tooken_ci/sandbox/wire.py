"""Replies as bytes, and the ways to spoil one that ASGI has no words for."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.h11_impl import H11Protocol

from tooken_ci.sandbox.errors import error_body

if TYPE_CHECKING:
    import asyncio

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

MISSING_BYTES = 64
"""How many bytes more a truncated reply promises than it would have had."""


@dataclass(kw_only=True, slots=True)
class Reply:
    """A whole reply, held back until it is known what becomes of it."""

    status: int = 500
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""

    def set_header(self, name: str, value: str) -> None:
        """Sets a header in place of any of that name."""
        key = name.lower().encode("latin-1")
        self.headers = [pair for pair in self.headers if pair[0].lower() != key]
        self.headers.append((key, value.encode("latin-1")))


def error_reply(status: int, message: str) -> Reply:
    """Returns an error in the documented shape."""
    return whole_reply(status, "application/json", json.dumps(error_body(status, message)).encode())


def whole_reply(status: int, content_type: str, body: bytes) -> Reply:
    """Returns a reply with its content type and length."""
    reply = Reply(status=status, body=body)
    reply.set_header("Content-Type", content_type)
    reply.set_header("Content-Length", str(len(body)))
    return reply


async def read_request(receive: Receive) -> Receive:
    """Reads a request to its end and returns it to be read once more.

    What has arrived is worked on, however long that takes and whether or not the client is still there: without
    this, a request whose client gave up during a delay would be forgotten instead of done late.
    """
    messages: list[Message] = []
    while not messages or messages[-1].get("more_body", False):
        messages.append(await receive())
    messages.reverse()

    async def read_again() -> Message:
        return messages.pop() if messages else await receive()

    return read_again


async def answer(app: ASGIApp, scope: Scope, receive: Receive) -> Reply:
    """Lets the app do its work and returns its reply instead of sending it."""
    reply = Reply()
    chunks: list[bytes] = []

    async def keep(message: Message) -> None:
        if message["type"] == "http.response.start":
            reply.status = message["status"]
            reply.headers = [*message["headers"]]
        elif message["type"] == "http.response.body":
            chunks.append(message.get("body", b""))

    await app(scope, receive, keep)
    reply.body = b"".join(chunks)
    return reply


async def send_reply(reply: Reply, send: Send) -> None:
    """Sends a whole reply."""
    await send({"type": "http.response.start", "status": reply.status, "headers": reply.headers})
    await send({"type": "http.response.body", "body": reply.body})


class Connections:
    """The open connections by the client's address, which is how ASGI tells whose request it is."""

    def __init__(self) -> None:
        self._transports: dict[tuple[str, int], asyncio.Transport] = {}

    def protocol(self) -> type[H11Protocol]:
        """Returns uvicorn's protocol, made to enter its connections here."""
        transports = self._transports

        class Protocol(H11Protocol):
            def connection_made(self, transport: Any) -> None:
                super().connection_made(transport)
                if self.client is not None:
                    transports[self.client] = transport

            def connection_lost(self, exc: Exception | None) -> None:
                if self.client is not None:
                    transports.pop(self.client, None)
                super().connection_lost(exc)

        return Protocol

    def abort(self, scope: Scope) -> None:
        """Closes the connection of a request at once."""
        if (transport := self._transport(scope)) is not None:
            transport.abort()

    async def drop(self, scope: Scope, receive: Receive) -> None:
        """Closes the connection of a request without a byte of reply."""
        self.abort(scope)
        await _gone(receive)

    async def truncate(self, reply: Reply, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends less than the reply's length says and closes the connection."""
        reply.set_header("Content-Length", str(len(reply.body) + MISSING_BYTES))
        await send({"type": "http.response.start", "status": reply.status, "headers": reply.headers})
        await send({"type": "http.response.body", "body": reply.body[: len(reply.body) // 2], "more_body": True})
        if (transport := self._transport(scope)) is not None:
            transport.close()
        await _gone(receive)

    def _transport(self, scope: Scope) -> asyncio.Transport | None:
        """Returns None where the client has left already."""
        host, port = scope["client"]
        return self._transports.get((host, port))


async def _gone(receive: Receive) -> None:
    """Waits until the server has noticed; it would reply by itself if it were told of the end any sooner."""
    while (await receive())["type"] != "http.disconnect":
        pass

"""What every API request passes on its way in and out: log, faults, quota, latency, identity, headers."""

from __future__ import annotations

import asyncio
import logging
from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.datastructures import Headers

from tooken_ci.sandbox.credentials import bearer_secret
from tooken_ci.sandbox.faults import Fault, FaultKind
from tooken_ci.sandbox.wire import Connections, Reply, answer, error_reply, read_request, send_reply, whole_reply

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from tooken_ci.sandbox.ratelimit import Allowance
    from tooken_ci.sandbox.requestlog import RequestRecord
    from tooken_ci.sandbox.workspace import Workspace

_logger = logging.getLogger(__name__)

OBSERVER = "/_sandbox"
"""Before /v1: the same API past log, faults, quota and latency, where no token counts as used."""

HTML = b"<!DOCTYPE html>\n<html><head><title>Proxy</title></head><body><h1>Please stand by</h1></body></html>\n"


class Gate:
    """The ASGI application around the API; what is not under /v1 goes straight through."""

    def __init__(self, app: ASGIApp, *, workspace: Workspace, connections: Connections) -> None:
        self._app = app
        self._workspace = workspace
        self._connections = connections

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif scope["path"] == "/v1" or scope["path"].startswith("/v1/"):
            try:
                await self._handle_api(scope, receive, send)
            except asyncio.CancelledError:
                # The server is ending; uvicorn would answer by itself, in no documented shape.
                self._connections.abort(scope)
                raise
        elif scope["path"].startswith(OBSERVER + "/v1/"):
            await self._observe(scope, receive, send)
        else:
            reply = await self._answer(scope, receive)
            reply.set_header("Date", self._workspace.clock.http_date())
            await send_reply(reply, send)

    async def _observe(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves the API with nothing in between and without a trace, for tests that look at the outcome."""
        inner = {**scope, "path": scope["path"].removeprefix(OBSERVER)}
        secret = bearer_secret(Headers(scope=scope).get("authorization"))
        inner["state"] = {"credential": self._workspace.tokens.identify(secret), "observed": True}
        reply = await self._answer(inner, receive)
        reply.set_header("Date", self._workspace.clock.http_date())
        await send_reply(reply, send)

    async def _handle_api(self, scope: Scope, receive: Receive, send: Send) -> None:
        workspace = self._workspace
        method, path = scope["method"], scope["path"]
        arrival = asyncio.get_running_loop().time()
        record = workspace.requests.open(
            method=method, path=path, query=scope["query_string"].decode("latin-1"), at=workspace.clock.now()
        )
        fault = workspace.faults.strike(record.n, method, path)
        record.fault = fault.do.value if fault else None
        if fault and fault.do is FaultKind.DROP_BEFORE:
            self._identify(scope, record)
            await self._connections.drop(scope, receive)
            return
        allowance = workspace.quota.take()
        record.reset = allowance.reset
        request = await read_request(receive)
        # Half of the latency is the way here and half the way back, so that the work is done within it.
        way = workspace.latency / 2
        delay = fault.seconds if fault and fault.do is FaultKind.DELAY else 0
        await _wait_until(arrival + way + delay)
        self._identify(scope, record)
        reply = await self._reply(scope, request, allowance, fault)
        await _wait_until(arrival + way + delay + way)
        if fault and fault.do is FaultKind.DROP_AFTER:
            await self._connections.drop(scope, receive)
            return
        record.status = reply.status
        reply.set_header("Date", workspace.clock.http_date())
        if fault and fault.do is FaultKind.TRUNCATED:
            await self._connections.truncate(reply, scope, receive, send)
            return
        await send_reply(reply, send)

    def _identify(self, scope: Scope, record: RequestRecord) -> None:
        credential = self._workspace.tokens.identify(bearer_secret(Headers(scope=scope).get("authorization")))
        scope["state"] = {"credential": credential, "observed": False}
        record.credential = credential.label if credential else None

    async def _reply(self, scope: Scope, receive: Receive, allowance: Allowance, fault: Fault | None) -> Reply:
        headers = allowance.headers()
        if allowance.refused:
            reply = error_reply(429, "The workspace's request quota is used up until the reset.")
        elif fault and fault.do is FaultKind.RATE_LIMITED:
            reply = error_reply(429, "The workspace's request quota is used up (injected).")
            # As if others had just spent the rest.
            headers = headers | {"X-RateLimit-Remaining": "0"} if fault.headers else {}
            if fault.retry_after is not None:
                reply.set_header("Retry-After", str(fault.retry_after))
        elif fault and fault.do is FaultKind.ERROR_BEFORE:
            reply = error_reply(fault.status or 500, "The server failed before the work was done (injected).")
        else:
            reply = await self._answer(scope, receive)
        if fault and fault.do is FaultKind.ERROR_AFTER:
            reply = error_reply(fault.status or 500, "The server failed after the work was done (injected).")
        elif fault and fault.do is FaultKind.HTML:
            status = fault.status or (reply.status if reply.body else HTTPStatus.OK)
            reply = whole_reply(status, "text/html; charset=utf-8", HTML)
        for name, value in headers.items():
            reply.set_header(name, value)
        return reply

    async def _answer(self, scope: Scope, receive: Receive) -> Reply:
        try:
            return await answer(self._app, scope, receive)
        except Exception:
            _logger.exception("a request failed in the sandbox itself")
            return error_reply(500, "The sandbox has a bug; its standard error says more.")


async def _wait_until(moment: float) -> None:
    """Waits until the event loop's clock says so; a moment that has passed costs nothing."""
    seconds = moment - asyncio.get_running_loop().time()
    if seconds > 0:
        await asyncio.sleep(seconds)

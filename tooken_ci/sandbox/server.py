"""Puts the sandbox together and serves it."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
from typing import TYPE_CHECKING

import uvicorn
from fastapi import FastAPI

from tooken_ci.sandbox import api, control
from tooken_ci.sandbox.errors import install_error_handlers
from tooken_ci.sandbox.gate import Gate
from tooken_ci.sandbox.settings import SandboxConfigError
from tooken_ci.sandbox.wire import Connections
from tooken_ci.sandbox.workspace import open_workspace

if TYPE_CHECKING:
    from types import FrameType

    from starlette.types import ASGIApp

    from tooken_ci.sandbox.clock import Clock
    from tooken_ci.sandbox.settings import SandboxSettings

BACKLOG = 2048


def create_app(
    settings: SandboxSettings, *, clock: Clock | None = None, connections: Connections | None = None
) -> ASGIApp:
    """Returns the sandbox as an ASGI application, its database opened and seeded.

    Args:
        settings: the options.
        clock: where the time comes from; the machine's clock by default.
        connections: the server's connections; without them the faults that close one can't work.

    Raises:
        SandboxConfigError: a file that the options name can't be used.
    """
    app = FastAPI(title="Tooken API (sandbox)", version="1", docs_url=None, redoc_url=None, redirect_slashes=False)
    app.state.workspace = workspace = open_workspace(settings, clock)
    app.include_router(api.router)
    app.include_router(control.router)
    install_error_handlers(app)
    return Gate(app, workspace=workspace, connections=connections or Connections())


def serve(settings: SandboxSettings) -> None:
    """Serves until SIGTERM or SIGINT; once it listens, prints one line of JSON that says where.

    Raises:
        SandboxConfigError: the address or a file that the options name can't be used.
    """
    connections = Connections()
    app = create_app(settings, connections=connections)
    listener = _listen(settings)
    config = uvicorn.Config(
        app,
        http=connections.protocol(),
        ws="none",
        loop="asyncio",
        lifespan="off",
        log_config=None,
        log_level="critical",
        access_log=False,
        proxy_headers=False,
        date_header=False,
        server_header=False,
        backlog=BACKLOG,
        timeout_graceful_shutdown=0,
    )
    asyncio.run(_Server(config, settings, listener).serve(sockets=[listener]))


class _Server(uvicorn.Server):
    """uvicorn's server, which tells when it listens and takes a signal as a wish, not as a death."""

    def __init__(self, config: uvicorn.Config, settings: SandboxSettings, listener: socket.socket) -> None:
        super().__init__(config)
        host, port = listener.getsockname()[:2]
        shown = f"[{host}]" if ":" in host else host
        self._address = {"url": f"http://{shown}:{port}/v1", "api_key": settings.api_key, "pid": os.getpid()}

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        sys.stdout.write(json.dumps(self._address) + "\n")
        sys.stdout.flush()

    def handle_exit(self, _sig: int, _frame: FrameType | None) -> None:
        # uvicorn would raise the signal once more at the end, and the exit code would tell of a failure.
        self.should_exit = True


def _listen(settings: SandboxSettings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        listener = socket.create_server((settings.host, settings.port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise SandboxConfigError(f"can't listen on {settings.host} port {settings.port}: {error}") from error
    # Connections inherit it. asyncio sets it only on sockets that name their protocol, and without it the body
    # of each reply would wait some 40 ms for the client's acknowledgement of the headers.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener

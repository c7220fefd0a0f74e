"""What the tests' own servers have in common: a free port of this machine, a thread, and no words."""

from __future__ import annotations

import ssl
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


class Handler(BaseHTTPRequestHandler):
    """Answers requests on connections that are kept, and says nothing about it."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_: object) -> None:
        """Says nothing."""


class Serving(ThreadingHTTPServer):
    """A server in a thread of its own, from ``begin`` to ``end``.

    Attributes:
        url: its address.
    """

    daemon_threads = True

    def __init__(self, handler: type[BaseHTTPRequestHandler], certificate: Path | None = None) -> None:
        """Makes one that listens already; with a certificate, and the key in the same file, it speaks TLS."""
        super().__init__(("127.0.0.1", 0), handler)
        self.url = f"http{'' if certificate is None else 's'}://127.0.0.1:{self.server_port}"
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.socket = context.wrap_socket(self.socket, server_side=True)

    def begin(self) -> None:
        """Answers from now on."""
        self._thread.start()

    def end(self) -> None:
        """Answers nothing any more, and frees the port."""
        self.shutdown()
        self._thread.join()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Says nothing of clients that leave."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)

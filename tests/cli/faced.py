"""An API that a test answers for, and this process made a run against it on GitHub's runner."""

from __future__ import annotations

import contextlib
import http
import json
import logging
from typing import TYPE_CHECKING, Any

from tests.e2e.project import entry, spec
from tests.support.serving import Handler, Serving
from tests.tooken.support import error_body, page_body, token_body
from tooken_ci.cli import privacy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    import pytest


class Api:
    """What the API answers, and the folder that it is asked from.

    Attributes:
        folder: holds the spec, and what the run writes.
        refuses: what it says on refusing every request; empty = it refuses none.
        refuses_writes: what it says on refusing to make a token.
        header: a line among the headers of each answer.
        names: of the tokens that there are.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.refuses = ""
        self.refuses_writes = ""
        self.header = ""
        self.names: tuple[str, ...] = ()

    def write(self, data: Mapping[str, Any]) -> None:
        """Writes the spec."""
        (self.folder / "tooken.yml").write_text(json.dumps(data), encoding="utf-8")

    def written(self, *names: str) -> list[str]:
        """What the run wrote to these files."""
        return [(self.folder / name).read_text(encoding="utf-8") for name in names]

    def answer(self, method: str) -> bytes:
        """A whole answer to a request."""
        tokens = [token_body(id=f"tok_{number:024}", name=name) for number, name in enumerate(self.names)]
        status, body = 200, page_body(tokens, total=len(tokens))
        if said := self.refuses or (self.refuses_writes if method == "POST" else ""):
            status, body = 400, error_body(400, message=said)
        text = json.dumps(body)
        lines = (
            f"HTTP/1.1 {status} {http.HTTPStatus(status).phrase}",
            "Date: Mon, 23 Nov 2026 19:20:15 GMT",
            "Content-Type: application/json",
            f"Content-Length: {len(text)}",
            *filter(None, [self.header]),
        )
        return ("".join(f"{line}\r\n" for line in lines) + "\r\n" + text).encode()


@contextlib.contextmanager
def faced(folder: Path, monkeypatch: pytest.MonkeyPatch, key: str) -> Iterator[Api]:
    """An API for the runs in this process, whose folder has a spec with one entry."""
    api = Api(folder)

    class Answering(Handler):
        def _answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.wfile.write(api.answer(self.command))

        def __getattr__(self, name: str) -> Callable[[], None]:
            if name.startswith("do_"):
                return self._answer
            raise AttributeError(name)

    monkeypatch.setattr(privacy, "keep_memory_private", lambda: None)  # it would last
    monkeypatch.chdir(folder)
    api.write(spec({"a": entry(deliver=[{"file": {"path": "out/a", "persistent": True}}])}))
    root, ours = logging.getLogger(), logging.getLogger("tooken_ci")
    handlers, level, our_level = root.handlers[:], root.level, ours.level
    server = Serving(Answering)
    server.begin()
    for name, value in {
        "TOOKEN_API_URL": f"{server.url}/v1",
        "TOOKEN_API_KEY": key,
        "TOOKEN_BUSY_GRACE": "0",
        "GITHUB_ACTIONS": "true",
        "GITHUB_OUTPUT": str(folder / "outputs"),
        "GITHUB_STEP_SUMMARY": str(folder / "summary"),
    }.items():
        monkeypatch.setenv(name, value)
    try:
        yield api
    finally:
        server.end()
        root.handlers[:] = handlers
        root.setLevel(level)
        ours.setLevel(our_level)

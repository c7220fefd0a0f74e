"""Keys and servers that cannot be used: each has its own clear message and exit code, and nothing is changed."""

from __future__ import annotations

import http.server
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.e2e.project import Project, entry, names, spec
from tests.support.sandbox import RunningSandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEPT = {"ci": entry("ci"), "shrinking": entry("shrinking")}
"""What is there before; then each test asks for a create, a replace and a revocation."""

WANTED = spec({"shrinking": entry("shrinking", scopes=["audit:read"]), "new": entry("new")}, absent=["ci"])


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """Gives a project whose spec asks for a create, a replace and a revocation."""
    with RunningSandbox() as sandbox:
        project = Project(tmp_path_factory.mktemp("shared") / "project", sandbox)
        project.write(spec(KEPT))
        project.apply()
        project.write(WANTED)
        yield project


@pytest.fixture
def changing(shared: Project) -> Project:
    """Gives that project with the right key and address; no test may change more of it."""
    shared.key, shared.url = shared.sandbox.api_key, shared.sandbox.url
    shared.sandbox.set_faults([])
    return shared


@contextmanager
def _server(answer: bytes) -> Iterator[str]:
    """A server that is not the API, whatever it is asked."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1"
        server.shutdown()
        thread.join(timeout=10)


@pytest.mark.parametrize("command", ["plan", "apply"])
def test_no_key(changing: Project, command: str) -> None:
    """Without a key the message names the variable and the option that give it."""
    changing.key = None
    with changing.unchanged():
        ended = changing.run(command, "--format", "json", code=2)
    assert ended.data["error"]["code"] == "no_key"
    ended.says("no API key", "TOOKEN_API_KEY", "--api-key-file")


@pytest.mark.parametrize("key", ["", "  \n", "short", "two words of a key", "tok_live_\u00fcber_secret"])
def test_no_key_at_all(changing: Project, key: str) -> None:
    """A key that is empty, or that no API gives, is refused before anything is sent, and not shown."""
    changing.key = None
    with changing.unchanged():
        ended = changing.run("plan", code=2, env={"TOOKEN_API_KEY": key})
    ended.says("key", "TOOKEN_API_KEY")
    assert not key.strip() or key not in ended.err


def test_key_from_a_file(changing: Project, tmp_path: Path) -> None:
    """A key can come from a file, which goes before the variable; no option takes its value."""
    file = tmp_path / "key"
    file.write_text(f"{changing.key}\n", encoding="utf-8")
    file.chmod(0o600)
    changing.key = "tok_live_another_one_that_is_wrong"
    changing.run("plan", "--api-key-file", str(file))
    with changing.unchanged():
        changing.run("plan", "--api-key-file", str(tmp_path / "none"), code=2).says("cannot be read", "--api-key-file")
        changing.run("plan", "--api-key", "x", code=2).says("no such option")


@pytest.mark.parametrize("command", ["plan", "apply"])
def test_wrong_key(changing: Project, command: str) -> None:
    """A key that the API does not know is told as such, and where to set another."""
    changing.key = "tok_live_wrong_" + "x" * 20
    with changing.unchanged():
        ended = changing.run(command, "--format", "json", code=1)
    assert ended.data["error"]["code"] == "api_unauthorized"
    ended.says("does not accept the key", "TOOKEN_API_KEY")


@pytest.mark.parametrize("missing", ["tokens:read", "tokens:write", "tokens:revoke"])
def test_key_without_a_scope(changing: Project, missing: str) -> None:
    """A key that lacks a scope is found out before the first change, and the message names the scope."""
    rest = [scope for scope in ("tokens:read", "tokens:write", "tokens:revoke") if scope != missing]
    changing.key = changing.sandbox.create(f"all but {missing}", *rest)["token"]
    with changing.unchanged():
        ended = changing.run("apply", "--format", "json", code=1)
    assert ended.data["error"]["code"] == "api_forbidden"
    ended.says("lacks the scope", missing)
    assert not any(scope in ended.err for scope in rest)


def test_key_with_no_more_scopes_than_needed(project: Project) -> None:
    """A key with the three scopes that the plan needs is enough; one that only reads is enough for a plan."""
    project.write(spec(KEPT))
    project.apply()
    project.write(WANTED)
    project.key = project.sandbox.create("reader", "tokens:read")["token"]
    project.plan()
    project.key = project.sandbox.create("provisioner", "tokens:read", "tokens:write", "tokens:revoke")["token"]
    project.apply()
    assert names(project.sandbox) == ["new", "provisioner", "reader", "shrinking.g2"]


def test_unreachable(changing: Project) -> None:
    """An API that does not answer is told with its address and what to check."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, but nobody listens
        changing.url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
        with changing.unchanged():
            ended = changing.run("apply", "--format", "json", code=1)
    assert ended.data["error"]["code"] == "api_unreachable"
    ended.says("cannot be reached", changing.url, "--api-url")


def test_html_instead_of_json(changing: Project) -> None:
    """A page instead of JSON is told as something that is not the API, and what may stand in between."""
    page = b"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n<html><title>Please log in</title></html>"
    with _server(page) as changing.url, changing.unchanged():
        ended = changing.run("apply", "--format", "json", code=1)
    assert ended.data["error"]["code"] == "api_unexpected"
    ended.says("not JSON", "text/html", "proxy")


def test_html_once_all_was_planned(changing: Project) -> None:
    """A proxy that answers the probe with a page stops apply before the first change."""
    changing.sandbox.set_faults([{"do": "html", "method": "POST", "status": 200}])
    before = changing.snapshot()
    ended = changing.run("apply", "--format", "json", code=1)
    assert changing.snapshot() == before
    assert ended.data["error"]["code"] == "api_unexpected"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"HTTP/1.0 302 Found\r\nLocation: http://127.0.0.1:1/v1\r\n\r\n", ["redirect", "302", "not sent on"]),
        (b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n[]", ["list of tokens", "--api-url"]),
        (b'HTTP/1.0 404 Not Found\r\n\r\n{"error": "not_found"}', ["not found", "/v1"]),
    ],
    ids=["a redirect", "another shape", "not found"],
)
def test_something_else(changing: Project, answer: bytes, words: list[str]) -> None:
    """A server that is something else is told by what it answered."""
    with _server(answer) as changing.url, changing.unchanged():
        changing.run("apply", code=1).says(*words)


@pytest.mark.parametrize("url", ["http://api.example/v1", "ftp://127.0.0.1/v1", "https://user:pass@127.0.0.1/v1", "x"])
def test_an_address_that_may_not_be_used(changing: Project, url: str) -> None:
    """The key is not sent in the clear over a network, nor to what is no address."""
    changing.url = url
    with changing.unchanged():
        changing.run("plan", code=2).says("API address")

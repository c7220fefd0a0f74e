from __future__ import annotations

import contextlib
import http.server
import json
import threading
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.tooken.support import make_client, numbered, page_body
from tooken_ci.base.errors import WorkspaceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WORKERS = 8
"""What a client has unless it is told otherwise."""

PATIENCE = 10.0


class Moving(http.server.ThreadingHTTPServer):
    """A list of tokens that changes just after the first page was read.

    Attributes:
        tokens: what is there.
        changes: are done to it, one each time that the first page was read.
        gate: is passed with each page's number before the page is answered; raises ``TimeoutError`` if nothing comes.
        events: what was asked and what was answered, in order, by page.
        connections: how many came.
    """

    request_queue_size = 64

    def __init__(self, tokens: int) -> None:
        super().__init__(("127.0.0.1", 0), Page)
        self.tokens = numbered(1, tokens)
        self.changes: list[Callable[[list[dict[str, Any]]], object]] = []
        self.gate: Callable[[int], object] = lambda _: None
        self.events: list[tuple[str, int]] = []
        self.connections = 0
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    def get_request(self) -> Any:
        self.connections += 1
        return super().get_request()

    def page(self, number: int) -> tuple[int, dict[str, Any]]:
        with self._lock:
            self.events.append(("asked", number))
        try:
            self.gate(number)
        except (TimeoutError, threading.BrokenBarrierError):
            return 400, {"error": "bad_request", "message": "the other pages do not come"}
        with self._lock:
            self.events.append(("answered", number))
            body = page_body(self.tokens[100 * number - 100 : 100 * number], page=number, total=len(self.tokens))
            if number == 1 and self.changes:
                self.changes.pop(0)(self.tokens)
            return 200, body

    def asked(self) -> list[list[int]]:
        """The pages that were asked for, of each listing, sorted."""
        listings: list[list[int]] = []
        for event, number in self.events:
            if event == "asked":
                if number == 1:
                    listings.append([])
                listings[-1].append(number)
        return [sorted(pages) for pages in listings]


class Page(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Moving

    def do_GET(self) -> None:
        status, data = self.server.page(int(parse_qs(urlsplit(self.path).query)["page"][0]))
        body = json.dumps(data).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in (("Limit", 9000), ("Remaining", 9000), ("Reset", int(time.time()) + 3600)):
            self.send_header(f"X-RateLimit-{name}", str(value))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@contextlib.contextmanager
def moving(tokens: int, *changes: Callable[[list[dict[str, Any]]], object]) -> Iterator[Moving]:
    with Moving(tokens) as server:
        server.changes = list(changes)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join(PATIENCE)


def one_goes(tokens: list[dict[str, Any]]) -> None:
    """After it the pages' totals disagree."""
    del tokens[-1]


def one_moves(tokens: list[dict[str, Any]]) -> None:
    """After it every total agrees, but one token is seen twice and another not at all."""
    tokens.append(tokens.pop(0))


def one_for_another(tokens: list[dict[str, Any]]) -> None:
    """After it every count agrees: one that was read is gone, one that lives was not read, and a new one was."""
    tokens.append({**tokens.pop(0), "id": "tok_new", "name": "new"})


@pytest.mark.parametrize("change", [one_goes, one_moves])
@pytest.mark.parametrize("times", [1, 2])
def test_a_list_that_changes_is_read_anew(change: Any, times: int) -> None:
    """Pages that do not fit together are read again from the first one on, until a whole list was read."""
    with moving(650, *[change] * times) as server:
        found = make_client(url=server.url).active()
        assert [token.id for token in found] == [token["id"] for token in server.tokens]
    listings = server.asked()
    assert len(listings) == times + 1
    assert listings[-1] == [1, 2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize("change", [one_goes, one_moves])
def test_a_list_that_never_rests(change: Any) -> None:
    """After three listings that do not fit together none is tried any more, and no part of one is given."""
    with moving(650, *[change] * 9) as server, pytest.raises(WorkspaceError, match="changing too fast"):
        make_client(url=server.url).active()
    assert len(server.asked()) == 3


def test_what_no_count_shows() -> None:
    """A token that goes while another comes cannot be noticed: the list is taken as it was read, once."""
    before = [token["id"] for token in numbered(1, 650)]
    with moving(650, one_for_another) as server:
        found = make_client(url=server.url).active()
    assert [token.id for token in found] == [*before[:100], *before[101:], "tok_new"]
    assert server.asked() == [[1, 2, 3, 4, 5, 6, 7]]


def test_pages_are_read_side_by_side() -> None:
    """The first page is asked for alone, and the others as many at once as there are workers."""
    all_at_once = threading.Barrier(WORKERS, timeout=PATIENCE)
    with moving(1700) as server:
        server.gate = lambda number: number == 1 or all_at_once.wait()
        assert len(make_client(url=server.url).active()) == 1700
    assert server.events[:2] == [("asked", 1), ("answered", 1)]
    assert server.asked() == [list(range(1, 18))]
    assert server.connections == WORKERS


def test_connections_are_used_again() -> None:
    """Fifty pages take no more connections than there are workers."""
    with moving(5000) as server:
        assert len(make_client(url=server.url).active()) == 5000
    assert server.asked() == [list(range(1, 51))]
    assert server.connections <= WORKERS


def test_nothing_more_is_asked_of_a_listing_that_is_torn() -> None:
    """While the second page is awaited, two pages a worker are asked for ahead; where it disagrees, no more are."""
    others = threading.Semaphore(0)

    def second_after_the_others(number: int) -> None:
        if number > 2:
            others.release()
        for _ in range(2 * WORKERS - 1 if number == 2 else 0):
            if not others.acquire(timeout=PATIENCE):
                raise TimeoutError

    with moving(5000, one_goes) as server:
        server.gate = second_after_the_others
        assert len(make_client(url=server.url).active()) == 4999
    assert server.asked() == [list(range(1, 2 + 2 * WORKERS)), list(range(1, 51))]

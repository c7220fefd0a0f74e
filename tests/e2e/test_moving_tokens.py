"""The list of tokens shows what is not there and hides what is, with every count agreeing: nothing is lost by it."""

from __future__ import annotations

import contextlib
import http.server
import json
import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from tests.e2e.project import entry, names, spec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tests.e2e.project import Project

    Rewrite = Callable[[dict[str, Any]], None]

PATIENCE = 30
WIDE = entry("ci", scopes=["audit:read"])


class Proxy(http.server.BaseHTTPRequestHandler):
    """Passes all on to the sandbox, and rewrites the list of all active tokens."""

    protocol_version = "HTTP/1.1"
    api: str
    rewrite: Rewrite

    def pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        sent = {name: self.headers[name] for name in ("Authorization", "Content-Type") if name in self.headers}
        with requests.Session() as session:
            session.trust_env = False
            url = self.api.removesuffix("/v1") + self.path
            reply = session.request(self.command, url, data=body, headers=sent, timeout=PATIENCE)
        query = parse_qs(urlsplit(self.path).query)
        content = reply.content
        if self.command == "GET" and "status" in query and "name" not in query:
            data = reply.json()
            self.rewrite(data)
            content = json.dumps(data).encode()
        self.send_response_only(reply.status_code)
        for name, value in reply.headers.items():
            if name.lower() in {"date", "content-type"} or name.startswith("x-ratelimit-"):
                self.send_header(name, value)
        if reply.status_code != 204:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@contextlib.contextmanager
def torn(project: Project, rewrite: Rewrite) -> Iterator[list[dict[str, Any]]]:
    """Inside, the project sees the list as it is rewritten; gives the requests that were sent there."""
    methods = dict.fromkeys(("do_GET", "do_POST", "do_DELETE"), Proxy.pass_on)
    handler = type("Handler", (Proxy,), {**methods, "api": project.sandbox.url, "rewrite": staticmethod(rewrite)})
    asked: list[dict[str, Any]] = []
    start = len(project.sandbox.requests())
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        project.url = f"http://127.0.0.1:{server.server_port}/v1"
        try:
            yield asked
        finally:
            project.url = project.sandbox.url
            server.shutdown()
            thread.join(PATIENCE)
    asked += project.sandbox.requests()[start:]


def swapped(out: str, shown: Mapping[str, Any]) -> Rewrite:
    """A list in which another token stands where one of this name is."""

    def rewrite(page: dict[str, Any]) -> None:
        assert out in [token["name"] for token in page["data"]]
        page["data"] = [dict(shown) if token["name"] == out else token for token in page["data"]]

    return rewrite


def foreign(name: str = "somebody else's") -> dict[str, Any]:
    life = {"created_at": "2026-11-01T08:00:00Z", "expires_at": None, "last_used_at": None, "created_by": "them"}
    return {"id": "tok_000000000000000000000000", "name": name, "scopes": ["tokens:read"], "status": "active", **life}


def revoked(asked: list[dict[str, Any]]) -> list[str]:
    """The ids that were asked to be revoked; the probe of the scope apart."""
    ids = [request["path"].rpartition("/")[2] for request in asked if request["method"] == "DELETE"]
    return [token_id for token_id in ids if token_id != "tok_probe"]


def made(asked: list[dict[str, Any]]) -> list[int]:
    """The statuses that creations met; the probe of the scope apart."""
    return [request["status"] for request in asked if request["method"] == "POST" and request["status"] != 400]


def active(project: Project) -> dict[str, str]:
    return {token["name"]: token["id"] for token in project.sandbox.active_tokens()}


def two_generations(project: Project) -> dict[str, str]:
    """``ci`` retiring, ``ci.g2`` delivered; gives their ids by name. By the spec the older one may go now."""
    project.write(spec({"ci": {**entry("ci"), "rotation": {"overlap": "1h"}}}))
    project.apply()
    project.write(spec({"ci": {**WIDE, "rotation": {"overlap": "1h"}}}))
    project.apply()
    project.write(spec({"ci": WIDE}))
    project.sandbox.advance(240)
    return active(project)


def lose_delivery(project: Project) -> None:
    for name in ("ci", "ci.tooken"):
        (project.folder / name).unlink()


def settled(project: Project, *left: str) -> None:
    """An honest run, once no trace is young any more, ends with one living secret, and the next one finds nothing."""
    project.sandbox.advance(240)
    project.apply()
    project.converge()
    assert names(project.sandbox) == sorted(left)
    assert project.sandbox.authenticates(project.secret("ci"))


@pytest.mark.parametrize("reserved", ["reserved", "free"])
@pytest.mark.parametrize("hidden", ["ci", "ci.g2"])
def test_a_hidden_token_whose_delivery_is_lost(make_project: Any, hidden: str, reserved: str) -> None:
    """A creation under the name of a token that the list hides meets a conflict, and a look by name mends it all."""
    project = make_project(revoked_names=reserved)
    if hidden == "ci":
        project.write(spec({"ci": entry("ci")}))
        project.apply()
        project.sandbox.advance(240)
    else:
        two_generations(project)
    lose_delivery(project)
    with torn(project, swapped(hidden, foreign())) as asked:
        project.run("apply", "--deadline", "60s")
    assert made(asked) == [409, 201]
    assert project.sandbox.authenticates(project.secret("ci"))
    settled(project, "ci.g2" if hidden == "ci" else "ci.g3")


def test_a_hidden_token_that_is_recorded(project: Project) -> None:
    """A token that the list hides and a record names is asked for by its id: there is nothing to do."""
    project.write(spec({"ci": entry("ci")}))
    project.apply()
    with project.unchanged(), torn(project, swapped("ci", foreign())) as asked:
        data = project.apply()
    assert data["actions"] == []
    assert (made(asked), revoked(asked)) == ([], [])


def test_a_hidden_token_that_is_to_be_replaced(project: Project) -> None:
    """A token that the list hides is replaced under the right name, and goes once its successor is delivered."""
    project.write(spec({"ci": entry("ci")}))
    project.apply()
    old = active(project)["ci"]
    project.write(spec({"ci": WIDE}))
    with torn(project, swapped("ci", foreign())) as asked:
        project.apply()
    assert (made(asked), revoked(asked)) == ([201], [old])
    settled(project, "ci.g2")


def test_a_hidden_token_that_one_destination_has_lost(project: Project) -> None:
    """A secret is copied from the destination that holds it, although the list hides its token."""
    project.write(spec({"ci": entry("copy", "ci")}))
    project.apply()
    kept = project.secret("copy")
    project.sandbox.advance(240)
    lose_delivery(project)
    with torn(project, swapped("ci", foreign())) as asked:
        project.apply()
    assert (made(asked), revoked(asked)) == ([], [])
    assert project.secret("ci") == project.secret("copy") == kept
    settled(project, "ci")


def test_a_token_is_shown_that_is_revoked(project: Project) -> None:
    """A replaced token that was revoked meanwhile, and is still shown, is not revoked again."""
    project.write(spec({"ci": entry("ci")}))
    project.apply()
    gone = project.sandbox.active_tokens()[0]
    project.sandbox.delete(f"/tokens/{gone['id']}")
    project.sandbox.create("other")
    project.sandbox.advance(240)
    project.write(spec({"ci": WIDE}))
    with torn(project, swapped("other", gone)) as asked:
        project.apply(code=0)
    assert (made(asked), revoked(asked)) == ([201], [])
    assert names(project.sandbox) == ["ci.g2", "other"]
    settled(project, "ci.g2", "other")


def test_the_newest_generation_is_shown_but_revoked(project: Project) -> None:
    """An older generation that is the last one alive is kept, whatever newer one the list still shows."""
    ids = two_generations(project)
    shown = project.sandbox.token(ids["ci.g2"])
    project.sandbox.delete(f"/tokens/{ids['ci.g2']}")
    project.sandbox.create("other")
    with torn(project, swapped("other", shown)) as asked:
        data = project.apply(code=0)
    assert [action["token"] for action in data["actions"]] == ["ci"]
    assert (made(asked), revoked(asked)) == ([], [])
    assert active(project)["ci"] == ids["ci"]
    settled(project, "ci.g3", "other")


def test_an_older_generation_is_shown_alone(project: Project) -> None:
    """An older generation that stands alone in the list goes only as a fresh look at the entry allows."""
    ids = two_generations(project)
    with torn(project, swapped("ci.g2", foreign())) as asked:
        project.apply()
    assert (made(asked), revoked(asked)) == ([], [ids["ci"]])
    settled(project, "ci.g2")


@pytest.mark.parametrize("removal", [{"absent": ["old-bot"]}, {"prune": ["old-*"]}], ids=["absent", "prune"])
@pytest.mark.parametrize("reused", [False, True], ids=["gone", "reused"])
def test_a_token_to_remove_that_is_no_longer_active(make_project: Any, removal: Any, *, reused: bool) -> None:
    """What is listed to be removed, but is gone, or has left its name to another, is not revoked, nor is the other."""
    project = make_project(revoked_names="free")
    project.write(spec({"ci": entry("ci")}, **removal))
    project.apply()
    gone = {key: value for key, value in project.sandbox.create("old-bot").items() if key != "token"}
    project.sandbox.delete(f"/tokens/{gone['id']}")
    now = "old-bot" if reused else "other"
    project.sandbox.create(now)
    before = active(project)
    with torn(project, swapped(now, gone)) as asked:
        data = project.apply(code=0)
    assert [action["id"] for action in data["actions"]] == [gone["id"]]
    assert (made(asked), revoked(asked)) == ([], [])
    assert active(project) == before
    settled(project, "ci", *(() if reused else ["other"]))


def test_a_list_that_never_agrees(make_project: Any) -> None:
    """A list whose two pages never fit together changes nothing, and says why."""
    project = make_project(seed=150)
    project.write(spec({"ci": entry("ci")}))
    project.apply()
    project.write(spec({"ci": WIDE, "new": entry("new")}, absent=["old-bot"]))

    def rewrite(page: dict[str, Any]) -> None:
        page["meta"]["total"] += page["meta"]["page"]

    with project.unchanged(), torn(project, rewrite) as asked:
        project.run("apply", code=1).says("changed while it was read", "changing too fast")
    assert [request["method"] for request in asked] == ["GET"] * 6

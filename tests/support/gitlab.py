"""A GitLab with CI/CD variables, notes, issues, and little else: a real HTTP server on loopback, which keeps them.

It follows GitLab's documented REST API, and its models where the documents are silent: which fields a PUT may leave
out, the texts of refusals, what a token without scope or role is told, and how lists are paged.
"""

from __future__ import annotations

import dataclasses
import json
import re
import threading
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

import gitlab

from tests.support.serving import Handler, Serving

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

TOKEN = "glpat-fake-0123456789abcdef"
ADMIN = "glpat-fake-admin-9876543210"
READER = "glpat-fake-reader-456789012"

_KEY = re.compile(r"[a-zA-Z0-9_]+")
_SCOPE = re.compile(r"[a-zA-Z0-9_/\\${}. \-*]+")
_MASKED = re.compile(r"[a-zA-Z0-9_+=/@:.~-]{8,}")
_MASKED_RAW = re.compile(r"\S{8,}")
USERS = {ADMIN: 1, TOKEN: 11, READER: 12}
"""Whom each token writes as."""

_QUICK_ACTION = re.compile(r"^/[a-z_]+.*\n?", re.MULTILINE)
_FIELDS = ("value", "description", "masked", "protected", "raw", "variable_type", "environment_scope")
_LONGEST = 255
_NEEDED = {"projects": 40, "groups": 50}
_REPORTER = 20
_HANG = 20.0
"""Seconds after which an answer that is withheld comes after all: no client waits for so long."""


@dataclasses.dataclass
class Owner:
    """A project, a group or the instance.

    Attributes:
        kind: ``projects``, ``groups`` or ``admin``.
        path: its full path.
        level: the access that a token without admin rights has there.
        archived: a project that takes no change.
        moved_to: the path that it has now.
        variables: in the order in which they were made.
        issues: of a project, the same.
        notes: of its merge request 7, in the order in which they were made.
        commands: quick actions in notes, which were done.
        locked: that merge request takes no new notes.
    """

    kind: str
    path: str = ""
    level: int = 50
    archived: bool = False
    moved_to: str = ""
    variables: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    issues: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    notes: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    commands: list[str] = dataclasses.field(default_factory=list)
    locked: bool = False

    def note(self, author: int, body: str, **more: Any) -> dict[str, Any]:
        """Somebody writes a note on the merge request."""
        plain = {"id": 9000 + len(self.notes), "system": False, "internal": False, "resolvable": False, "edits": 0}
        self.notes.append({**plain, "body": body, "author": {"id": author}, **more})
        return self.notes[-1]

    def find(self, key: str, scope: str | None = "*") -> list[dict[str, Any]]:
        return [one for one in self.variables if one["key"] == key and scope in {None, one["environment_scope"]}]


@dataclasses.dataclass
class Fault:
    """What goes wrong with a request.

    Attributes:
        method: of the requests that it meets.
        match: a pattern that is searched for in their paths.
        status: answered instead of what came of it; 0 = the connection is cut.
        done: the request is done all the same.
        hangs: no answer comes.
        headers, body: of the answer.
        times: how often.
    """

    method: str
    match: str = ""
    status: int = 0
    done: bool = False
    hangs: bool = False
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    body: str = '{"message":"500 Internal Server Error"}'
    times: int = 1


@dataclasses.dataclass(frozen=True)
class Reply:
    status: int
    body: Any = None
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)


class RefusedError(Exception):
    def __init__(self, status: int, message: Any, *, key: str = "message") -> None:
        super().__init__(status, message)
        self.reply = Reply(status, {key: message} if key else message)


class FakeGitLab:
    """Runs from ``with`` to its end.

    Attributes:
        owners: by kind and lower-case path.
        scopes: of each token that is known.
        faults: what goes wrong; the first that fits counts.
        requests: method, path and status of all that was asked.
        describes, hides, scopes_groups: what this GitLab is new, or paid, enough for.
    """

    def __init__(self, certificate: Path | None = None) -> None:
        """Makes one that is not running yet; with a certificate, and the key in the same file, it speaks TLS."""
        self.owners: dict[tuple[str, str], Owner] = {("admin", ""): Owner("admin")}
        self.scopes = {TOKEN: ["api"], ADMIN: ["api", "admin_mode"], READER: ["read_api"]}
        self.faults: list[Fault] = []
        self.requests: list[tuple[str, str, int]] = []
        self.describes = self.hides = self.scopes_groups = True
        self.filters_groups = True
        self.lock = threading.RLock()
        self.released = threading.Event()
        self._server = Serving(type("Bound", (_Handler,), {"fake": self}), certificate)
        self.url = self._server.url

    def __enter__(self) -> Self:
        self._server.begin()
        return self

    def __exit__(self, *_: object) -> None:
        self.released.set()
        self._server.end()

    def project(self, path: str = "acme/shop", **changes: Any) -> Owner:
        return self.owners.setdefault(("projects", path.lower()), Owner("projects", path, **changes))

    def group(self, path: str = "acme", **changes: Any) -> Owner:
        return self.owners.setdefault(("groups", path.lower()), Owner("groups", path, **changes))

    @property
    def instance(self) -> Owner:
        return self.owners["admin", ""]

    def client(self, token: str = ADMIN) -> gitlab.Gitlab:
        """An independent reader."""
        return gitlab.Gitlab(self.url, private_token=token)

    def merge_request(self, owner: Owner, token: str = TOKEN) -> dict[str, str]:
        """What the pipeline of the merge request is told of it, and the token for its notes."""
        number = str(list(self.owners.values()).index(owner))
        return {
            "GITLAB_CI": "true",
            "CI_API_V4_URL": f"{self.url}/api/v4",
            "CI_MERGE_REQUEST_IID": "7",
            "CI_MERGE_REQUEST_PROJECT_ID": number,
            "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": number,
            "CI_PROJECT_ID": number,
            "TOOKEN_COMMENT_TOKEN": token,
        }

    def environment(self, token: str = TOKEN) -> dict[str, str]:
        """What the tool is told of it."""
        return {"CI_SERVER_URL": self.url, "GITLAB_TOKEN": token}

    def asked(self, method: str = "") -> list[tuple[str, str, int]]:
        return [request for request in self.requests if method in {"", request[0]}]

    def fault(self, method: str, path: str) -> Fault | None:
        """What goes wrong with this request; it does so once less from now on."""
        for fault in self.faults:
            if fault.times and fault.method == method and re.search(fault.match, path):
                fault.times -= 1
                return fault
        return None

    def serve(self, method: str, path: str, query: Mapping[str, Sequence[str]], body: Any, token: str) -> Reply:
        """Answers one request."""
        try:
            return _Request(self, method, {key: values[-1] for key, values in query.items()}, body, token).route(path)
        except RefusedError as refused:
            return refused.reply


class _Request:
    def __init__(self, fake: FakeGitLab, method: str, query: Mapping[str, str], body: Any, token: str) -> None:
        self.fake, self.method, self.query, self.body, self.token = fake, method, query, body, token

    def route(self, path: str) -> Reply:
        if self.token not in self.fake.scopes:
            raise RefusedError(401, "401 Unauthorized")
        parts = [unquote(part) for part in path.split("/")]
        match parts:
            case ["personal_access_tokens", "self"]:
                return Reply(200, {"id": 1, "active": True, "scopes": self.fake.scopes[self.token]})
            case ["user"]:
                self._scope()
                return Reply(200, {"id": USERS[self.token], "bot": True})
            case ["projects", path, "merge_requests", number, "notes", *note]:
                self._scope()
                return self._notes(self._owner("projects", path), number, "".join(note))
            case ["projects", path, *rest] if rest[:1] in ([], ["issues"]):
                self._scope()
                owner = self._owner("projects", path)
                return self._issues(owner, "".join(rest[1:])) if rest else self._project(owner)
            case ["projects" | "groups" as kind, path, "variables", *key]:
                self._scope()
                return self._variables(self._allowed(self._owner(kind, path)), "".join(key))
            case ["admin", "ci", "variables", *key]:
                self._scope()
                if self.token != ADMIN:
                    raise RefusedError(403, "403 Forbidden")
                return self._variables(self.fake.instance, "".join(key))
        raise RefusedError(404, "404 Not Found", key="error")

    def _scope(self) -> None:
        enough = {"api", "read_api"} if self.method == "GET" else {"api"}
        if enough.isdisjoint(self.fake.scopes[self.token]):
            told = "The request requires higher privileges than provided by the access token."
            raise RefusedError(403, {"error": "insufficient_scope", "error_description": told, "scope": "api"}, key="")

    def _owner(self, kind: str, path: str) -> Owner:
        numbered = dict(enumerate(self.fake.owners.values()))
        by_id = numbered.get(int(path)) if path.isdigit() else None
        owner = by_id if by_id is not None and by_id.kind == kind else self.fake.owners.get((kind, path.lower()))
        if owner is None or (self.token != ADMIN and owner.level == 0):
            raise RefusedError(404, f"404 {kind[:-1].capitalize()} Not Found")
        return owner

    def _allowed(self, owner: Owner) -> Owner:
        if self.token != ADMIN and (owner.level < _NEEDED[owner.kind] or owner.archived):
            raise RefusedError(403, "403 Forbidden")
        return owner

    def _project(self, owner: Owner) -> Reply:
        permissions = {"project_access": {"access_level": owner.level}, "group_access": None}
        told = {
            "id": list(self.fake.owners.values()).index(owner),
            "path_with_namespace": owner.path,
            "archived": owner.archived,
            "permissions": permissions,
        }
        return Reply(200, told)

    def _issues(self, owner: Owner, iid: str) -> Reply:
        if self.method == "GET":
            wanted = {label for label in self.query.get("labels", "").split(",") if label}
            states = {self.query.get("state", "all"), *({"opened", "closed"} if "state" not in self.query else ())}
            found = [one for one in owner.issues if one["state"] in states and wanted <= set(one["labels"])]
            if "author_id" in self.query:
                found = [one for one in found if str(one["author"]["id"]) == self.query["author_id"]]
            return Reply(200, found[::-1][: int(self.query.get("per_page", 20))])
        body = dict(self.body or {})
        if iid:
            (issue,) = [one for one in owner.issues if one["iid"] == int(iid)]
            issue |= {field: body[field] for field in ("title", "description") if field in body}
            if "state_event" in body:
                issue["state"] = {"close": "closed", "reopen": "opened"}[body["state_event"]]
            return Reply(200, issue)
        if not body.get("title"):
            raise RefusedError(400, "title is missing", key="error")
        number = len(owner.issues) + 1
        shown = {"iid": number, "state": "opened", "web_url": f"{self.fake.url}/{owner.path}/-/issues/{number}"}
        labels = [label for label in str(body.get("labels", "")).split(",") if label]
        told = {"title": body["title"], "description": body.get("description"), "labels": labels}
        issue = {**shown, **told, "author": {"id": USERS[self.token]}}
        owner.issues.append(issue)
        return Reply(201, issue)

    def _variables(self, owner: Owner, key: str) -> Reply:
        if owner.moved_to:
            if self.method != "GET":
                raise RefusedError(405, "Non GET methods are not allowed for moved projects")
            return Reply(301, headers={"Location": f"{self.fake.url}/api/v4/projects/{owner.moved_to}/variables"})
        if not key:
            return self._list(owner) if self.method == "GET" else self._create(owner)
        variable = self._find(owner, key)
        if self.method == "DELETE":
            owner.variables.remove(variable)
            return Reply(204)
        if self.method == "PUT":
            self._update(owner, variable)
        return Reply(200, self._shown(owner, variable))

    def _notes(self, owner: Owner, number: str, note: str) -> Reply:
        if number != "7":
            raise RefusedError(404, "404 Not found")
        if self.method != "GET" and self.token != ADMIN and (owner.level < _REPORTER or owner.locked):
            raise RefusedError(403, "403 Forbidden")
        if self.method == "GET":
            assert (self.query["sort"], self.query["order_by"]) == ("asc", "created_at")
            return self._page(owner.notes)
        if self.method == "POST":
            return Reply(201, owner.note(USERS[self.token], self._without_commands(owner)))
        found = next((one for one in owner.notes if str(one["id"]) == note), None)
        if found is None:
            raise RefusedError(404, "404 Not found")
        if found["author"]["id"] != USERS[self.token] and self.token != ADMIN:
            raise RefusedError(403, "403 Forbidden")
        if self.method == "DELETE":
            owner.notes.remove(found)
            return Reply(204)
        found |= {"body": self._without_commands(owner), "edits": found["edits"] + 1}
        return Reply(200, found)

    def _without_commands(self, owner: Owner) -> str:
        body = str(self.body["body"])
        if len(body) > 1_000_000:
            raise RefusedError(400, {"note": ["is too long (maximum is 1000000 characters)"]})
        owner.commands += _QUICK_ACTION.findall(body)
        return _QUICK_ACTION.sub("", body)

    def _list(self, owner: Owner) -> Reply:
        return self._page([self._shown(owner, one) for one in owner.variables])

    def _page(self, listed: list[dict[str, Any]]) -> Reply:
        page, size = int(self.query.get("page", 1)), min(int(self.query.get("per_page", 20)), 100)
        total = len(listed)
        pages = max(1, -(-total // size))
        following = str(page + 1) if page < pages else ""
        headers = {
            "X-Page": str(page),
            "X-Per-Page": str(size),
            "X-Total": str(total),
            "X-Total-Pages": str(pages),
            "X-Next-Page": following,
        }
        return Reply(200, listed[(page - 1) * size : page * size], headers)

    def _find(self, owner: Owner, key: str) -> dict[str, Any]:
        scope = self.query.get("filter[environment_scope]")
        if owner.kind == "groups" and not self.fake.filters_groups:
            found = owner.find(key, None)[:1]
        else:
            found = owner.find(key, scope)
        if len(found) > 1:
            told = "There are multiple variables with provided parameters. Please use 'filter[environment_scope]'"
            raise RefusedError(409, told)
        if not found:
            name = {"projects": "Variable", "groups": "GroupVariable", "admin": "InstanceVariable"}[owner.kind]
            raise RefusedError(404, f"404 {name} Not Found")
        return found[0]

    def _create(self, owner: Owner) -> Reply:
        body = dict(self.body or {})
        missing = [f"{field} is missing" for field in ("key", "value") if field not in body]
        if missing:
            raise RefusedError(400, ", ".join(missing), key="error")
        hidden = self.fake.hides and owner.kind != "admin" and bool(body.get("masked_and_hidden"))
        plain = {
            "variable_type": "env_var",
            "masked": hidden,
            "protected": False,
            "raw": False,
            "environment_scope": "*",
        }
        variable = {**plain, "description": None, "key": body["key"], "hidden": hidden}
        variable |= {field: body[field] for field in self._settable(owner) if field in body}
        if owner.find(variable["key"], variable["environment_scope"]):
            raise RefusedError(400, {"key": [f"({variable['key']}) has already been taken"]})
        self._check(variable)
        owner.variables.append(variable)
        return Reply(201, self._shown(owner, variable))

    def _update(self, owner: Owner, variable: dict[str, Any]) -> None:
        body = dict(self.body or {})
        changed = variable | {field: body[field] for field in self._settable(owner) if field in body}
        if variable["hidden"] and changed["masked"] != variable["masked"]:
            told = "Updating masked attribute is not allowed on updates for hidden variables."
            raise RefusedError(400, {"base": [told]})
        self._check(changed)
        variable.update(changed)

    def _settable(self, owner: Owner) -> list[str]:
        fixed = set() if self.fake.describes else {"description"}
        if owner.kind == "admin" or (owner.kind == "groups" and not self.fake.scopes_groups):
            fixed.add("environment_scope")
        return [field for field in _FIELDS if field not in fixed]

    def _check(self, variable: Mapping[str, Any]) -> None:
        value, description = str(variable["value"]), variable["description"]
        if not _KEY.fullmatch(variable["key"]) or len(variable["key"]) > _LONGEST:
            raise RefusedError(400, {"key": ["can contain only letters, digits and '_'."]})
        if not _SCOPE.fullmatch(variable["environment_scope"]):
            raise RefusedError(
                400, {"environment_scope": ["can contain only letters, digits, '-', '_', '/', '$' and more"]}
            )
        if description and len(description) > _LONGEST:
            raise RefusedError(400, {"description": [f"is too long (maximum is {_LONGEST} characters)"]})
        if len(value) > 10_000:
            raise RefusedError(400, {"value": ["is too long (maximum is 10000 characters)"]})
        if variable["masked"] and not (_MASKED_RAW if variable["raw"] else _MASKED).fullmatch(value):
            raise RefusedError(400, {"value": ["is invalid"]})

    def _shown(self, owner: Owner, variable: Mapping[str, Any]) -> dict[str, Any]:
        left_out = set() if self.fake.describes else {"description"}
        left_out |= {"environment_scope", "hidden"} if owner.kind == "admin" else set()
        shown = {name: value for name, value in variable.items() if name not in left_out}
        return {**shown, "value": None} if variable["hidden"] else shown


class _Handler(Handler):
    fake: FakeGitLab

    def _serve(self) -> None:
        method = self.command
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        url = urlsplit(self.path)
        path = url.path.removeprefix("/api/v4/")
        with self.fake.lock:
            fault = self.fake.fault(method, path)
            reply = Reply(0)
            if fault is None or fault.done:
                body = json.loads(data) if data else None
                token = self.headers.get("PRIVATE-TOKEN", "")
                reply = self.fake.serve(method, path, parse_qs(url.query), body, token)
            self.fake.requests.append((method, path, reply.status if fault is None else fault.status))
        if fault is None:
            text = "" if reply.status == 204 else json.dumps(reply.body)
            self._answer(reply.status, text, reply.headers)
            return
        if fault.hangs:
            self.fake.released.wait(_HANG)
        if fault.status:
            self._answer(fault.status, fault.body, fault.headers)
        else:
            self.close_connection = True

    do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815

    def _answer(self, status: int, text: str, headers: Mapping[str, str]) -> None:
        data = text.encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

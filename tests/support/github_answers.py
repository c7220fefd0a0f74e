"""What the tests' own GitHub has and answers: whoever asks is checked, a sealed secret is opened, the rest is kept."""

from __future__ import annotations

import base64
import dataclasses
import datetime as dt
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, SealedBox

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.support.github_comments import Comments

_PATHS = re.compile(
    r"(?P<top>/repos/(?P<owner>[^/]+)/(?P<repo>[^/]+)|/orgs/(?P<org>[^/]+))"
    r"(?:/environments/(?P<environment>[^/]+)|/(?P<app>actions|dependabot))?"
    r"(?:/(?P<what>secrets|variables)(?:/(?P<name>[^/]+)(?P<more>/repositories)?)?)?"
)
_NAME = re.compile(r"(?!GITHUB_)[A-Z_][A-Z0-9_]*")
_MOST = {"secrets": 100, "variables": 30}


@dataclasses.dataclass
class Item:
    """A secret or a variable; ``value`` is what was put there, a secret's opened."""

    value: str
    created: float
    updated: float
    visibility: str = ""
    ids: list[int] = dataclasses.field(default_factory=list)


class RefusedError(Exception):
    """GitHub does not do that."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


_MISSING = RefusedError(404, "Not Found")


class Answers:
    """One organization with two repositories, the first of which has two environments.

    Attributes:
        repositories: their ids, by their full names.
        environments: full name and environment.
        items: by holder and ``secrets`` or ``variables``, then by name.
        keys: of each holder, with which its secrets are opened.
        frozen: names of secrets that are taken and not written.
        examples: bodies of documented answers, which hold more than is known here.
        comments: on its pull requests.
    """

    def __init__(self, now: Callable[[], float], credentials: Mapping[str, str], comments: Comments) -> None:
        """Start empty.

        Args:
            now: the server's clock, Unix seconds.
            credentials: for each the methods that it may not use; ``*`` = none at all, as the job's own.
            comments: on its pull requests, for which the job's own credential does.
        """
        self.comments = comments
        self._now = now
        self._credentials = credentials
        self.repositories = {"acme/shop": 101, "acme/billing": 102}
        self.environments = {("acme/shop", "production"), ("acme/shop", "eu/west 1")}
        self.items: dict[tuple[str, str], dict[str, Item]] = {}
        self.keys: dict[str, PrivateKey] = {}
        self.frozen: set[str] = set()
        self.examples: dict[str, dict[str, Any]] = {}

    def answer(self, method: str, path: str, query: Mapping[str, int], body: Any, token: str) -> tuple[int, Any]:
        """What a request is answered: status and body."""
        if self.comments.knows(path):
            self.comments.example = self.examples.get("issue-comment", {})
            return self.comments.answer(method, path, body, token)
        try:
            self._admit(method, token)
            match = _PATHS.fullmatch(path)
            if match is None:
                raise _MISSING
            part = {key: unquote(value).lower() for key, value in match.groupdict(default="").items()}
            holder = self._holder(part)
            if not part["what"]:
                return 200, self._repository(f"{part['owner']}/{part['repo']}")
            items = self.items.setdefault((holder, part["what"]), {})
            if part["name"]:
                return self._one(method, holder, part, items, body)
            return self._list(holder, part["what"], items, query) if method == "GET" else self._create(items, body)
        except RefusedError as refused:
            return refused.status, {"message": str(refused), "documentation_url": "https://docs.github.com/rest"}

    def _admit(self, method: str, token: str) -> None:
        refused = self._credentials.get(token)
        if refused is None:
            raise RefusedError(401, "Bad credentials")
        if refused == "*":
            raise RefusedError(403, "Resource not accessible by integration")
        if method in refused.split():
            raise RefusedError(403, "Resource not accessible by personal access token")

    def _holder(self, part: Mapping[str, str]) -> str:
        """The path of what has the secrets."""
        full = f"{part['owner']}/{part['repo']}"
        there = part["org"] == "acme" if part["org"] else full in self.repositories
        if part["environment"]:
            there = there and (full, part["environment"]) in self.environments
        if not there or (part["app"] == "dependabot" and part["what"] == "variables"):
            raise _MISSING
        app = f"environments/{part['environment']}" if part["environment"] else part["app"]
        return f"{part['top']}/{app}"

    def _list(self, holder: str, what: str, items: dict[str, Item], query: Mapping[str, int]) -> tuple[int, Any]:
        per_page = min(query.get("per_page", 30), _MOST[what])
        start = (query.get("page", 1) - 1) * per_page
        shown = [self._shown(holder, one, items[one], what) for one in sorted(items)]
        return 200, {"total_count": len(items), what: shown[start : start + per_page]}

    def _one(
        self, method: str, holder: str, part: Mapping[str, str], items: dict[str, Item], body: Any
    ) -> tuple[int, Any]:
        name = part["name"].upper()
        if name == "PUBLIC-KEY":
            return 200, {"key_id": self.key_id(holder), "key": _base64(bytes(self.keys[holder].public_key))}
        if method == "PUT":
            return self._put(holder, items, name, body)
        if name not in items:
            raise _MISSING
        if part["more"]:
            names = {number: full for full, number in self.repositories.items()}
            found = [self._repository(names[number], "minimal-repository") for number in items[name].ids]
            return 200, {"total_count": len(found), "repositories": found}
        if method == "GET":
            return 200, self._shown(holder, name, items[name], part["what"])
        if method == "DELETE":
            del items[name]
        else:
            items[name] = dataclasses.replace(items[name], value=body["value"], updated=self._now())
        return 204, None

    def _put(self, holder: str, items: dict[str, Item], name: str, body: Any) -> tuple[int, Any]:
        if not _NAME.fullmatch(name):
            raise RefusedError(422, "Secret names can only contain alphanumeric characters and underscores")
        if body["key_id"] != self.key_id(holder):
            raise RefusedError(422, "The key_id is not that of the present key")
        try:
            value = SealedBox(self.keys[holder]).decrypt(base64.b64decode(body["encrypted_value"])).decode()
        except (CryptoError, ValueError):
            raise RefusedError(422, "The encrypted value cannot be opened") from None
        if name in self.frozen:
            return 204, None
        before, now = items.get(name), self._now()
        created = now if before is None else before.created
        items[name] = Item(value, created, now, body.get("visibility", ""), body.get("selected_repository_ids", []))
        return (201, {}) if before is None else (204, None)

    def _create(self, items: dict[str, Item], body: Any) -> tuple[int, Any]:
        name, now = body["name"].upper(), self._now()
        if name in items:
            raise RefusedError(409, "Already exists - Variable already exists")
        visibility, ids = body.get("visibility", ""), body.get("selected_repository_ids", [])
        items[name] = Item(body["value"], now, now, visibility, ids)
        return 201, {}

    def _shown(self, holder: str, name: str, item: Item, what: str) -> dict[str, Any]:
        shown = {"name": name, "created_at": _instant(item.created), "updated_at": _instant(item.updated)}
        if what == "variables":
            shown["value"] = item.value
        if item.visibility:
            shown["visibility"] = item.visibility
        if item.visibility == "selected":
            shown["selected_repositories_url"] = f"https://api.github.com{holder}/{what}/{name}/repositories"
        return shown

    def _repository(self, full: str, example: str = "full-repository") -> dict[str, Any]:
        name = full.partition("/")[2]
        return {**self.examples.get(example, {}), "id": self.repositories[full], "name": name, "full_name": full}

    def key_id(self, holder: str) -> str:
        """The id of a holder's present key; one is made where there is none."""
        key = self.keys.setdefault(holder, PrivateKey.generate())
        return str(int.from_bytes(bytes(key.public_key)[:6], "big"))


def _instant(seconds: float) -> str:
    return dt.datetime.fromtimestamp(seconds, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()

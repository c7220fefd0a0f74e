"""The variables of one project, group or instance of GitLab, by its REST API."""

from __future__ import annotations

import dataclasses
import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from tooken_ci.base.text import quoted
from tooken_ci.destinations.gitlab_api import GitLabError
from tooken_ci.destinations.gitlab_rules import EVERYWHERE, Level

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tooken_ci.destinations.gitlab_api import Answer, Connection
    from tooken_ci.destinations.gitlab_rules import Home

_PAGE = 100
_MOST_PAGES = 400
"""More variables than these pages hold no group can have."""

_NO_VARIABLE = re.compile(r"404 \w* ?Variable Not Found")
_TAKEN = "has already been taken"
_MAINTAINER = 40


@dataclasses.dataclass(frozen=True, kw_only=True)
class Variable:
    """A variable as GitLab tells it.

    Attributes:
        key: its name.
        scope: its environment scope.
        value: None where GitLab does not show it.
        description: empty where there is none.
        hidden: its value is shown to nobody.
    """

    key: str
    scope: str
    value: str | None = dataclasses.field(repr=False)
    description: str
    hidden: bool


class Variables:
    """The variables of one home. Whatever fails is a ``GitLabError``."""

    def __init__(self, connection: Connection, home: Home) -> None:
        self._connection = connection
        self._home = home

    def get(self, key: str, scope: str, *, seconds: float | None = None) -> Variable | None:
        """One variable; None where there is none."""
        try:
            answer = self._call("get", f"/{key}", query=self._filter(scope), seconds=seconds)
        except GitLabError as error:
            if _missing(error):
                return None
            raise
        return self._one(answer, key, scope)

    def every(self) -> tuple[list[Variable], int]:
        """All variables, and the number of pages that told them."""
        found: list[Variable] = []
        for page in range(1, _MOST_PAGES + 1):
            answer = self._call("get", "", query={"per_page": _PAGE, "page": page})
            if not isinstance(answer.data, list):
                raise _not_gitlab("a list of variables")
            found += [_variable(one) for one in answer.data]
            if answer.next_page == "" or (answer.next_page is None and len(answer.data) < _PAGE):
                break
        return found, page

    def create(self, key: str, scope: str, fields: Mapping[str, Any], *, seconds: float | None = None) -> Variable:
        """Make a variable."""
        where = {"environment_scope": scope} if self._home.scoped else {}
        return self._one(self._call("post", "", body={"key": key, **where, **fields}, seconds=seconds), key, "")

    def change(self, key: str, scope: str, fields: Mapping[str, Any], *, seconds: float | None = None) -> Variable:
        """Change some fields of a variable; the others stay as they are."""
        answer = self._call("put", f"/{key}", query=self._filter(scope), body=fields, seconds=seconds)
        return self._one(answer, key, scope)

    def remove(self, key: str, scope: str) -> None:
        """Remove a variable, where there is one."""
        try:
            self._call("delete", f"/{key}", query=self._filter(scope))
        except GitLabError as error:
            if not _missing(error):
                raise

    def role_told(self) -> str:
        """What the project itself tells about why its variables are out of reach; empty where it tells nothing."""
        if self._home.level is not Level.PROJECT:
            return ""
        try:
            project = self._connection.call("get", self._home.url.removesuffix("/variables")).data
        except GitLabError:
            return ""
        if not isinstance(project, dict):
            return ""
        if project.get("archived") is True:
            return "The project is archived."
        accesses = (project.get("permissions") or {}).values()
        levels = [access.get("access_level") for access in accesses if isinstance(access, dict)]
        highest = max((level for level in levels if isinstance(level, int)), default=0)
        return (
            "" if highest >= _MAINTAINER else f"GITLAB_TOKEN has the access level {highest} there, below {_MAINTAINER}."
        )

    def _filter(self, scope: str) -> dict[str, str]:
        return {"filter[environment_scope]": scope} if self._home.scoped else {}

    def _call(self, verb: str, path: str, **options: Any) -> Answer:
        try:
            return self._connection.call(verb, self._home.url + path, role=self._home.role, **options)
        except GitLabError as error:
            if error.status == HTTPStatus.NOT_FOUND and not _missing(error) and self._home.path:
                raise GitLabError(
                    f"GitLab finds no {self._home}, or GITLAB_TOKEN may not see it ({error.said or error.status}).",
                    hint=error.hint,
                    status=error.status,
                    said=error.said,
                    surely_refused=error.surely_refused,
                ) from None
            raise

    def _one(self, answer: Answer, key: str, scope: str) -> Variable:
        found = _variable(answer.data)
        if found.key != key or (scope and found.scope != scope):
            raise GitLabError(
                f"GitLab told of the variable {quoted(found.key)} for {quoted(found.scope)}, where {quoted(key)} for "
                f"{quoted(scope or EVERYWHERE)} was asked for.",
                hint="It takes GitLab 16.9 or newer to tell apart variables of a group by their environment scope.",
                surely_refused=False,
            )
        return found


def taken(error: GitLabError) -> bool:
    """Whether a variable was not made because there is one of that name and scope."""
    return error.status in {HTTPStatus.BAD_REQUEST, HTTPStatus.CONFLICT} and _TAKEN in error.said


def _missing(error: GitLabError) -> bool:
    """Whether the variable alone is what GitLab did not find."""
    return error.status == HTTPStatus.NOT_FOUND and _NO_VARIABLE.search(error.said) is not None


def at(found: Iterable[Variable]) -> Mapping[tuple[str, str], Variable]:
    """Variables by key and scope."""
    return {(variable.key, variable.scope): variable for variable in found}


def _variable(data: object) -> Variable:
    if not isinstance(data, dict) or not isinstance(data.get("key"), str):
        raise _not_gitlab("a variable")
    value, description = data.get("value"), data.get("description")
    scope = data.get("environment_scope")
    hidden = data.get("hidden") is True or not isinstance(value, str)
    return Variable(
        key=data["key"],
        scope=scope if isinstance(scope, str) else EVERYWHERE,
        value=None if hidden else value,
        description=description if isinstance(description, str) else "",
        hidden=hidden,
    )


def _not_gitlab(what: str) -> GitLabError:
    return GitLabError(
        f"What answered is not GitLab's API: it sent something else than {what}.",
        hint="See whether GITLAB_URL or CI_SERVER_URL is the address of a GitLab.",
        surely_refused=False,
    )

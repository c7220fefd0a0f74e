"""The comment on a GitHub pull request.

GraphQL tells in one request whether the token's owner wrote a comment and whether it is hidden; REST tells neither (an
App's token, which the job's own is, may not even ask who it is), and cannot hide one. What is written goes by REST.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from tooken_ci.base.address import unfit
from tooken_ci.base.errors import CommentError, DestinationError
from tooken_ci.base.text import safe
from tooken_ci.ci.standing import Standing, begins_with, failed, give_up_after
from tooken_ci.destinations.github_api import Api

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tooken_ci.base.secret import Secret
    from tooken_ci.ci.review import Review
    from tooken_ci.destinations.github_api import Answer

_PAGES = 30
"""Pages of 100 that are read at the most; GitHub lets no pull request have more than 2,500 comments."""

_LOOK = """
query($owner: String!, $name: String!, $number: Int!, $after: String) {
  repository(owner: $owner, name: $name) {
    pullRequest(number: $number) {
      comments(first: 100, after: $after) {
        nodes { id fullDatabaseId body viewerDidAuthor isMinimized minimizedReason }
        pageInfo { endCursor hasNextPage }
      }
    }
  }
}
"""
_HIDE = """
mutation($id: ID!) {
  minimizeComment(input: {subjectId: $id, classifier: OUTDATED}) { minimizedComment { isMinimized } }
}
"""
_SHOW = "mutation($id: ID!) { unminimizeComment(input: {subjectId: $id}) { unminimizedComment { isMinimized } } }"

_OUTDATED = "outdated"
_OK, _ERRORS = 300, range(300, 500)
_STATUS_OF = {"NOT_FOUND": 404, "FORBIDDEN": 403, "INSUFFICIENT_SCOPES": 403, "RATE_LIMITED": 429}
_PERMISSION = "Give the job `permissions: pull-requests: write`; another token needs write access to pull requests."
_TOLD = {
    401: ("GitHub does not accept the token", "Look whether it has expired or was revoked."),
    403: ("the token may not write comments", _PERMISSION),
    404: ("it is not there, or the token may not see it", _PERMISSION),
    410: ("the conversation is gone, or switched off in this repository", "Turn the comment off here."),
    422: ("GitHub does not take the text", "See what it says; the step summary and the JSON output tell all."),
    429: ("GitHub's rate limit is reached", "Run again later."),
}
_MOVED = ("GitHub's API sends requests elsewhere", "Look at GITHUB_API_URL, and whether the repository was renamed.")
_OTHER = ("GitHub refuses that", "See what it says.")
_LOCKED = ("its conversation is locked", "Unlock it, or turn the comment off here.")


def connect(environ: Mapping[str, str], review: Review, token: Secret, seconds: float) -> GitHubConversation:
    """The comments on a pull request.

    Args:
        environ: tells where GitHub is.
        review: the pull request.
        token: what they are read and written with.
        seconds: how long all of it may take.

    Raises:
        CommentError: an address is none to which the token may be sent.
    """
    rest = environ.get("GITHUB_API_URL") or "https://api.github.com"
    graph = environ.get("GITHUB_GRAPHQL_URL") or "https://api.github.com/graphql"
    for variable, url in (("GITHUB_API_URL", rest), ("GITHUB_GRAPHQL_URL", graph)):
        if wrong := unfit(variable, url):
            raise CommentError(
                wrong, hint="On GitHub Enterprise it is https://HOST/api/v3, or https://HOST/api/graphql."
            )
    return GitHubConversation(rest, graph, review, token, time.monotonic() + seconds)


class GitHubConversation:
    """See ``Conversation``."""

    def __init__(self, rest: str, graph: str, review: Review, token: Secret, until: float) -> None:
        base, _, self._graph_path = graph.rstrip("/").rpartition("/")
        self._rest = Api(rest, token, "TOOKEN_COMMENT_TOKEN")
        self._graph = Api(base, token, "TOOKEN_COMMENT_TOKEN")
        self._review = review
        self._until = until

    @property
    def name(self) -> str:
        """What it is, for people."""
        return self._review.name

    def fitted(self, text: str) -> str:
        """The text as it is: GitHub finds no commands in it."""
        return text

    def oldest(self, mark: str) -> Standing | None:
        """The oldest comment that the token's owner wrote and that begins with the mark."""
        owner, _, name = self._review.project.partition("/")
        after = None
        for _page in range(_PAGES):
            told = {"owner": owner, "name": name, "number": self._review.number, "after": after}
            data = self._ask(_LOOK, told)
            try:
                comments = data["repository"]["pullRequest"]["comments"]
                for node in comments["nodes"]:
                    if node and node["viewerDidAuthor"] and begins_with(mark, node["body"]):
                        return _standing(node)
                after = comments["pageInfo"]["endCursor"]
                if not comments["pageInfo"]["hasNextPage"]:
                    return None
            except (AttributeError, KeyError, TypeError, ValueError):
                raise _unlike_github() from None
        raise CommentError(f"There are too many comments on {self.name} to look through.", hint="Run again later.")

    def make(self, text: str) -> int:
        """Write a new one, and give its number."""
        path = f"/repos/{self._review.project}/issues/{self._review.number}/comments"
        answer = self._send("POST", path, {"body": text}, once=True)
        try:
            return int(answer.data["id"])
        except (KeyError, TypeError, ValueError):
            raise _unlike_github() from None

    def edit(self, comment: Standing, text: str) -> None:
        """Write another text into one."""
        self._send("PATCH", self._path(comment.number), {"body": text})

    def remove(self, number: int) -> None:
        """Delete one that was just made; one that is gone is deleted."""
        self._send("DELETE", self._path(number), None, gone=True)

    def settle(self, comment: Standing, *, empty: bool) -> str:
        """Hide one as outdated, or show again what was hidden as that; what people hid for another reason stays so."""
        if empty and not comment.hidden:
            self._ask(_HIDE, {"id": comment.node})
            return "closed {} as outdated"
        if not empty and comment.hidden == _OUTDATED:
            self._ask(_SHOW, {"id": comment.node})
            return "opened {} again"
        return ""

    def _path(self, number: int) -> str:
        return f"/repos/{self._review.project}/issues/comments/{number}"

    def _send(
        self, verb: str, path: str, body: Mapping[str, Any] | None, *, once: bool = False, gone: bool = False
    ) -> Answer:
        answer = self._answer(self._rest, verb, path, body, once=once)
        if answer.status < _OK or (gone and answer.status == 404):  # noqa: PLR2004  # Not Found
            return answer
        raise self._refused(answer.status, answer.message)

    def _ask(self, query: str, variables: Mapping[str, Any]) -> Any:
        """What GraphQL answers; each of our queries may be repeated."""
        asked = {"query": query, "variables": variables}
        answer = self._answer(self._graph, "POST", f"/{self._graph_path}", asked)
        if answer.status >= _OK:
            raise self._refused(answer.status, answer.message)
        if not isinstance(answer.data, dict):
            raise _unlike_github()
        if answer.data.get("errors"):
            raise self._refused(*_first(answer.data["errors"]))
        return answer.data.get("data")

    def _answer(self, api: Api, verb: str, path: str, body: Mapping[str, Any] | None, *, once: bool = False) -> Answer:
        give_up_after(self._until, "GitHub", self.name)
        try:
            return api.send(verb, path, body, until=self._until, accept=_ERRORS, once=once)
        except DestinationError as error:
            raise failed(error) from None

    def _refused(self, status: int, message: str) -> CommentError:
        why, hint = _TOLD.get(status, _MOVED if _OK <= status < 400 else _OTHER)  # noqa: PLR2004  # redirects
        if "locked" in message.lower():
            why, hint = _LOCKED
        said = ", ".join(filter(None, [str(status or ""), message.rstrip(".")]))
        return CommentError(f"The comment on {self.name} was not brought up to date: {why} ({said}).", hint=hint)


def _first(errors: Any) -> tuple[int, str]:
    """The first error that GraphQL tells: the status that REST would have, 0 where none fits, and what is said."""
    error = errors[0] if isinstance(errors, list) and isinstance(errors[0], dict) else {}
    status = _STATUS_OF.get(str(error.get("type")), 0)
    return status, safe(str(error.get("message", "")))


def _standing(node: Mapping[str, Any]) -> Standing:
    hidden = str(node["minimizedReason"] or "hidden").lower() if node["isMinimized"] else ""
    return Standing(number=int(node["fullDatabaseId"]), body=node["body"], node=node["id"], hidden=hidden)


def _unlike_github() -> CommentError:
    return CommentError(
        "What answers as GitHub does not speak as GitHub's API does.",
        hint="Look at GITHUB_API_URL and GITHUB_GRAPHQL_URL.",
        surely_refused=False,
    )

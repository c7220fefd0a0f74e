"""The comments on pull requests of the tests' own GitHub: by REST, and by as much of its GraphQL as tells and hides."""

from __future__ import annotations

import dataclasses
import itertools
import re
from typing import TYPE_CHECKING, Any

from graphql import GraphQLError, build_schema, graphql_sync

if TYPE_CHECKING:
    from collections.abc import Mapping

GRAPHQL = frozenset({"/graphql", "/api/graphql"})
"""Where it is, on github.com and on GitHub Enterprise."""

LONGEST = 65_536

_PATHS = re.compile(r"/repos/(?P<repository>[^/]+/[^/]+)/issues/(?:(?P<number>\d+)/comments|comments/(?P<id>\d+))")

_SCHEMA = build_schema(
    """
    scalar BigInt
    enum ReportedContentClassifiers { ABUSE DUPLICATE OFF_TOPIC OUTDATED RESOLVED SPAM }
    input MinimizeCommentInput { classifier: ReportedContentClassifiers!, clientMutationId: String, subjectId: ID! }
    input UnminimizeCommentInput { clientMutationId: String, subjectId: ID! }
    type PageInfo { endCursor: String, hasNextPage: Boolean! }
    type IssueComment {
      id: ID!, fullDatabaseId: BigInt, body: String!, viewerDidAuthor: Boolean!,
      isMinimized: Boolean!, minimizedReason: String
    }
    type IssueCommentConnection { nodes: [IssueComment], pageInfo: PageInfo!, totalCount: Int! }
    type PullRequest { comments(after: String, before: String, first: Int, last: Int): IssueCommentConnection! }
    type Repository { pullRequest(number: Int!): PullRequest }
    type Query { repository(followRenames: Boolean = true, name: String!, owner: String!): Repository }
    type MinimizeCommentPayload { minimizedComment: IssueComment }
    type UnminimizeCommentPayload { unminimizedComment: IssueComment }
    type Mutation {
      minimizeComment(input: MinimizeCommentInput!): MinimizeCommentPayload
      unminimizeComment(input: UnminimizeCommentInput!): UnminimizeCommentPayload
    }
    """
)
"""The part of GitHub's public schema that is asked for, with its names and types."""


@dataclasses.dataclass
class IssueComment:
    """One comment; ``hidden`` is the reason, and empty where it is shown."""

    number: int
    on: tuple[str, int]
    author: str
    body: str
    hidden: str = ""
    edits: int = 0


class Comments:
    """All comments of all pull requests.

    Attributes:
        authors: whom each token writes as.
        readers: tokens that may not write.
        all: in the order in which they were made.
        pull_requests: which there are: repository and number.
        locked: those whose conversation is closed.
        hides: the mutations that were asked for.
    """

    def __init__(self, authors: Mapping[str, str], readers: frozenset[str]) -> None:
        self.authors = authors
        self.readers = readers
        self.all: list[IssueComment] = []
        self.pull_requests = {("acme/shop", 7)}
        self.locked: set[tuple[str, int]] = set()
        self.hides: list[str] = []
        self.example: Mapping[str, Any] = {}
        self._numbers = itertools.count(3_000_000_001)  # longer than 32 bits, as GitHub's are

    def add(self, author: str, body: str, **more: Any) -> IssueComment:
        """Somebody comments on the pull request."""
        self.all.append(IssueComment(next(self._numbers), ("acme/shop", 7), author, body, **more))
        return self.all[-1]

    def knows(self, path: str) -> bool:
        """Whether a request is about comments."""
        return path in GRAPHQL or _PATHS.fullmatch(path) is not None

    def answer(self, method: str, path: str, body: Any, token: str) -> tuple[int, Any]:
        """What a request is answered: status and body."""
        if token not in self.authors:
            return _refused(401, "Bad credentials")
        if path in GRAPHQL:
            return 200, self._graphql(body, token)
        if token in self.readers:
            return _NOT_ACCESSIBLE
        if body is not None and len(body["body"]) > LONGEST:
            told = "Body is too long (maximum is 65536 characters)"
            return 422, {"message": "Validation Failed", "errors": [{"message": told}]}
        match = _PATHS.fullmatch(path)
        assert match is not None
        if match["number"]:
            return self._make(method, (match["repository"], int(match["number"])), body, token)
        return self._change(method, match["repository"], int(match["id"]), body, token)

    def _make(self, method: str, on: tuple[str, int], body: Any, token: str) -> tuple[int, Any]:
        if method != "POST" or on not in self.pull_requests:
            return _refused(404, "Not Found")
        if on in self.locked:
            return _refused(403, "Unable to create comment because issue is locked.")
        return 201, self._shown(self.add(self.authors[token], body["body"]))

    def _change(self, method: str, repository: str, number: int, body: Any, token: str) -> tuple[int, Any]:
        comment = next((one for one in self.all if (one.on[0], one.number) == (repository, number)), None)
        if comment is None:
            return _refused(404, "Not Found")
        if comment.author != self.authors[token]:
            return _NOT_ACCESSIBLE
        if method == "DELETE":
            self.all.remove(comment)
            return 204, None
        comment.body, comment.edits = body["body"], comment.edits + 1
        return 200, self._shown(comment)

    def _shown(self, comment: IssueComment) -> dict[str, Any]:
        return {**self.example, "id": comment.number, "node_id": f"IC_{comment.number}", "body": comment.body}

    def _graphql(self, body: Any, token: str) -> dict[str, Any]:
        root = _Root(self, token)
        result = graphql_sync(_SCHEMA, body["query"], root_value=root, variable_values=body["variables"])
        answer: dict[str, Any] = {"data": result.data}
        if result.errors:
            answer["errors"] = [
                {"type": (error.extensions or {}).get("type"), "path": error.path, "message": error.message}
                for error in result.errors
            ]
        return answer


def _refused(status: int, message: str) -> tuple[int, Any]:
    return status, {"message": message, "documentation_url": "https://docs.github.com/rest"}


_NOT_ACCESSIBLE = _refused(403, "Resource not accessible by integration")


def _refusal(kind: str, message: str) -> GraphQLError:
    return GraphQLError(message, extensions={"type": kind})


class _Root:
    """What GraphQL's fields resolve to; whatever is callable is called with their arguments."""

    def __init__(self, comments: Comments, token: str) -> None:
        self._comments = comments
        self._token = token

    def repository(self, _: Any, owner: str, name: str, **__: Any) -> Any:
        full = f"{owner}/{name}"
        if full not in {repository for repository, _ in self._comments.pull_requests}:
            raise _refusal("NOT_FOUND", f"Could not resolve to a Repository with the name '{full}'.")
        return {"pullRequest": lambda _, number: self._pull_request(full, number)}

    def _pull_request(self, repository: str, number: int) -> Any:
        if (repository, number) not in self._comments.pull_requests:
            raise _refusal("NOT_FOUND", f"Could not resolve to a PullRequest with the number of {number}.")
        there = [one for one in self._comments.all if one.on == (repository, number)]
        return {"comments": lambda _, first, after=None: self._page(there, first, after)}

    def _page(self, there: list[IssueComment], first: int, after: str | None) -> Any:
        start = int(after or 0)
        end = start + min(first, 100)
        info = {"endCursor": str(end), "hasNextPage": end < len(there)}
        return {"nodes": [self._node(one) for one in there[start:end]], "pageInfo": info, "totalCount": len(there)}

    def _node(self, comment: IssueComment) -> dict[str, Any]:
        return {
            "id": f"IC_{comment.number}",
            "fullDatabaseId": str(comment.number),
            "body": comment.body,
            "viewerDidAuthor": comment.author == self._comments.authors[self._token],
            "isMinimized": bool(comment.hidden),
            "minimizedReason": comment.hidden or None,
        }

    def minimizeComment(self, _: Any, input: Mapping[str, str]) -> Any:  # noqa: A002, N802  # GitHub's names
        comment = self._change("minimizeComment", input)
        comment.hidden = input["classifier"].lower().replace("_", "-")
        return {"minimizedComment": self._node(comment)}

    def unminimizeComment(self, _: Any, input: Mapping[str, str]) -> Any:  # noqa: A002, N802  # GitHub's names
        comment = self._change("unminimizeComment", input)
        comment.hidden = ""
        return {"unminimizedComment": self._node(comment)}

    def _change(self, what: str, told: Mapping[str, str]) -> IssueComment:
        self._comments.hides.append(what)
        if self._token in self._comments.readers:
            raise _refusal("FORBIDDEN", "Resource not accessible by integration")
        return next(one for one in self._comments.all if f"IC_{one.number}" == told["subjectId"])

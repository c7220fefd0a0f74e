"""The note on a GitLab merge request. GitLab cannot hide one: when there is nothing to do, the note says just that."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

from tooken_ci.base.address import unfit
from tooken_ci.base.errors import CommentError, DestinationError
from tooken_ci.ci.standing import Standing, begins_with, failed, give_up_after
from tooken_ci.destinations.gitlab_access import WHICH_ADDRESS
from tooken_ci.destinations.gitlab_api import Connection, GitLabError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tooken_ci.ci.review import Review
    from tooken_ci.destinations.gitlab_api import Answer

_PAGES = 100
"""Pages of 100 that are read at the most; a merge request on GitLab.com may have 5,000 notes, the system's included."""

_API = "/api/v4"
_COMMAND = re.compile(r"^([ \t]*)/", re.MULTILINE)
_NEEDS = (
    "It takes a project access token with the scope api and a role that may comment on merge requests; the job's own "
    "CI_JOB_TOKEN may not."
)
_TOLD = {
    400: ("GitLab does not take the text", "See what it says; the JSON output tells all."),
    401: ("GitLab does not accept the token in TOOKEN_COMMENT_TOKEN", f"Look whether it has expired. {_NEEDS}"),
    403: ("the token in TOOKEN_COMMENT_TOKEN may not write notes there", f"{_NEEDS} See too whether it is locked."),
    404: ("it is not there, or the token in TOOKEN_COMMENT_TOKEN may not see it", _NEEDS),
    429: ("GitLab's rate limit is reached", "Run again later."),
}
_WHICH_ADDRESS = "See whether CI_API_V4_URL is the address of a GitLab, and whether it can be reached from here."
_OTHER = ("GitLab refuses that", "See what it says.")
_BAD, _FAULT = 400, 500


def connect(environ: Mapping[str, str], review: Review, seconds: float) -> GitLabConversation:
    """The notes on a merge request.

    Args:
        environ: tells where GitLab is and holds the token.
        review: the merge request.
        seconds: how long all of it may take.

    Raises:
        CommentError: the address is none to which the token may be sent.
    """
    url = environ.get("CI_API_V4_URL", "").rstrip("/")
    wrong = unfit("CI_API_V4_URL", url)
    if wrong or not url.endswith(_API):
        raise CommentError(
            wrong or f"CI_API_V4_URL does not end in {_API}.", hint="GitLab sets it; see whether something else does."
        )
    told = {name: value for name, value in environ.items() if name != "GITLAB_URL"}
    told |= {"CI_SERVER_URL": url.removesuffix(_API), "GITLAB_TOKEN": environ["TOOKEN_COMMENT_TOKEN"]}
    return GitLabConversation(Connection(told), review, time.monotonic() + seconds)


class GitLabConversation:
    """See ``Conversation``."""

    def __init__(self, connection: Connection, review: Review, until: float) -> None:
        self._connection = connection
        self._review = review
        self._until = until
        self._notes = f"/projects/{review.project}/merge_requests/{review.number}/notes"
        self._me: int | None = None

    @property
    def name(self) -> str:
        """What it is, for people."""
        return self._review.name

    def fitted(self, text: str) -> str:
        """The text without quick actions: to GitLab a line that begins with ``/`` may be a command."""
        return _COMMAND.sub(r"\1&#47;", text)

    def oldest(self, mark: str) -> Standing | None:
        """The oldest note that the token's owner wrote and that begins with the mark."""
        page = "1"
        for _ in range(_PAGES):
            query = {"sort": "asc", "order_by": "created_at", "per_page": 100, "page": page}
            answer = self._call("get", self._notes, query=query)
            try:
                for note in _listed(answer.data):
                    if begins_with(mark, note["body"]) and not note["system"] and self._is_mine(note):
                        return Standing(number=int(note["id"]), body=note["body"])
            except (AttributeError, KeyError, TypeError, ValueError):
                raise _unlike_gitlab() from None
            if not answer.next_page:
                return None
            page = answer.next_page
        raise CommentError(f"There are too many notes on {self.name} to look through.", hint="Run again later.")

    def make(self, text: str) -> int:
        """Write a new one, and give its number."""
        answer = self._call("post", self._notes, body={"body": text}, once=True)
        try:
            self._me = int(answer.data["author"]["id"])
            return int(answer.data["id"])
        except (KeyError, TypeError, ValueError):
            raise _unlike_gitlab() from None

    def edit(self, comment: Standing, text: str) -> None:
        """Write another text into one."""
        self._call("put", f"{self._notes}/{comment.number}", body={"body": text})

    def remove(self, number: int) -> None:
        """Delete one that was just made."""
        self._call("delete", f"{self._notes}/{number}")

    def settle(self, comment: Standing, *, empty: bool) -> str:
        """Nothing: a note that is no thread can be neither hidden nor resolved."""
        del comment, empty
        return ""

    def _is_mine(self, note: Mapping[str, Any]) -> bool:
        """Whether the token's owner wrote it; who that is, is asked once, and only if it matters."""
        if self._me is None:
            self._me = int(self._call("get", "/user").data["id"])
        return bool(note["author"]["id"] == self._me)

    def _call(
        self,
        verb: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        once: bool = False,
    ) -> Answer:
        give_up_after(self._until, "GitLab", self.name)
        left = self._until - time.monotonic()
        try:
            return self._connection.call(verb, path, query=query, body=body, seconds=left, once=once)
        except DestinationError as error:
            if not isinstance(error, GitLabError) or not _BAD <= error.status < _FAULT:
                raise _elsewhere(error) from None
            why, hint = _TOLD.get(error.status, _OTHER)
            said = ", ".join(filter(None, [str(error.status), error.said]))
            raise CommentError(
                f"The note on {self.name} was not brought up to date: {why} ({said}).",
                hint=hint,
                surely_refused=error.surely_refused,
            ) from None


def _elsewhere(error: DestinationError) -> CommentError:
    """A failure that has no status: the address of a destination is not the one that was meant."""
    told = failed(error)
    told.hint = _WHICH_ADDRESS if told.hint == WHICH_ADDRESS else told.hint
    return told


def _listed(data: Any) -> list[Any]:
    if not isinstance(data, list):
        raise TypeError("no list")
    return data


def _unlike_gitlab() -> CommentError:
    return CommentError(
        "What answers as GitLab does not speak as GitLab's API does.",
        hint="Look at CI_API_V4_URL.",
        surely_refused=False,
    )

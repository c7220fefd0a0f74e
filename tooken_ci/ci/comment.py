"""The one comment on a pull request or merge request: where it goes, with which token, and how long it may be."""

from __future__ import annotations

import contextlib
import dataclasses
from typing import TYPE_CHECKING

from tooken_ci.base.errors import CommentError
from tooken_ci.base.redact import MINIMUM, redactor
from tooken_ci.base.secret import Secret
from tooken_ci.ci import review
from tooken_ci.ci.host import HostKind, detect
from tooken_ci.ci.standing import keep_up, mark

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tooken_ci.ci.review import Review
    from tooken_ci.ci.standing import Conversation

VARIABLE = "TOOKEN_COMMENT_TOKEN"
"""What the comment is written with, on GitHub and on GitLab."""

LIMIT = 65_536
"""Characters that a comment may have on every host, with the mark: GitHub takes no more."""

_OF_GITLAB = 1_000_000
_SECONDS = 30.0
"""What it may take in all, waits for rate limits included: the run has other things to tell."""

_WHICH = {
    HostKind.GITHUB: "In the action leave `github-token` as it is by default; elsewhere set the variable to a token "
    "that may write to pull requests.",
    HostKind.GITLAB: "Set it to a project access token with the scope api, in a variable that is masked and not "
    "protected, since merge requests' pipelines get no protected ones; the job's own CI_JOB_TOKEN may write no notes.",
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Comment:
    """What is to stand in the comment.

    Attributes:
        workspace: the label of the workspace.
        specs: the paths as given; with the workspace they tell this comment from others of ours.
        body: Markdown that is ready, without the mark.
        empty: there is nothing to do: a comment that stands there is changed and closed as outdated; none is made.
    """

    workspace: str
    specs: tuple[str, ...]
    body: str
    empty: bool


def limit(environ: Mapping[str, str]) -> int:
    """How many characters a comment may have where this runs, with the mark; see ``room``."""
    return _OF_GITLAB if detect(environ).kind is HostKind.GITLAB else LIMIT


def room(environ: Mapping[str, str]) -> int:
    """How many characters the body of a ``Comment`` may have where this runs."""
    return limit(environ) - len(_under_mark(Comment(workspace="", specs=(), body="", empty=True)))


def read_token(environ: Mapping[str, str]) -> Secret | None:
    """The token, which is masked from here on; None where there is none.

    Raises:
        CommentError: what there is cannot be one.
    """
    value = environ.get(VARIABLE, "").strip()
    if not value:
        return None
    token = Secret(value) if len(value) >= MINIMUM else None
    if token is None or not (value.isascii() and value.isprintable()) or " " in value:
        raise CommentError(
            f"What {VARIABLE} holds cannot be a token: {len(value)} characters, or some that no token has.",
            hint="Copy it again, as one line.",
        )
    return token


def publish(environ: Mapping[str, str], comment: Comment) -> str:
    """Bring the comment up to date, where this runs for a pull request or merge request that is not a fork's.

    Returns:
        One sentence about what was done, or why nothing was to be done.

    Raises:
        CommentError: it could not be done.
    """
    token = read_token(environ)
    kind = detect(environ).kind
    found = review.find(environ, kind)
    if isinstance(found, str):
        return found
    if token is None:
        raise CommentError(f"There is no token to write the comment with: {VARIABLE} is not set.", hint=_WHICH[kind])
    text = _under_mark(comment)
    if len(text) > limit(environ):
        told = f"The comment has {len(text)} characters, and {limit(environ)} are the most."
        raise CommentError(told, hint="The step summary and the JSON output tell all.")
    return keep_up(_conversation(environ, kind, found, token), text, empty=comment.empty)


def _under_mark(comment: Comment) -> str:
    return f"{mark(comment.workspace, comment.specs)}\n{redactor.finished(comment.body)}"


def _conversation(environ: Mapping[str, str], kind: HostKind, found: Review, token: Secret) -> Conversation:
    if kind is HostKind.GITHUB:
        with _library("PyGithub", extra="github"):
            from tooken_ci.ci import github_comment
        return github_comment.connect(environ, found, token, _SECONDS)
    with _library("python-gitlab", extra="gitlab"):
        from tooken_ci.ci import gitlab_note
    return gitlab_note.connect(environ, found, _SECONDS)


@contextlib.contextmanager
def _library(name: str, *, extra: str) -> Iterator[None]:
    try:
        yield
    except ImportError as error:
        raise CommentError(
            f"A comment needs the Python package {name}, which is not installed ({type(error).__name__}).",
            hint=f"Install it with tooken-ci: pip install 'tooken-ci[{extra}]'.",
        ) from None

"""What is the same for the comment on every host: its length, its token, what it never shows."""

from __future__ import annotations

import secrets
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.events import pull_request, runner
from tests.support.gitlab import FakeGitLab
from tooken_ci import ci, destinations
from tooken_ci.base.errors import CommentError
from tooken_ci.base.leaks import findings, written
from tooken_ci.base.redact import redactor
from tooken_ci.base.secret import Secret
from tooken_ci.ci.comment import LIMIT, Comment, limit, publish, read_token, room

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.github import FakeGitHub

MERGE_REQUEST = {
    "GITLAB_CI": "true",
    "CI_API_V4_URL": "http://127.0.0.1:1/api/v4",
    "CI_MERGE_REQUEST_IID": "7",
    "CI_MERGE_REQUEST_PROJECT_ID": "42",
    "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "42",
    "TOOKEN_COMMENT_TOKEN": "glpat-fake-0123456789abcdef",
}


def comment(body: str = "text", **more: Any) -> Comment:
    return Comment(**{"workspace": "production", "specs": ("tooken.yml",), "body": body, "empty": False, **more})


def at(github: FakeGitHub, tmp_path: Path) -> dict[str, str]:
    return {
        **runner(tmp_path, pull_request()),
        "GITHUB_API_URL": github.url,
        "GITHUB_GRAPHQL_URL": f"{github.url}/graphql",
    }


def test_how_long_it_may_be() -> None:
    """GitHub takes 65,536 characters, GitLab a million; where nobody knows the fewer."""
    assert (limit({}), limit({"GITHUB_ACTIONS": "true"}), limit({"GITLAB_CI": "true"})) == (LIMIT, 65_536, 1_000_000)
    assert room({"GITHUB_ACTIONS": "true"}) == 65_536 - len("<!-- tooken-ci comment  -->") - 32 - 1


def test_the_longest(github: FakeGitHub, tmp_path: Path) -> None:
    """One that fills the room is taken; one that is a character longer is an error before anything is asked."""
    environ = at(github, tmp_path)
    publish(environ, comment("é" * room(environ)))
    assert len(github.comments.all[0].body) == 65_536
    github.log.clear()
    with pytest.raises(CommentError, match="has 65537 characters, and 65536 are the most"):
        publish(environ, comment("é" * (room(environ) + 1)))
    assert github.log == []


def test_the_longest_note() -> None:
    """So is it on GitLab."""
    with FakeGitLab() as gitlab:
        owner = gitlab.project()
        environ = gitlab.merge_request(owner)
        publish(environ, comment("x" * room(environ)))
        assert len(owner.notes[0]["body"]) == 1_000_000


def test_the_token_is_masked_first(tmp_path: Path) -> None:
    """The token is masked from its first moment, whatever becomes of the comment."""
    token = secrets.token_hex(16)
    environ = runner(tmp_path, pull_request(), event="push", token=f" {token}\n")
    assert publish(environ, comment()) == "The event 'push' is no pull request's, so no comment was written."
    assert redactor.clean(f"a {token}") == "a ***"


@pytest.mark.parametrize("value", ["short", "two words are none", "a-token-with-\x00", "ein-schlüssel-ist-das"])
def test_what_cannot_be_a_token(value: str) -> None:
    """What no header can carry is refused, without being shown."""
    with pytest.raises(CommentError, match="TOOKEN_COMMENT_TOKEN holds cannot be a token") as caught:
        read_token({"TOOKEN_COMMENT_TOKEN": value})
    assert value not in str(caught.value)


@pytest.mark.parametrize(
    ("environ", "hint"), [({}, "`github-token`"), (MERGE_REQUEST, "CI_JOB_TOKEN may write no notes")]
)
def test_no_token(tmp_path: Path, environ: dict[str, str], hint: str) -> None:
    """A comment that was asked for without a token is an error that says which one to take."""
    environ = environ or runner(tmp_path, pull_request())
    with pytest.raises(CommentError, match="TOOKEN_COMMENT_TOKEN is not set") as caught:
        publish({**environ, "TOOKEN_COMMENT_TOKEN": " "}, comment())
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("library", "ours", "theirs"),
    [("github", "github_comment", "github_api"), ("gitlab", "gitlab_note", "gitlab_api")],
)
def test_a_library_that_is_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, library: str, ours: str, theirs: str
) -> None:
    """Without the library the message names the extra that brings it."""
    for package, name in ((ci, ours), (destinations, theirs)):
        monkeypatch.delitem(sys.modules, f"{package.__name__}.{name}", raising=False)
        monkeypatch.delattr(package, name, raising=False)
    monkeypatch.setitem(sys.modules, library, None)
    environ = runner(tmp_path, pull_request()) if library == "github" else MERGE_REQUEST
    with pytest.raises(CommentError, match="which is not installed") as caught:
        publish(environ, comment())
    assert f"pip install 'tooken-ci[{library}]'" in caught.value.hint


def test_no_secret_in_it(github: FakeGitHub, tmp_path: Path) -> None:
    """A secret in the text is masked before it is sent; the search at the end knows of what was sent."""
    secret = secrets.token_hex(16)
    Secret(secret)
    publish(at(github, tmp_path), comment(f"the secret is {secret}"))
    assert github.comments.all[0].body.endswith("\nthe secret is ***")
    assert findings([]) == []


def test_what_was_sent_is_searched(github: FakeGitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Were a secret not masked, the search at the end would find it in what was made, and in what was changed."""
    environ = at(github, tmp_path)
    publish(environ, comment("at first"))
    secret = secrets.token_hex(16)
    Secret(secret)
    monkeypatch.setattr(redactor, "finished", lambda text: text)
    publish(environ, comment(f"then {secret}"))
    assert findings([]) == ["the comment on pull request 7"]
    assert [name for name, _ in written._sent] == ["the comment on pull request 7"] * 2
    publish(environ, comment(f"{secret} elsewhere", specs=("other.yml",)))
    assert findings([]) == ["the comment on pull request 7"]

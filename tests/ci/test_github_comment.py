"""The comment on a GitHub pull request, over real HTTP; what goes by REST passes GitHub's own contract first."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.events import pull_request, runner
from tests.support.github import JOB, READER, ROBOT, TOKEN, FakeGitHub
from tooken_ci.base.errors import CommentError
from tooken_ci.ci.comment import Comment, publish
from tooken_ci.ci.github_comment import GitHubConversation
from tooken_ci.ci.standing import mark
from tooken_ci.destinations import github_api, timing

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.support.contract import Prism

MARK = mark("production", ["tooken.yml"])
LOOK = "POST /graphql"
_NOTHING_YET = (
    '{"data": {"repository": {"pullRequest": {"comments": '
    '{"nodes": [], "pageInfo": {"endCursor": null, "hasNextPage": false}}}}}}'
)
MAKE = "POST /repos/acme/shop/issues/7/comments"


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets nobody wait long: the pauses between tries are short, and there are three."""
    monkeypatch.setattr(timing, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(github_api, "_TRIES", 3)


@pytest.fixture
def environ(github: FakeGitHub, tmp_path: Path) -> dict[str, str]:
    """Gives what a step for a pull request finds in its environment."""
    return {**runner(tmp_path, pull_request()), **_addresses(github)}


def _addresses(github: FakeGitHub) -> dict[str, str]:
    return {"GITHUB_API_URL": github.url, "GITHUB_GRAPHQL_URL": f"{github.url}/graphql"}


def say(environ: Mapping[str, str], body: str, *, empty: bool = False, workspace: str = "production") -> str:
    return publish(environ, Comment(workspace=workspace, specs=("tooken.yml",), body=body, empty=empty))


def refused(environ: Mapping[str, str], body: str = "text", *, empty: bool = False) -> CommentError:
    with pytest.raises(CommentError) as caught:
        say(environ, body, empty=empty)
    assert caught.value.hint
    return caught.value


def edit(number: int) -> str:
    return f"PATCH /repos/acme/shop/issues/comments/{number}"


def test_a_life(contract: Prism, github: FakeGitHub, environ: dict[str, str]) -> None:
    """Made once, left alone while it is right, changed in place, closed when nothing is to do, and opened again."""
    environ["GITHUB_API_URL"] = contract.url

    def asked(body: str, told: str, *, empty: bool = False) -> list[str]:
        github.log.clear()
        assert say(environ, body, empty=empty) == told
        return github.log

    none = "There is nothing to do and no comment on pull request 7, so none was made."
    assert asked("nothing", none, empty=True) == [LOOK]
    assert asked("one", "Made the comment on pull request 7.") == [LOOK, MAKE, LOOK]
    (comment,) = github.comments.all
    assert (comment.author, comment.body) == (ROBOT, f"{MARK}\none")
    assert asked("one", "The comment on pull request 7 says this already.") == [LOOK]
    changing = [LOOK, edit(comment.number)]
    assert asked("two", "Updated the comment on pull request 7.") == changing
    closed = "Updated the comment on pull request 7, and closed it as outdated."
    assert asked("nothing", closed, empty=True) == [*changing, LOOK]
    assert (comment.body, comment.hidden) == (f"{MARK}\nnothing", "outdated")
    assert asked("nothing", "The comment on pull request 7 says this already.", empty=True) == [LOOK]
    opened = "Updated the comment on pull request 7, and opened it again."
    assert asked("three", opened) == [*changing, LOOK]
    assert (github.comments.all, comment.hidden, comment.body) == ([comment], "", f"{MARK}\nthree")


def test_one_for_each_workspace(github: FakeGitHub, environ: dict[str, str]) -> None:
    """Each workspace has a comment of its own, and changes no other's."""
    for workspace in ("production", "staging", "production"):
        say(environ, f"of {workspace}", workspace=workspace)
    assert [comment.body for comment in github.comments.all] == [
        f"{MARK}\nof production",
        f"{mark('staging', ['tooken.yml'])}\nof staging",
    ]


@pytest.mark.parametrize("pages", [1, 2, 3])
def test_a_long_conversation(github: FakeGitHub, environ: dict[str, str], pages: int) -> None:
    """It is found on whatever page it stands, and nothing beyond that page is asked for."""
    for _ in range(100 * pages - 1):
        github.comments.add("a-person", "me too")
    say(environ, "one")
    for _ in range(300):
        github.comments.add("a-person", "me too")
    github.log.clear()
    assert say(environ, "two") == "Updated the comment on pull request 7."
    assert github.log == [*[LOOK] * pages, edit(github.comments.all[100 * pages - 1].number)]


def test_a_conversation_without_end(
    github: FakeGitHub, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A conversation that is longer than GitHub lets any be is an error, and nothing is written."""
    monkeypatch.setattr("tooken_ci.ci.github_comment._PAGES", 3)
    for _ in range(301):
        github.comments.add("a-person", "me too")
    assert "too many comments on pull request 7" in str(refused(environ))
    assert github.log == [LOOK] * 3


@pytest.mark.parametrize(
    ("author", "body"),
    [
        ("a-person", f"{MARK}\nmine, and not to be touched"),
        (ROBOT, f"> {MARK}\nquoted"),
        (ROBOT, f"text\n{MARK}\n"),
        (ROBOT, f"{MARK} and more"),
        (ROBOT, ""),
        (ROBOT, "::error::\x1b[31m<!--"),
    ],
)
@pytest.mark.parametrize("empty", [True, False])
def test_comments_of_others(
    github: FakeGitHub, environ: dict[str, str], author: str, body: str, *, empty: bool
) -> None:
    """A comment that somebody else wrote, or that only quotes the mark, is never changed, hidden or deleted."""
    other = github.comments.add(author, body)
    say(environ, "one", empty=empty)
    say(environ, "two", empty=empty)
    assert (other.body, other.edits, other.hidden) == (body, 0, "")
    assert [comment.body for comment in github.comments.all if comment is not other] == (
        [] if empty else [f"{MARK}\ntwo"]
    )


def test_a_powerful_token(github: FakeGitHub, environ: dict[str, str]) -> None:
    """A person's token, which could change everybody's comments, changes only that person's."""
    robots = github.comments.add(ROBOT, f"{MARK}\nthe robot's")
    environ["TOOKEN_COMMENT_TOKEN"] = TOKEN
    say(environ, "one")
    assert [comment.body for comment in github.comments.all] == [f"{MARK}\nthe robot's", f"{MARK}\none"]
    assert robots.edits == 0


@pytest.mark.parametrize(("reason", "left"), [("outdated", ""), ("OUTDATED", ""), ("spam", "spam"), ("resolved",) * 2])
def test_what_people_hide(github: FakeGitHub, environ: dict[str, str], reason: str, left: str) -> None:
    """Only what was hidden as outdated is shown again: GitHub has told the reason in either case."""
    comment = github.comments.add(ROBOT, f"{MARK}\none", hidden=reason)
    say(environ, "two")
    assert (comment.body, comment.hidden) == (f"{MARK}\ntwo", left)


def test_one_that_was_not_closed(github: FakeGitHub, environ: dict[str, str]) -> None:
    """Where an earlier run could change the text and not close it, the next one closes it."""
    comment = github.comments.add(ROBOT, f"{MARK}\r\nnothing\r\n\n")
    assert say(environ, "nothing", empty=True) == "Closed the comment on pull request 7 as outdated."
    assert (comment.hidden, comment.edits) == ("outdated", 0)


def test_two_runs_at_once(github: FakeGitHub, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two runs that both saw no comment one takes its own back: the older one stays, and says what was said last."""
    both, make = threading.Barrier(2), GitHubConversation.make

    def at_once(self: GitHubConversation, text: str) -> int:
        both.wait()
        number = make(self, text)
        both.wait()
        return number

    monkeypatch.setattr(GitHubConversation, "make", at_once)
    with ThreadPoolExecutor(2) as pool:
        told = list(pool.map(lambda body: say(environ, body), ["of the one", "of the other"]))
    assert sorted(told) == ["Made the comment on pull request 7.", "Updated the comment on pull request 7."]
    (comment,) = github.comments.all
    assert (
        comment.body
        == f"{MARK}\n{('of the one', 'of the other')[told.index('Updated the comment on pull request 7.')]}"
    )
    assert len(github.log) == 8


@pytest.mark.parametrize("done", [True, False])
@pytest.mark.parametrize("status", [0, 502])
def test_a_lost_answer(github: FakeGitHub, environ: dict[str, str], status: int, *, done: bool) -> None:
    """A comment whose answer is lost is looked for and never made twice."""
    github.fail(MAKE, status=status, done=done)
    if done:
        assert say(environ, "one") == "The comment on pull request 7 says this already."
    else:
        assert not refused(environ, "one").surely_refused
    assert github.log == [LOOK, MAKE, LOOK]
    assert len(github.comments.all) == done


@pytest.mark.parametrize(
    "how",
    [
        {"status": 0},
        {"status": 502, "done": True},
        {"status": 429, "headers": {"Retry-After": "0"}},
        {"status": 403, "headers": {"Retry-After": "0"}, "message": "You have exceeded a secondary rate limit"},
    ],
)
@pytest.mark.parametrize("match", [LOOK, "PATCH .*"])
def test_what_goes_wrong_once(github: FakeGitHub, environ: dict[str, str], match: str, how: dict[str, Any]) -> None:
    """What may be repeated is: a look, and a change."""
    comment = github.comments.add(ROBOT, f"{MARK}\none")
    github.fail(match, **how)
    assert say(environ, "two") == "Updated the comment on pull request 7."
    assert comment.body == f"{MARK}\ntwo"


def test_a_rate_limit_on_making(github: FakeGitHub, environ: dict[str, str]) -> None:
    """A comment that GitHub has surely not made is sent again."""
    github.fail(MAKE, status=429, headers={"Retry-After": "0"})
    assert say(environ, "one") == "Made the comment on pull request 7."
    assert github.log == [LOOK, MAKE, MAKE, LOOK]


@pytest.mark.parametrize(
    ("how", "words", "hint"),
    [
        ({"status": 401, "message": "Bad credentials"}, "does not accept the token (401, Bad", "expired"),
        ({"status": 403, "message": "Resource not accessible"}, "may not write comments (403", "pull-requests: write"),
        ({"status": 403, "message": "issue is locked."}, "its conversation is locked (403, issue", "Unlock it"),
        ({"status": 404, "message": "Not Found"}, "it is not there, or the token may not see it", "pull-requests"),
        ({"status": 410, "message": "Gone"}, "the conversation is gone, or switched off", "Turn the comment off"),
        ({"status": 422, "message": "Body is too long"}, "GitHub does not take the text (422, Body", "summary"),
        ({"status": 418, "text": "<html>"}, "GitHub refuses that (418)", "See what it says"),
        ({"status": 307, "headers": {"Location": "https://example.com"}}, "sends requests elsewhere", "renamed"),
        ({"status": 301, "headers": {"Location": "https://example.com/x"}}, "sends requests elsewhere", "_URL"),
        ({"status": 429, "headers": {"Retry-After": "60"}}, "The secondary rate limit of GitHub is reached", "later"),
        ({"status": 500, "times": 3}, "GitHub answers", "later"),
        ({"status": 0, "times": 3}, "GitHub cannot be reached", "later"),
    ],
)
@pytest.mark.parametrize("match", [LOOK, "PATCH .*"])
def test_refusals(
    github: FakeGitHub, environ: dict[str, str], match: str, *, how: dict[str, Any], words: str, hint: str
) -> None:
    """Each refusal has a sentence of its own, which says what to do, and is not repeated."""
    github.comments.add(ROBOT, f"{MARK}\none")
    github.fail(match, **how)
    error = refused(environ, "two")
    assert words in error.message
    assert hint in error.hint
    assert error.message[0].isupper()
    assert len([line for line in github.log if line.startswith(match[:5])]) == how.get("times", 1)


def test_no_answer_in_time(github: FakeGitHub, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A GitHub that does not answer is not waited for beyond the time for all of it."""
    monkeypatch.setattr(github_api, "_TIMEOUT", 1)
    monkeypatch.setattr("tooken_ci.ci.comment._SECONDS", 1.0)
    github.fail(LOOK, status=200, seconds=5)
    assert "it did not answer in time" in str(refused(environ))
    assert github.log == [LOOK]


def test_slow_answers(github: FakeGitHub, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the time is over after an answer, nothing more is begun."""
    monkeypatch.setattr("tooken_ci.ci.comment._SECONDS", 0.2)
    github.fail(LOOK, status=0, seconds=0.3, done=True)
    assert "cannot be reached" in refused(environ).message
    github.fail(LOOK, status=200, seconds=0.3, text=_NOTHING_YET)
    assert refused(environ).message.startswith("GitHub answers so slowly that the comment")
    assert github.log == [LOOK] * 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<html>", "does not speak as GitHub's API does"),
        ("[]", "does not speak as GitHub's API does"),
        ("{}", "does not speak as GitHub's API does"),
        ('{"data": {"repository": null}}', "does not speak as GitHub's API does"),
        ('{"data": {"repository": {"pullRequest": {"comments": {"nodes": [7]}}}}}', "does not speak as GitHub's"),
        ('{"errors": 7}', "GitHub refuses that ()"),
        ('{"errors": [7]}', "GitHub refuses that ()"),
        ('{"errors": [{"type": "RATE_LIMITED", "message": "API rate"}]}', "rate limit is reached (429, API rate)"),
        (
            '{"errors": [{"type": "NEW", "message": "::warning::x\\ny"}]}',
            "refuses that (\\x3a:warning::x\\x0ay)",
        ),
    ],
)
def test_answers_of_another_shape(github: FakeGitHub, environ: dict[str, str], text: str, words: str) -> None:
    """Whatever GraphQL answers becomes one safe sentence."""
    github.fail(LOOK, status=200, text=text)
    assert words in refused(environ).message


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"id": null}', '{"id": "x"}'])
def test_an_answer_without_a_number(github: FakeGitHub, environ: dict[str, str], text: str) -> None:
    """A comment whose number is not told is looked for: it was made all the same."""
    github.fail(MAKE, status=201, done=True, text=text)
    assert say(environ, "one") == "The comment on pull request 7 says this already."


def test_a_token_that_only_reads(github: FakeGitHub, environ: dict[str, str]) -> None:
    """A token that may look and not write leads to the permission that it lacks, for a text and for closing one."""
    environ["TOOKEN_COMMENT_TOKEN"] = READER
    github.comments.add(ROBOT, f"{MARK}\none")
    for body, empty in (("two", False), ("one", True)):
        error = refused(environ, body, empty=empty)
        assert "the token may not write comments (403, Resource not accessible by integration)" in error.message
        assert "`permissions: pull-requests: write`" in error.hint


@pytest.mark.parametrize("change", ["pull_requests", "authors", "locked"])
def test_refusals_of_the_fake_itself(contract: Prism, github: FakeGitHub, environ: dict[str, str], change: str) -> None:
    """A pull request that is not there, a token that is not known, a locked conversation: each is told."""
    environ["GITHUB_API_URL"] = contract.url
    words = {"pull_requests": "(404, Could", "authors": "(401, Bad credentials)", "locked": "is locked (403, Unable"}
    setattr(github.comments, change, {("acme/shop", 7)} if change == "locked" else {})
    assert words[change] in refused(environ).message


def test_enterprise(tmp_path: Path) -> None:
    """On GitHub Enterprise REST and GraphQL have paths of their own."""
    with FakeGitHub(prefix="/api/v3") as github:
        root = github.url.removesuffix("/api/v3")
        addresses = {"GITHUB_API_URL": github.url, "GITHUB_GRAPHQL_URL": f"{root}/api/graphql"}
        environ = {**runner(tmp_path, pull_request()), **addresses}
        assert say(environ, "one") == "Made the comment on pull request 7."
        assert say(environ, "", empty=True) == "Updated the comment on pull request 7, and closed it as outdated."
        assert github.requests("POST")[:2] == ["POST /api/graphql", MAKE]


@pytest.mark.parametrize("variable", ["GITHUB_API_URL", "GITHUB_GRAPHQL_URL"])
@pytest.mark.parametrize("url", ["http://example.com/v3", "https://a:b@example.com", "ftp://example.com", "nowhere"])
def test_addresses_that_get_no_token(github: FakeGitHub, environ: dict[str, str], variable: str, url: str) -> None:
    """The token goes nowhere in the clear; neither does an address with a password in it."""
    error = refused({**environ, variable: url})
    assert error.message.startswith(variable)
    assert "a:b" not in error.message
    assert github.log == []


def test_the_usual_addresses(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Without addresses it is github.com."""
    seen: list[str] = []
    made = github_api.Api.__init__

    def noted(self: github_api.Api, url: str, *rest: Any) -> None:
        seen.append(url)
        made(self, url, *rest)

    def nothing(*_: object, **__: object) -> github_api.Answer:
        return github_api.Answer(status=401, headers={}, data=None)

    monkeypatch.setattr(github_api.Api, "__init__", noted)
    monkeypatch.setattr(github_api.Api, "send", nothing)
    for name in ("GITHUB_API_URL", "GITHUB_GRAPHQL_URL"):
        environ[name] = ""
    assert "GitHub does not accept the token (401)" in refused(environ).message
    assert seen == ["https://api.github.com", "https://api.github.com"]


def test_the_job_never_asks_who_it_is(github: FakeGitHub, environ: dict[str, str]) -> None:
    """The job's own token, which may not ask who it is, is enough."""
    assert environ["TOOKEN_COMMENT_TOKEN"] == JOB
    say(environ, "one")
    assert not [line for line in github.log if "/user" in line]

"""The note on a GitLab merge request, over real HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.gitlab import ADMIN, READER, TOKEN, USERS, FakeGitLab, Fault, Owner
from tooken_ci.base.errors import CommentError
from tooken_ci.ci.comment import Comment, publish
from tooken_ci.ci.gitlab_note import GitLabConversation
from tooken_ci.ci.standing import mark
from tooken_ci.destinations import timing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MARK = mark("production", ["tooken.yml"])
NOTES = "projects/1/merge_requests/7/notes"
LOOK = ("GET", NOTES, 200)
WHO = ("GET", "user", 200)
MAKE = ("POST", NOTES, 201)
ME, STRANGER = USERS[TOKEN], 99


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets nobody wait long."""
    monkeypatch.setattr(timing, "LONGEST_PAUSE", 0.01)


@pytest.fixture
def gitlab() -> Iterator[FakeGitLab]:
    """Gives a fake GitLab."""
    with FakeGitLab() as fake:
        yield fake


@pytest.fixture
def shop(gitlab: FakeGitLab) -> Owner:
    """Gives its project."""
    return gitlab.project()


@pytest.fixture
def environ(gitlab: FakeGitLab, shop: Owner) -> dict[str, str]:
    """Gives what a job of the merge request finds in its environment."""
    return gitlab.merge_request(shop)


def say(environ: Mapping[str, str], body: str, *, empty: bool = False) -> str:
    return publish(environ, Comment(workspace="production", specs=("tooken.yml",), body=body, empty=empty))


def refused(environ: Mapping[str, str], body: str = "text") -> CommentError:
    with pytest.raises(CommentError) as caught:
        say(environ, body)
    assert caught.value.hint
    return caught.value


def test_a_life(gitlab: FakeGitLab, shop: Owner, environ: dict[str, str]) -> None:
    """Made once, left alone while it is right, changed in place; when nothing is to do it says so."""

    def asked(body: str, told: str, *, empty: bool = False) -> list[tuple[str, str, int]]:
        gitlab.requests.clear()
        assert say(environ, body, empty=empty) == told
        return gitlab.requests

    none = "There is nothing to do and no comment on merge request 7, so none was made."
    assert asked("nothing", none, empty=True) == [LOOK]
    assert asked("one", "Made the comment on merge request 7.") == [LOOK, MAKE, LOOK]
    (note,) = shop.notes
    assert (note["author"]["id"], note["body"]) == (ME, f"{MARK}\none")
    change = ("PUT", f"{NOTES}/{note['id']}", 200)
    assert asked("one", "The comment on merge request 7 says this already.") == [LOOK, WHO]
    assert asked("two", "Updated the comment on merge request 7.") == [LOOK, WHO, change]
    assert asked("nothing", "Updated the comment on merge request 7.", empty=True) == [LOOK, WHO, change]
    assert asked("nothing", "The comment on merge request 7 says this already.", empty=True) == [LOOK, WHO]
    assert [one["body"] for one in shop.notes] == [f"{MARK}\nnothing"]


@pytest.mark.parametrize("pages", [1, 2, 3])
def test_a_long_conversation(gitlab: FakeGitLab, shop: Owner, environ: dict[str, str], pages: int) -> None:
    """It is found on whatever page it stands, and nothing beyond that page is asked for."""
    for _ in range(100 * pages - 1):
        shop.note(STRANGER, "me too")
    say(environ, "one")
    for _ in range(300):
        shop.note(STRANGER, "me too")
    gitlab.requests.clear()
    say(environ, "two")
    assert gitlab.requests == [*[LOOK] * pages, WHO, ("PUT", f"{NOTES}/{shop.notes[100 * pages - 1]['id']}", 200)]


def test_a_conversation_without_end(
    gitlab: FakeGitLab, shop: Owner, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A conversation that is longer than GitLab lets any be is an error, and nothing is written."""
    monkeypatch.setattr("tooken_ci.ci.gitlab_note._PAGES", 3)
    for _ in range(301):
        shop.note(STRANGER, "me too")
    assert "too many notes on merge request 7" in str(refused(environ))
    assert gitlab.requests == [LOOK] * 3


@pytest.mark.parametrize(
    ("author", "body", "more"),
    [
        (STRANGER, f"{MARK}\nmine, and not to be touched", {}),
        (USERS[ADMIN], f"{MARK}\nmine", {}),
        (ME, f"> {MARK}\nquoted", {}),
        (ME, f"{MARK} and more", {}),
        (ME, "", {}),
        (ME, f"{MARK}\nof the system", {"system": True}),
    ],
)
@pytest.mark.parametrize("token", [TOKEN, ADMIN])
def test_notes_of_others(
    gitlab: FakeGitLab, shop: Owner, *, token: str, author: int, body: str, more: dict[str, Any]
) -> None:
    """A note that somebody else wrote is never changed or deleted, also with a token that might."""
    if token == ADMIN:
        author = {ME: USERS[ADMIN], USERS[ADMIN]: ME}.get(author, author)
    other = shop.note(author, body, **more)
    environ = gitlab.merge_request(shop, token)
    say(environ, "one")
    say(environ, "two")
    assert (other["body"], other["edits"]) == (body, 0)
    assert [one["body"] for one in shop.notes] == [body, f"{MARK}\ntwo"]


def test_no_quick_action(shop: Owner, environ: dict[str, str]) -> None:
    """No line of the text is a command to GitLab, when it is made nor when it is changed; and it is known again."""
    body = "one\n/close\n  /approve\ntext / more\n/merge"
    say(environ, body)
    say(environ, f"{body}!")
    assert say(environ, f"{body}!") == "The comment on merge request 7 says this already."
    assert shop.commands == []
    assert shop.notes[0]["body"] == f"{MARK}\none\n&#47;close\n  &#47;approve\ntext / more\n&#47;merge!"


def test_two_runs_at_once(shop: Owner, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where another run was faster by a moment, this one takes its own note back and changes the other's."""
    make = GitLabConversation.make

    def later(self: GitLabConversation, text: str) -> int:
        shop.note(ME, f"{MARK}\nof the other")
        return make(self, text)

    monkeypatch.setattr(GitLabConversation, "make", later)
    assert say(environ, "of this one") == "Updated the comment on merge request 7."
    assert [one["body"] for one in shop.notes] == [f"{MARK}\nof this one"]


@pytest.mark.parametrize("done", [True, False])
@pytest.mark.parametrize("status", [0, 502])
def test_a_lost_answer(gitlab: FakeGitLab, shop: Owner, environ: dict[str, str], status: int, *, done: bool) -> None:
    """A note whose answer is lost is looked for and never made twice."""
    gitlab.faults.append(Fault("POST", status=status, done=done))
    if done:
        assert say(environ, "one") == "The comment on merge request 7 says this already."
    else:
        assert not refused(environ).surely_refused
    assert len(gitlab.asked("POST")) == 1
    assert len(shop.notes) == done


@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
@pytest.mark.parametrize(("status", "headers"), [(429, {"Retry-After": "0"}), (502, {}), (0, {})])
def test_what_goes_wrong_once(
    gitlab: FakeGitLab, shop: Owner, environ: dict[str, str], *, method: str, status: int, headers: dict[str, str]
) -> None:
    """What may be repeated is."""
    if method != "POST":
        shop.note(ME, f"{MARK}\none")
    gitlab.faults.append(Fault(method, status=status, headers=headers, done=status != 429))
    say(environ, "two")
    assert [one["body"] for one in shop.notes] == [f"{MARK}\ntwo"]


@pytest.mark.parametrize(
    ("fault", "words", "hint"),
    [
        ({"status": 400, "body": '{"message": {"note": ["is too long"]}}'}, "does not take the text (400, {", "JSON"),
        (
            {"status": 401, "body": '{"message": "401 Unauthorized"}'},
            "not accept the token in TOOKEN_COMMENT",
            "expired",
        ),
        ({"status": 403, "body": '{"message": "403 Forbidden"}'}, "may not write notes there (403", "scope api"),
        ({"status": 403, "body": '{"error": "insufficient_scope"}'}, "(403, insufficient_scope)", "CI_JOB_TOKEN"),
        ({"status": 404, "body": '{"message": "404 Not found"}'}, "is not there, or the token in TOOKEN", "scope api"),
        ({"status": 418, "body": "<html>"}, "GitLab refuses that (418)", "See what it says"),
        ({"status": 429, "headers": {"Retry-After": "60"}, "body": "{}"}, "GitLab's rate limit is reached", "later"),
        ({"status": 500, "times": 4}, "GitLab answered 500", "Run again"),
        ({"status": 0, "times": 4}, "GitLab cannot be reached", "Run again"),
        ({"status": 301, "headers": {"Location": "https://example.com"}}, "which is not followed", "renamed"),
        ({"status": 200, "body": "<html>"}, "it sent no JSON", "CI_API_V4_URL"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_refusals(
    gitlab: FakeGitLab,
    shop: Owner,
    environ: dict[str, str],
    *,
    method: str,
    fault: dict[str, Any],
    words: str,
    hint: str,
) -> None:
    """Each refusal has a sentence of its own, which says what to do, and names the variable that is meant."""
    shop.note(ME, f"{MARK}\none")
    gitlab.faults.append(Fault(method, **fault))
    error = refused(environ, "two")
    assert words in error.message
    assert hint in error.hint
    assert "GITLAB_TOKEN" not in str(error)
    assert len(gitlab.asked(method)) - (2 if method == "PUT" else 0) <= fault.get("times", 1)


def test_slow_answers(gitlab: FakeGitLab, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the time is over after an answer, nothing more is begun."""
    monkeypatch.setattr("tooken_ci.ci.comment._SECONDS", 0.0)
    assert refused(environ).message.startswith("GitLab answers so slowly that the comment")
    assert gitlab.requests == []


@pytest.mark.parametrize("body", ["7", "{}", "[7]", '[{"body": null}]', f'[{{"body": "{MARK}", "system": false}}]'])
def test_answers_of_another_shape(gitlab: FakeGitLab, environ: dict[str, str], body: str) -> None:
    """Whatever a list is, it becomes one safe sentence."""
    gitlab.faults.append(Fault("GET", NOTES, status=200, body=body))
    assert refused(environ).message == "What answers as GitLab does not speak as GitLab's API does."


def test_an_answer_without_a_number(gitlab: FakeGitLab, environ: dict[str, str]) -> None:
    """A note whose number is not told is looked for: it was made all the same."""
    gitlab.faults.append(Fault("POST", status=201, done=True, body="{}"))
    assert say(environ, "one") == "The comment on merge request 7 says this already."


def test_a_token_that_only_reads(gitlab: FakeGitLab, shop: Owner) -> None:
    """A token with the scope read_api leads to the scope that it lacks."""
    error = refused(gitlab.merge_request(shop, READER))
    assert "may not write notes there (403, insufficient_scope)" in error.message
    assert "the scope api" in error.hint


@pytest.mark.parametrize(("level", "locked"), [(10, False), (50, True)])
def test_a_merge_request_that_takes_no_notes(shop: Owner, environ: dict[str, str], level: int, *, locked: bool) -> None:
    """A role that is too low and a locked discussion look alike, and the hint names both."""
    shop.level, shop.locked = level, locked
    assert "a role that may comment on merge requests" in refused(environ).hint
    assert "locked" in refused(environ).hint


def test_a_guess_of_the_number(environ: dict[str, str]) -> None:
    """A merge request that is not there is told."""
    assert "(404, 404 Not found)" in refused({**environ, "CI_MERGE_REQUEST_IID": "8"}).message


@pytest.mark.parametrize(
    "url", ["", "nowhere", "http://example.com/api/v4", "https://a:b@example.com/api/v4", "https://example.com/api/v5"]
)
def test_addresses_that_get_no_token(environ: dict[str, str], url: str) -> None:
    """The token goes nowhere in the clear; neither does an address with a password in it."""
    error = refused({**environ, "CI_API_V4_URL": url})
    assert error.message.startswith("CI_API_V4_URL")
    assert "a:b" not in error.message


def test_the_address_is_the_job_s(environ: dict[str, str], shop: Owner) -> None:
    """The address that a destination is told, and its token, have no part in it."""
    elsewhere = {"GITLAB_URL": "https://gitlab.example.com", "CI_SERVER_URL": "nowhere", "GITLAB_TOKEN": "x" * 20}
    say({**environ, **elsewhere}, "one")
    assert len(shop.notes) == 1


def test_a_certificate_authority_that_is_missing(environ: dict[str, str]) -> None:
    """So is an authority's file that is not there."""
    error = refused({**environ, "CI_SERVER_TLS_CA_FILE": "/nowhere"})
    assert error.message == "CI_SERVER_TLS_CA_FILE names '/nowhere', which does not exist."

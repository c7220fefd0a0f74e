"""What is found out about GitHub before any token is made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.destinations.github_support import BARE_HOLDERS, HOLDERS, NAME, SHOP, VARIABLE, deliver, kind, opened, target
from tests.destinations.support import SECRET
from tests.support.github import JOB, READER, TOKEN, FakeGitHub
from tooken_ci.base.errors import DestinationError
from tooken_ci.base.record import State
from tooken_ci.base.redact import MASK, redactor
from tooken_ci.base.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping


def refused(url: str, settings: Mapping[str, Any] = SHOP, *, token: str | None = TOKEN) -> DestinationError:
    """The error of a check."""
    with pytest.raises(DestinationError) as caught:
        opened(url, settings, token=token).check()
    assert caught.value.surely_refused
    assert caught.value.hint
    return caught.value


@pytest.mark.parametrize("settings", [settings for settings, _ in (*HOLDERS.values(), *BARE_HOLDERS.values())])
def test_it_changes_nothing(github: FakeGitHub, settings: Mapping[str, Any]) -> None:
    """A check is content with what it may write, and leaves it as it is."""
    opened(github.url, settings).check()
    assert all(not items for items in github.state.items.values())


def test_a_second_check_asks_less(github: FakeGitHub) -> None:
    """What the secrets of one repository share is asked for once."""
    one = kind(github.url)
    one.open(target()).check()
    github.log.clear()
    one.open(target({**SHOP, "name": "OTHER"})).check()
    assert len(github.log) == 2


@pytest.mark.parametrize(
    ("settings", "token", "words", "hint"),
    [
        (SHOP, "github_pat_unknown_0123456789", "does not accept the credential in GH_TOKEN", "expired"),
        (SHOP, READER, "does not let the credential in GH_TOKEN", "'Secrets' and 'Variables'"),
        (SHOP, JOB, "the job's own GITHUB_TOKEN, which may neither read nor write secrets", "Set GH_TOKEN"),
        (SHOP, None, "no credential for GitHub", "Set GH_TOKEN"),
        ({**SHOP, "repository": "acme/nothing"}, TOKEN, "not there, or the credential", "Look at its name"),
        ({**SHOP, "environment": "nowhere"}, TOKEN, "not there, or the credential", "Look at its name"),
        ({**HOLDERS["organization"][0], "organization": "else"}, TOKEN, "not there, or", "'admin:org'"),
        ({**HOLDERS["selected"][0], "repositories": ["gone"]}, TOKEN, "GET /repos/acme/gone: 404", "Look at"),
    ],
)
def test_bad_input(github: FakeGitHub, settings: Mapping[str, Any], token: str | None, words: str, hint: str) -> None:
    """Each is told with what it is about and what to do."""
    error = refused(github.url, settings, token=token)
    assert words in error.message
    assert hint in error.hint


def test_the_conventional_variable(github: FakeGitHub) -> None:
    """GITHUB_TOKEN does as well, but GH_TOKEN is taken before it, since in a job the former is the job's own."""
    both = kind(github.url, GITHUB_TOKEN=JOB)
    both.open(target()).check()
    alone = kind(github.url, token=None, GITHUB_TOKEN=TOKEN)
    alone.open(target()).check()
    assert redactor.clean(f"{TOKEN} {JOB}").startswith(MASK)


@pytest.mark.parametrize("token", ["ghp_plainly_fäke_token", "ghp_plainly fake_token", "ghp_plainly_\nfake"])
@pytest.mark.parametrize("variable", ["GH_TOKEN", "GITHUB_TOKEN"])
def test_what_can_be_no_credential(variable: str, token: str) -> None:
    """A value that no request can carry as a credential is refused, with its variable, and is not shown."""
    destination = kind(token=None, **{variable: token}).open(target())
    with pytest.raises(DestinationError, match=f"{variable} cannot be a token") as caught:
        destination.check()
    assert "plainly" not in str(caught.value)
    assert destination.look().state is State.UNKNOWN


@pytest.mark.parametrize("url", ["http://ghe.example/api/v3", "ftp://127.0.0.1", "https://", "https://a:b@ghe.example"])
def test_an_address_that_no_credential_is_sent_to(url: str) -> None:
    """Plain http to another machine, and what is no address, is refused before anything is sent."""
    assert "GITHUB_API_URL" in refused(url).message


def test_enterprise() -> None:
    """GITHUB_API_URL leads to a GitHub of the team's own, at a path below its host."""
    with FakeGitHub(prefix="/api/v3") as github:
        destination = opened(github.url)
        destination.check()
        deliver(destination)
        assert github.secret(NAME) == SECRET


def test_the_limit_on_secrets(github: FakeGitHub) -> None:
    """One secret more than GitHub allows is refused beforehand, counting all that this run is about to add."""
    for index in range(99):
        github.put("secrets", f"S{index}", SECRET)
    one = kind(github.url)
    one.open(target()).check()
    one.open(target()).check()
    with pytest.raises(DestinationError, match=r"has 99 secrets, 2 of this run .* no more than 100"):
        one.open(target({**SHOP, "name": "OTHER"})).check()
    one.open(target({**SHOP, "name": "S7"})).check()


def test_the_limit_on_variables(github: FakeGitHub) -> None:
    """The variable of a record is counted as well; where none is kept there is none to count."""
    for index in range(500):
        github.put("variables", f"V{index}", "x")
    assert "500 variables" in refused(github.url).message
    opened(github.url, {**SHOP, "record": "none"}).check()


def test_a_newer_record(github: FakeGitHub) -> None:
    """What a later version wrote is not written over."""
    github.put("variables", VARIABLE, "tooken-ci/2 workspace=default colour=blue")
    assert "newer tooken-ci" in refused(github.url).message


def test_a_repository_that_has_moved(github: FakeGitHub) -> None:
    """A write is not sent after a repository that has another name now."""
    github.fail("DELETE .*", status=307, headers={"Location": f"{github.url}/repositories/101/x"}, message="Moved")
    assert "moved to another name" in refused(github.url).message


def test_a_server_that_sends_elsewhere(github: FakeGitHub) -> None:
    """No credential follows a redirect to another host."""
    github.fail("GET .*", status=301, headers={"Location": "http://elsewhere.example/repos/acme/shop"})
    assert "sends requests elsewhere" in refused(github.url).message


def test_a_credential_that_is_none(github: FakeGitHub) -> None:
    """What is too short to be masked is no credential."""
    error = refused(github.url, token="short")
    assert "GH_TOKEN cannot be a token" in error.message
    assert github.log == []


def test_a_secret_that_is_too_long(github: FakeGitHub) -> None:
    """GitHub takes no more than 48 KB; what is longer is not even sent."""
    with pytest.raises(DestinationError, match="longer than the 49152 bytes") as caught:
        opened(github.url).write(Secret("x" * 49153))
    assert caught.value.surely_refused
    assert github.requests("PUT") == []

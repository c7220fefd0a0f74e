"""What becomes of requests to GitHub that go wrong, and whether the secret was surely not taken then."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from tests.destinations.github_support import NAME, SHOP, VARIABLE, deliver, opened
from tests.destinations.support import OTHER, SECRET, held, mark, record
from tooken_ci.base.errors import DestinationError
from tooken_ci.base.record import State
from tooken_ci.base.secret import Secret
from tooken_ci.destinations import github_api, github_pace, github_store, timing

if TYPE_CHECKING:
    from tests.support.github import FakeGitHub
    from tooken_ci.destinations.github_store import GitHubDestination

PUT = f"PUT /repos/acme/shop/actions/secrets/{NAME}"
LIMIT = {"X-RateLimit-Limit": "5000", "X-RateLimit-Remaining": "0"}


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets nobody wait long: the pauses between tries are short, and there are three."""
    monkeypatch.setattr(timing, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(github_api, "_TRIES", 3)
    monkeypatch.setattr(github_store, "_BETWEEN_ROUNDS", 0.01)


@pytest.fixture
def marked(github: FakeGitHub) -> GitHubDestination:
    """Gives a place that is marked, a while after another secret was delivered there."""
    deliver(opened(github.url))
    github.ahead = 3600
    destination = opened(github.url)
    found = destination.look().record
    assert found is not None
    destination.write_record(found.marked(mark()))
    github.log.clear()
    return destination


def failure(destination: GitHubDestination) -> DestinationError:
    with pytest.raises(DestinationError) as caught:
        destination.write(Secret(OTHER))
    return caught.value


@pytest.mark.parametrize(
    "how",
    [
        {"status": 500},
        {"status": 502, "done": True},
        {"status": 0},
        {"status": 0, "done": True},
        {"status": 429, "headers": {"Retry-After": "0"}},
        {"status": 403, "headers": {"Retry-After": "0"}, "message": "You have exceeded a secondary rate limit"},
    ],
)
def test_a_write_that_goes_wrong_once(marked: GitHubDestination, github: FakeGitHub, how: dict[str, Any]) -> None:
    """It is sent again, whether or not it was done; sent twice it does no harm."""
    github.fail(PUT, **how)
    marked.write(Secret(OTHER))
    marked.write_record(record(of=held("tok_next", OTHER)))
    assert len(github.requests("PUT")) == 2
    assert github.secret(NAME) == OTHER
    assert opened(github.url).look().held == held("tok_next", OTHER)


@pytest.mark.parametrize(
    ("how", "sure"),
    [
        ({"status": 500}, False),
        ({"status": 503, "done": True}, False),
        ({"status": 0}, False),
        ({"status": 0, "done": True}, False),
        ({"status": 429, "headers": {"Retry-After": "0"}}, True),
        ({"status": 403, "message": "Resource not accessible by personal access token"}, True),
        ({"status": 404, "message": "Not Found"}, True),
        ({"status": 422, "message": "No"}, True),
    ],
)
def test_a_write_that_goes_wrong_again_and_again(
    marked: GitHubDestination, github: FakeGitHub, how: dict[str, Any], *, sure: bool
) -> None:
    """Only where GitHub refused it, and no earlier try can have been done, was the secret surely not taken."""
    github.fail(PUT, times=9, **how)
    assert failure(marked).surely_refused is sure
    assert (github.secret(NAME) == OTHER) is bool(how.get("done"))


def test_refused_after_a_try_that_may_have_been_done(marked: GitHubDestination, github: FakeGitHub) -> None:
    """A refusal says nothing of the try before it: that one may have been done."""
    github.fail(PUT, status=0, done=True)
    github.fail(PUT, status=422, message="No")
    error = failure(marked)
    assert "422" in error.message
    assert not error.surely_refused
    assert github.secret(NAME) == OTHER


def test_a_time_out(marked: GitHubDestination, github: FakeGitHub, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write that is not answered in time may have been done."""
    monkeypatch.setattr(github_api, "_TIMEOUT", 1)
    monkeypatch.setattr(github_api, "_TRIES", 1)
    slow = opened(github.url)
    slow.look()
    github.fail(PUT, status=204, done=True, seconds=1.5)
    error = failure(slow)
    assert "did not answer in time" in error.message
    assert not error.surely_refused
    assert github.secret(NAME) == OTHER


def test_nobody_there(marked: GitHubDestination, github: FakeGitHub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no connection comes about nothing was taken."""
    nobody = opened("http://127.0.0.1:1")
    monkeypatch.setattr(nobody, "_found", marked._found)
    monkeypatch.setattr(nobody._group, "_key", marked._group.key(time.monotonic() + 9))
    error = failure(nobody)
    assert "the connection was refused" in error.message
    assert error.surely_refused
    assert nobody.look().state is State.UNKNOWN


def test_a_key_that_has_changed(marked: GitHubDestination, github: FakeGitHub) -> None:
    """GitHub's key is fetched again where the one that was used is no longer the present one."""
    marked._group.key(time.monotonic() + 9)
    github.state.keys.clear()
    marked.write(Secret(OTHER))
    assert github.secret(NAME) == OTHER


@pytest.mark.parametrize("key", ["", "c2hvcnQ=", "no base64!"])
def test_a_key_that_is_none(marked: GitHubDestination, github: FakeGitHub, key: str) -> None:
    """With what is no key nothing is sealed, and nothing sent."""
    github.fail(".*public-key", status=200, text=f'{{"key_id": "1", "key": "{key}"}}')
    assert failure(marked).surely_refused
    assert github.requests("PUT") == []


def test_accepted_and_not_written(marked: GitHubDestination, github: FakeGitHub) -> None:
    """A secret that GitHub says it took, and whose time did not advance, was not seen to be written."""
    github.state.frozen.add(NAME)
    error = failure(marked)
    assert "was last written at" in error.message
    assert not error.surely_refused


def test_accepted_and_not_there(github: FakeGitHub) -> None:
    """The same where there was none before."""
    github.state.frozen.add(NAME)
    error = failure(opened(github.url, {**SHOP, "record": "none"}))
    assert "says that it is not there" in error.message
    assert not error.surely_refused


def test_accepted_and_not_seen(marked: GitHubDestination, github: FakeGitHub) -> None:
    """Where GitHub cannot be asked whether it wrote, it may have."""
    github.fail(f"GET .*/secrets/{NAME}", status=500, times=9)
    error = failure(marked)
    assert not error.surely_refused
    assert github.secret(NAME) == OTHER


def test_written_within_the_same_second(github: FakeGitHub, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second write within one second is seen to be written: its time is that of the answer."""
    monkeypatch.setattr(github, "now", lambda: 1_800_000_000.25)
    monkeypatch.setattr(github.state, "_now", github.now)
    deliver(opened(github.url))
    deliver(opened(github.url), "tok_next", OTHER)
    assert opened(github.url).look().held == held("tok_next", OTHER)


@pytest.mark.parametrize("how", [{"status": 500}, {"status": 0}, {"status": 500, "done": True}, {"done": True}])
@pytest.mark.parametrize("first", [True, False], ids=["made", "changed"])
def test_a_record_that_goes_wrong_once(github: FakeGitHub, how: dict[str, Any], *, first: bool) -> None:
    """A variable is made or changed by the second try, also where the first one was done unseen."""
    if not first:
        deliver(opened(github.url))
    github.fail("(POST|PATCH) .*", **how)
    opened(github.url).write_record(record(marks=(mark("another"),)))
    assert (github.variable(VARIABLE) or "").count("mark=") == 1


def test_a_variable_that_somebody_else_just_made(github: FakeGitHub) -> None:
    """A mark is not written over one that came in between, and a variable that has gone is made anew."""
    destination = opened(github.url)
    destination.look()
    github.put("variables", VARIABLE, record(marks=(mark("another"),)).to_text())
    with pytest.raises(DestinationError, match="something else made the variable"):
        destination.write_record(record(marks=(mark(),)))
    destination.look()
    github.remove("variables", VARIABLE)
    destination.write_record(record(marks=(mark(),)))
    assert github.variable(VARIABLE) == record(marks=(mark(),)).to_text()


def test_a_read_that_goes_wrong_once(marked: GitHubDestination, github: FakeGitHub) -> None:
    """A look asks again after a fault that may pass."""
    for status in (500, 0):
        github.fail("GET .*", status=status)
    assert marked.look().held == held()
    github.fail("GET .*", status=500, times=9)
    assert marked.look().reason.endswith("with 500. Run again later")


def test_the_rate_limit_is_waited_for(
    marked: GitHubDestination, github: FakeGitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A limit that is renewed soon is waited for, by GitHub's own clock, which is an hour ahead here."""
    waits: list[float] = []
    monkeypatch.setattr(github_api, "time", SimpleNamespace(monotonic=time.monotonic, sleep=waits.append))
    reset = str(int(github.now()) + 9)
    github.fail("GET .*", status=403, headers={**LIMIT, "X-RateLimit-Reset": reset}, message="API rate limit exceeded")
    assert marked.look().held == held()
    assert 8 <= waits[0] <= 11


@pytest.mark.parametrize(
    "how",
    [
        {"status": 403, "headers": {**LIMIT, "X-RateLimit-Reset": "9999999999"}, "message": "API rate limit exceeded"},
        {"status": 429, "headers": {"Retry-After": "3600"}},
        {"status": 403, "message": "You have exceeded a secondary rate limit."},
    ],
)
def test_a_rate_limit_that_lasts(marked: GitHubDestination, github: FakeGitHub, how: dict[str, Any]) -> None:
    """What would have to be waited for too long is told at once, and nothing more is sent until then."""
    github.fail(PUT, **how)
    error = failure(marked)
    assert "rate limit" in error.message
    assert error.surely_refused
    sent = len(github.log)
    assert "rate limit" in marked.look().reason
    assert len(github.log) == sent


def test_the_last_request_that_is_allowed(marked: GitHubDestination, github: FakeGitHub) -> None:
    """After the last request of an allowance none is sent in vain."""
    headers = {**LIMIT, "X-RateLimit-Reset": "9999999999"}
    github.fail(f"GET .*/secrets/{NAME}", status=404, headers=headers)
    assert "rate limit" in marked.look().reason
    assert len(github.log) == 1


def test_many_writes() -> None:
    """A few writes go at once; of many, those that come later go a second apart."""
    pace = github_pace.Pace()
    waits = [pace.wait(writes=True) for _ in range(github_pace.BURST + 3)]
    assert waits[: github_pace.BURST] == [0.0] * github_pace.BURST
    assert [round(wait) for wait in waits[github_pace.BURST :]] == [1, 2, 3]
    assert pace.wait(writes=False) == 0


def test_what_is_refused_is_no_rate_limit() -> None:
    """A refusal that says nothing of a limit is final."""
    assert github_pace.limited(403, {}, "Resource not accessible by integration", None) is None
    assert github_pace.limited(500, {"retry-after": "1"}, "", None) is None


def test_nothing_secret_shows(marked: GitHubDestination, github: FakeGitHub) -> None:
    """What GitHub says is shown without what it may have been told, on one line, and no longer than is read."""
    github.fail(PUT, status=422, message=f"{OTHER}\n::error::{SECRET}" + "x" * 1000)
    text = str(failure(marked))
    assert OTHER not in text
    assert "\n" not in text
    assert len(text) < 700

"""What a look at GitHub says, and how many requests it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.destinations.github_support import BARE, HOLDERS, NAME, SHOP, VARIABLE, deliver, kind, opened, target
from tests.destinations.support import OTHER, SECRET, held, mark, record
from tests.support.github import JOB
from tooken_ci.base.record import Look, State
from tooken_ci.base.secret import Secret

if TYPE_CHECKING:
    from tests.support.github import FakeGitHub
    from tooken_ci.destinations.github_store import GitHubDestination

HOUR = 3600


@pytest.fixture
def full(github: FakeGitHub) -> GitHubDestination:
    """Gives a secret that was delivered an hour ago."""
    deliver(opened(github.url))
    github.ahead = HOUR
    return opened(github.url)


def state(look: Look) -> tuple[State, str]:
    return look.state, look.reason


def certain(look: Look) -> bool:
    """Whether the look tells whose secret stands there, if any does."""
    return not look.value_newer


def test_a_delivery(full: GitHubDestination) -> None:
    """What was delivered is held; it cannot be read back, nor copied from there."""
    look = full.look()
    assert (look.state, look.held, look.readable, look.empty) == (State.HOLDS, held(), False, False)
    assert full.holds(Secret(SECRET)) is None
    assert full.fetch(held()) is None


def test_written_by_somebody_else(full: GitHubDestination, github: FakeGitHub) -> None:
    """A secret that was written after the delivery is another one, and may be anybody's."""
    github.put("secrets", NAME, OTHER)
    look = full.look()
    assert look.state is State.ABSENT
    assert look.reason.startswith("it was written again at ")
    assert not certain(look)
    assert look.recorded == held()


def test_a_mark_does_not_hide_who_wrote(full: GitHubDestination, github: FakeGitHub) -> None:
    """A mark, put there and taken back, makes the variable newer than the secret; that it was changed is still seen."""
    github.put("secrets", NAME, OTHER)
    github.ahead += HOUR
    found = full.look().record
    assert found is not None
    full.write_record(found.marked(mark()))
    assert state(full.look())[1].endswith("after what was delivered, and an unfinished run left its mark")
    full.write_record(found)
    assert full.look().state is State.ABSENT
    assert not certain(opened(github.url).look())


def test_a_mark_beside_a_delivery(full: GitHubDestination) -> None:
    """A mark leaves the secret alone: it was not written since, so it is still held."""
    full.write_record(record(of=held(), marks=(mark(),)))
    look = full.look()
    assert (look.state, look.held, look.marks) == (State.HOLDS, held(), (mark(),))


def test_a_run_that_died_between_secret_and_record(full: GitHubDestination, github: FakeGitHub) -> None:
    """A secret written after its mark is not certain: the record names the one before, and the mark is open."""
    full.write_record(record(of=held(), marks=(mark(),)))
    full.write(Secret(OTHER))
    look = opened(github.url).look()
    assert look.state is State.ABSENT
    assert "an unfinished run left its mark" in look.reason
    assert not certain(look)
    assert look.marks == (mark(),)


def test_a_value_that_is_gone(full: GitHubDestination, github: FakeGitHub) -> None:
    """A record without its secret holds nothing, but says what was there."""
    github.remove("secrets", NAME)
    look = full.look()
    assert (*state(look), look.recorded) == (State.ABSENT, "its value is missing", held())
    assert certain(look)
    assert not look.empty


def test_a_record_that_is_gone(full: GitHubDestination, github: FakeGitHub) -> None:
    """A secret beside which the record is gone is no delivery."""
    github.remove("variables", VARIABLE)
    look = full.look()
    assert state(look) == (State.ABSENT, "it has no delivery record")
    assert not certain(look)


@pytest.mark.parametrize("marks", [(), (mark(),)])
def test_a_value_that_no_record_names(github: FakeGitHub, marks: tuple[()]) -> None:
    """A secret beside a record that names nobody may be anybody's."""
    opened(github.url).write_record(record(marks=marks))
    github.put("secrets", NAME, OTHER)
    look = opened(github.url).look()
    assert state(look) == (State.ABSENT, "it has a value that no record names")
    assert not certain(look)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("nonsense", "its delivery record is damaged"),
        ("tooken-ci/1 workspace=default id=", "its delivery record is damaged"),
        ("\x1b[31m", "its delivery record is damaged"),
        (record(of=held()).to_text(), "its delivery record does not tell when the secret was written"),
        (f"{record(of=held()).to_text()} written=20269999T999999Z", "its delivery record is damaged"),
    ],
)
def test_a_damaged_record(full: GitHubDestination, github: FakeGitHub, text: str, reason: str) -> None:
    """A record that cannot be read, or not in whole, says nothing certain about the secret beside it."""
    github.put("variables", VARIABLE, text)
    look = full.look()
    assert state(look) == (State.ABSENT, reason)
    assert not certain(look)


def test_a_newer_record(full: GitHubDestination, github: FakeGitHub) -> None:
    """What a later version wrote is unknown."""
    github.put("variables", VARIABLE, "tooken-ci/2 workspace=default colour=blue")
    look = full.look()
    assert look.state is State.UNKNOWN
    assert "newer tooken-ci" in look.reason


def test_what_may_not_be_asked(github: FakeGitHub) -> None:
    """A repository or an environment that is not there, or not to be seen, is unknown, and never empty."""
    for settings in ({**SHOP, "repository": "acme/nothing"}, {**SHOP, "environment": "nowhere"}):
        look = opened(github.url, settings).look()
        assert look.state is State.UNKNOWN
        assert "may not see it" in look.reason
    look = opened(github.url, token=JOB).look()
    assert "the job's own GITHUB_TOKEN" in look.reason
    assert "no credential" in opened(github.url, token=None).look().reason


@pytest.mark.parametrize("changed", [{"visibility": "all"}, {"ids": [101]}, {"ids": [101, 102, 103]}])
def test_repositories_that_are_not_those_of_the_spec(github: FakeGitHub, changed: dict[str, Any]) -> None:
    """An organization's secret that other repositories may use than the spec says is to be delivered anew."""
    settings, of = HOLDERS["selected"]
    deliver(opened(github.url, settings))
    github.state.repositories["acme/third"] = 103
    assert opened(github.url, settings).look().state is State.HOLDS
    for key, value in changed.items():
        setattr(github.state.items[of, "secrets"][NAME], key, value)
    look = opened(github.url, settings).look()
    assert (look.state, look.recorded, certain(look)) == (State.ABSENT, held(), True)


def test_a_look_at_one(full: GitHubDestination, github: FakeGitHub) -> None:
    """A look at one secret takes two requests."""
    github.log.clear()
    full.look()
    assert github.log == [
        f"GET /repos/acme/shop/actions/secrets/{NAME}",
        f"GET /repos/acme/shop/actions/variables/{VARIABLE}",
    ]


def many(github: FakeGitHub, number: int) -> list[dict[str, Any]]:
    """Settings of so many secrets that were all delivered, and of which no record was forgotten."""
    every = [{**SHOP, "name": f"S{index:03}"} for index in range(number)]
    for one in every:
        github.put("secrets", one["name"], SECRET)
        text = f"{record(of=held()).to_text()} written=20991231T000000Z"
        github.put("variables", f"{one['name']}_TOOKEN_ID", text)
    return every


def test_a_look_at_ninety(github: FakeGitHub) -> None:
    """A look at 90 secrets of one repository takes four requests: a page of secrets and three of variables."""
    targets = [target(settings) for settings in many(github, 90)]
    looks = kind(github.url).look(targets)
    assert [look.held for look in looks] == [held()] * 90
    assert github.log == [
        "GET /repos/acme/shop/actions/secrets?page=1&per_page=100",
        *(f"GET /repos/acme/shop/actions/variables?page={page}&per_page=30" for page in (1, 2, 3)),
    ]


def test_a_look_at_a_few_of_many(github: FakeGitHub) -> None:
    """Where a few are wanted of which the first page does not tell, they are asked for one by one: that is less."""
    settings = many(github, 90)
    looks = kind(github.url).look([target(settings[0]), target(settings[89])])
    assert [look.held for look in looks] == [held()] * 2
    assert github.log[-1] == "GET /repos/acme/shop/actions/variables/S089_TOOKEN_ID"
    assert len(github.log) == 3


def test_a_look_at_those_without_a_record(github: FakeGitHub) -> None:
    """Of secrets that keep no record no variable is asked for."""
    settings = [{**one, "record": "none"} for one in many(github, 90)]
    looks = kind(github.url).look([target(one) for one in settings])
    assert all(look.written_at is not None for look in looks)
    assert github.log == ["GET /repos/acme/shop/actions/secrets?page=1&per_page=100"]


def test_a_list_that_changed_while_it_was_read(github: FakeGitHub, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that slips between two pages is asked for by its name, and never taken for missing."""
    settings = many(github, 90)
    answer = github.state.answer

    def slipping(method: str, path: str, query: dict[str, int], body: Any, token: str) -> tuple[int, Any]:
        if query.get("page") == 2 and github.variable("S000_TOOKEN_ID"):
            github.remove("variables", "S000_TOOKEN_ID")  # so that the 31st moves to the page that was read
        return answer(method, path, query, body, token)

    monkeypatch.setattr(github.state, "answer", slipping)
    looks = kind(github.url).look([target(one) for one in settings])
    assert [look.state for look in looks] == [State.HOLDS] * 90
    assert github.log[-1] == "GET /repos/acme/shop/actions/variables/S030_TOOKEN_ID"


def test_nothing_there_yet(github: FakeGitHub) -> None:
    """Of many secrets of which none is there, the lists tell, and nothing else is asked for."""
    targets = [target({**SHOP, "name": f"S{index}"}) for index in range(90)]
    assert all(look.empty for look in kind(github.url).look(targets))
    assert len(github.log) == 2


def test_many_that_may_not_be_asked(github: FakeGitHub) -> None:
    """Where the list is refused, each of them is unknown."""
    settings = {**BARE, "repository": "acme/nothing"}
    looks = kind(github.url).look([target({**settings, "name": name}) for name in ("ONE", "TWO")])
    assert [look.state for look in looks] == [State.UNKNOWN] * 2


@pytest.mark.parametrize("text", ["[]", '{"total_count": "many", "secrets": []}', '{"total_count": 1}', "<html>"])
def test_an_answer_that_is_not_githubs(github: FakeGitHub, text: str) -> None:
    """What answers something else than is documented is told of, and nothing is read into it."""
    github.fail("GET .*", status=200, text=text)
    looks = kind(github.url).look([target({**SHOP, "name": name}) for name in ("ONE", "TWO")])
    assert {look.state for look in looks} == {State.UNKNOWN}
    assert "what answers may not be GitHub" in looks[0].reason

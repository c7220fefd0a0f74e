"""The life of a record at a variable of GitLab, and the same harms as at every other destination."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.destinations.gitlab_support import KEY, NOTE, SHOP, Place, kind
from tests.destinations.support import AT, HERE, OTHER, SECRET, held, mark, record
from tests.support.gitlab import ADMIN, TOKEN, FakeGitLab
from tooken_ci.base.errors import DestinationError
from tooken_ci.base.record import DeliveryRecord, Mark, MarkKind, State
from tooken_ci.base.redact import redactor
from tooken_ci.base.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def fake() -> Iterator[FakeGitLab]:
    """Gives a GitLab of its own."""
    with FakeGitLab() as running:
        yield running


@pytest.fixture(params=["project", "scoped", "group", "instance"])
def place(request: pytest.FixtureRequest, fake: FakeGitLab) -> Place:
    """Gives a variable that does not exist yet, at each level."""
    match request.param:
        case "project":
            return Place(fake, fake.project())
        case "scoped":
            return Place(fake, fake.project(), SHOP, environment_scope="review/*")
        case "group":
            return Place(fake, fake.group(), {"group": "acme", "name": KEY})
    fake.environment = lambda token=ADMIN: {"GITLAB_URL": fake.url, "GITLAB_TOKEN": ADMIN}  # type: ignore[method-assign]
    return Place(fake, fake.instance, {"instance": True, "name": KEY})


@pytest.fixture
def shop(fake: FakeGitLab) -> Place:
    """Gives a variable of a project that does not exist yet."""
    return Place(fake, fake.project())


@pytest.fixture
def full(shop: Place) -> Place:
    """Gives the same after a delivery."""
    shop.deliver()
    return shop


@pytest.fixture
def hidden(fake: FakeGitLab) -> Place:
    """Gives a hidden variable after a delivery."""
    place = Place(fake, fake.project(), SHOP, hidden=True)
    place.deliver()
    return place


def test_nothing_there(place: Place) -> None:
    """Before anything was delivered a look says so, and a check is content and changes nothing."""
    destination = place.open()
    destination.check()
    look = destination.look()
    assert (look.state, look.reason, look.record) == (State.ABSENT, "nothing was delivered yet", None)
    assert look.empty
    assert not look.value_newer
    assert not look.readable
    assert destination.fetch(held()) is None
    assert destination.holds(Secret(SECRET)) is False
    assert place.owner.variables == []
    assert {method for method, _, _ in place.fake.requests} == {"GET"}


def test_a_delivery(place: Place) -> None:
    """After a delivery it holds what its record names, gives it away, and nothing else was left there."""
    destination = place.deliver()
    look = place.look()
    assert (look.state, look.reason, look.held, look.marks) == (State.HOLDS, "", held(), ())
    assert look.readable
    assert not look.empty
    assert not look.value_newer
    assert place.value == SECRET
    assert place.stands(record(of=held()))
    assert len(place.owner.variables) == 1
    assert destination.holds(Secret(SECRET)) is True
    assert destination.holds(Secret(OTHER)) is False
    found = destination.fetch(held())
    assert found is not None
    assert found.reveal() == SECRET
    assert destination.fetch(dataclasses.replace(held(), id="tok_other")) is None
    destination.check()


def test_a_second_delivery(place: Place) -> None:
    """The next secret takes the place of the one before, and so does its record."""
    place.deliver()
    place.deliver("tok_next", OTHER)
    assert place.look().held == held("tok_next", OTHER)
    assert place.value == OTHER
    assert len(place.owner.variables) == 1


def test_read_by_somebody_else(fake: FakeGitLab, full: Place) -> None:
    """Another client of the API sees the secret, the record, and the attributes that a secret should have."""
    found = fake.client().projects.get("acme/shop").variables.get(KEY, filter={"environment_scope": "*"})
    assert found.value == SECRET
    assert DeliveryRecord.parse(found.description) == record(of=held())
    assert (found.masked, found.protected, found.raw, found.hidden) == (True, True, True, False)
    assert (found.variable_type, found.environment_scope) == ("env_var", "*")


def test_a_mark_at_a_variable_that_does_not_exist(place: Place) -> None:
    """The variable is not made for the mark, so jobs see what they saw; a note beside it carries the mark."""
    destination = place.open()
    destination.look()
    destination.write_record(record(marks=(mark(),)))
    assert place.variable is None
    assert place.note is not None
    assert (place.note["value"], place.note["protected"]) == ("see-the-description", True)
    look = place.look()
    assert (look.state, look.reason) == (State.ABSENT, "an unfinished run left only its mark")
    assert look.marks == (mark(),)
    assert not look.empty
    assert not look.value_newer


def test_a_mark_taken_back(place: Place) -> None:
    """A run that wrote nothing leaves nothing."""
    destination = place.open()
    destination.look()
    destination.write_record(record(marks=(mark(),)))
    destination.look()
    destination.write_record(record())
    assert place.owner.variables == []
    assert place.look().empty


def test_the_mark_of_another_run_stays(place: Place) -> None:
    """Two runs share a note; who takes its mark back leaves the other's."""
    for run in ("run-1", "run-2"):
        destination = place.open()
        before = destination.look().record or record()
        destination.write_record(before.marked(mark(run)))
    assert [one.run for one in place.look().marks] == ["run-1", "run-2"]
    destination = place.open()
    left = destination.look().record
    assert left is not None
    destination.write_record(left.without_marks_of("run-1"))
    assert place.look().marks == (mark("run-2"),)


def test_killed_after_the_secret(place: Place) -> None:
    """The variable is made with its value and the marks in one request, so a run that dies then is found out."""
    destination = place.open()
    destination.look()
    destination.write_record(record(marks=(mark(),)))
    destination.write(Secret(SECRET))
    look = place.look()
    assert (look.state, look.reason) == (State.ABSENT, "it has a value that no record names")
    assert look.marks == (mark(),)
    assert look.value_newer
    place.deliver("tok_next", OTHER)
    assert place.look().held == held("tok_next", OTHER)
    assert len(place.owner.variables) == 1


def test_killed_before_the_note_is_gone(full: Place) -> None:
    """A note that stayed behind does not count beside the variable's own record, and the next delivery removes it."""
    full.owner.variables.append(
        {**(full.variable or {}), "key": NOTE, "description": record(marks=(mark(),)).to_text()}
    )
    look = full.look()
    assert (look.state, look.marks) == (State.HOLDS, ())
    destination = full.open()
    destination.check()
    destination.write(Secret(OTHER))
    destination.write_record(record(of=held("tok_next", OTHER)))
    assert full.note is None
    assert full.look().held == held("tok_next", OTHER)


def test_a_mark_beside_a_delivery(full: Place) -> None:
    """A mark changes the description alone: the place still holds the secret, and its attributes stay."""
    before = dict(full.variable or {})
    destination = full.open()
    destination.look()
    destination.write_record(record(of=held(), marks=(mark(),)))
    assert full.note is None
    assert {**before, "description": ""} == {**(full.variable or {}), "description": ""}
    look = full.look()
    assert (look.state, look.held, look.marks) == (State.HOLDS, held(), (mark(),))


def test_made_by_hand(shop: Place) -> None:
    """A variable of people's has no record, whatever they wrote about it; delivery keeps its type and protection."""
    shop.put("somebody-elses", "Used by the deploy jobs", variable_type="file")
    look = shop.look()
    assert (look.state, look.reason, look.record) == (State.ABSENT, "it has a value, but no delivery record", None)
    assert look.value_newer
    assert not look.empty
    shop.open().check()
    shop.deliver()
    assert shop.stands(record(of=held()))
    assert shop.variable is not None
    assert (shop.variable["variable_type"], shop.variable["protected"]) == ("file", False)
    assert (shop.variable["masked"], shop.variable["raw"]) == (True, True)


def test_made_by_hand_while_a_run_is_at_work(shop: Place) -> None:
    """Who makes the variable meanwhile is not overwritten, keeps the description, and the run takes its note back."""
    destination = shop.open()
    destination.look()
    destination.write_record(record(marks=(mark(),)))
    shop.put("somebody-elses", "Mine")
    with pytest.raises(DestinationError, match="made by somebody else") as caught:
        destination.write(Secret(SECRET))
    assert caught.value.surely_refused
    look = destination.look()
    assert look.marks == (mark(),)
    destination.write_record(record())
    assert [one["key"] for one in shop.owner.variables] == [KEY]
    assert (shop.value, (shop.variable or {})["description"]) == ("somebody-elses", "Mine")


def test_an_edited_value(full: Place) -> None:
    """A value that does not match its fingerprint is not the delivered one, and may be anybody's."""
    full.put(OTHER)
    look = full.look()
    assert (look.state, look.reason) == (State.ABSENT, "its value is not the one that was delivered")
    assert (look.held, look.recorded) == (None, held())
    assert look.value_newer
    assert not look.readable
    assert full.open().fetch(held()) is None
    assert redactor.clean(f"it was {OTHER}") == "it was ***"


def test_an_emptied_value(full: Place) -> None:
    """A value that was emptied is not the delivered one."""
    full.put("", masked=False)
    assert full.look().state is State.ABSENT
    assert full.open().fetch(held()) is None


def test_a_description_that_is_gone(full: Place) -> None:
    """A value beside which the record was removed is no delivery."""
    full.put(description="")
    assert full.look().reason == "it has a value, but no delivery record"


def test_a_variable_that_is_gone(full: Place) -> None:
    """Record and value go together: then nothing stands there, and the next delivery makes it anew."""
    full.owner.variables.clear()
    assert full.look().empty
    full.deliver("tok_next", OTHER)
    assert full.look().held == held("tok_next", OTHER)


@pytest.mark.parametrize(
    "text", ["tooken-ci/1 workspace=default id=", "tooken-ci/", "tooken-ci/1 workspace=default <>"]
)
def test_a_damaged_record(full: Place, text: str) -> None:
    """A record that cannot be read is none, so nothing is certain about the value beside it."""
    full.put(description=text)
    look = full.look()
    assert (look.state, look.reason) == (State.ABSENT, "its delivery record is damaged")
    assert look.value_newer


def test_a_newer_record(full: Place) -> None:
    """What a later version wrote is unknown, and a check refuses to write over it."""
    full.put(description="tooken-ci/2 workspace=default colour=blue")
    assert full.look().state is State.UNKNOWN
    with pytest.raises(DestinationError, match="newer tooken-ci"):
        full.open().check()


def test_a_variable_that_goes_during_a_delivery(full: Place) -> None:
    """A value that has no variable any more is surely refused; a record that has none is not, and says so."""
    destination = full.open()
    destination.look()
    full.owner.variables.clear()
    with pytest.raises(DestinationError, match="404") as caught:
        destination.write(Secret(OTHER))
    assert caught.value.surely_refused
    destination.look()
    assert destination.holds(Secret(OTHER)) is False
    with pytest.raises(DestinationError, match="is gone") as caught:
        destination.write_record(record(of=held()))
    assert not caught.value.surely_refused


def test_one_key_in_several_environments(fake: FakeGitLab) -> None:
    """Variables of one key are told apart by their environment scope."""
    project = fake.project()
    secrets = {"*": SECRET, "production": OTHER, "review/*": "tok_secret_for_review"}
    for scope, secret in secrets.items():
        Place(fake, project, SHOP, environment_scope=scope).deliver(f"tok_{len(scope)}", secret)
    assert {one["environment_scope"]: one["value"] for one in project.variables} == secrets
    for scope, secret in secrets.items():
        place = Place(fake, project, SHOP, environment_scope=scope)
        assert place.look().held == held(f"tok_{len(scope)}", secret)
        assert place.open().holds(Secret(secret)) is True


def test_hidden(fake: FakeGitLab, hidden: Place) -> None:
    """A hidden variable is made hidden, is not read back, and its record alone tells what it holds."""
    variable = hidden.variable
    assert variable is not None
    assert (variable["hidden"], variable["masked"], variable["value"]) == (True, True, SECRET)
    assert fake.client().projects.get("acme/shop").variables.get(KEY).value is None
    look = hidden.look()
    assert (look.state, look.held, look.readable) == (State.HOLDS, held(), False)
    assert hidden.open().holds(Secret(SECRET)) is None
    assert hidden.open().fetch(held()) is None
    hidden.open().check()
    hidden.deliver("tok_next", OTHER)
    assert (hidden.value, hidden.look().held) == (OTHER, held("tok_next", OTHER))


def test_a_mark_at_a_hidden_variable(hidden: Place) -> None:
    """While a mark is open nobody can tell whose secret it is."""
    destination = hidden.open()
    destination.look()
    destination.write_record(record(of=held(), marks=(mark(),)))
    look = hidden.look()
    assert (look.state, look.value_newer) == (State.ABSENT, True)
    assert look.reason == "an unfinished run left its mark, and the value cannot be read"
    destination.look()
    destination.write_record(record(of=held()))
    assert hidden.look().held == held()
    assert hidden.value == SECRET


def test_a_hidden_note(fake: FakeGitLab) -> None:
    """Before a hidden variable is made, its note tells that nothing stands there."""
    place = Place(fake, fake.project(), SHOP, hidden=True)
    destination = place.open()
    destination.write_record(record(marks=(mark(),)))
    assert (place.note or {})["hidden"]
    look = place.look()
    assert (look.reason, look.value_newer) == ("an unfinished run left only its mark", False)


def test_hidden_where_it_is_not(full: Place) -> None:
    """GitLab hides no variable that exists: the check says so before any token is made."""
    full.settings["hidden"] = True
    with pytest.raises(DestinationError, match="exists and is not hidden") as caught:
        full.open().check()
    assert "Remove it" in caught.value.hint


def test_not_hidden_where_it_is(hidden: Place) -> None:
    """A hidden variable serves a spec that does not ask for that, but stays masked."""
    del hidden.settings["hidden"]
    hidden.deliver("tok_next", OTHER)
    assert (hidden.value, hidden.look().readable) == (OTHER, False)
    hidden.settings["masked"] = False
    with pytest.raises(DestinationError, match="always masked"):
        hidden.open().check()


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"protected": False}, {"protected": False}),
        ({"protected": True, "masked": False}, {"protected": True, "masked": False}),
        ({"raw": False}, {"raw": False, "masked": True}),
    ],
)
def test_attributes(fake: FakeGitLab, settings: dict[str, Any], expected: dict[str, Any]) -> None:
    """What the spec says of a variable is set when it is made, and when its value is set anew."""
    place = Place(fake, fake.project(), SHOP, **settings)
    place.deliver()
    assert expected.items() <= (place.variable or {}).items()
    place.put(protected=True, masked=False, raw=True)
    place.deliver("tok_next", OTHER)
    assert expected.items() <= (place.variable or {}).items()


@pytest.mark.parametrize(
    ("settings", "secret", "why"),
    [
        ({}, "has a space in it", "no spaces"),
        ({}, "two\nlines-of-it", "one line"),
        ({"raw": False}, "tok_secret_€uro", "none but letters"),
        ({"raw": False, "masked": False}, "tok_$secret_0123", "expand"),
        ({"masked": False}, "x" * 10_001, "10001 characters"),
    ],
)
def test_a_value_that_gitlab_would_not_take(fake: FakeGitLab, settings: dict[str, Any], secret: str, why: str) -> None:
    """A value that cannot be masked, or would be expanded, is refused before it is sent, and is not told."""
    place = Place(fake, fake.project(), SHOP, **settings)
    destination = place.open()
    destination.write_record(record(marks=(mark(),)))
    with pytest.raises(DestinationError, match=why) as caught:
        destination.write(Secret(secret))
    assert caught.value.surely_refused
    assert secret not in str(caught.value)
    assert place.variable is None


def test_gitlab_refuses_the_value_itself(full: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where GitLab's rule is narrower than ours, its refusal is sure, is told, and changes nothing."""
    monkeypatch.setattr("tests.support.gitlab._MASKED_RAW", re.compile("[a-z]{8,}"))
    destination = full.open()
    destination.look()
    with pytest.raises(DestinationError, match=r"value.*is invalid") as caught:
        destination.write(Secret(OTHER))
    assert caught.value.surely_refused
    assert full.value == SECRET


@pytest.mark.parametrize(
    ("flag", "settings", "why", "remedy"),
    [
        ("describes", {}, "did not keep the delivery record", "16.2"),
        ("hides", {"hidden": True}, "cannot hide", "17.4"),
    ],
)
def test_a_gitlab_that_is_too_old(fake: FakeGitLab, flag: str, settings: dict[str, Any], why: str, remedy: str) -> None:
    """What an older GitLab cannot do shows at the mark, before any token is made, and leaves nothing there."""
    setattr(fake, flag, False)
    place = Place(fake, fake.project(), SHOP, **settings)
    destination = place.open()
    with pytest.raises(DestinationError, match=why) as caught:
        destination.write_record(record(marks=(mark(),)))
    assert remedy in caught.value.hint
    assert place.owner.variables == []


def test_an_old_gitlab_with_the_variable(fake: FakeGitLab, shop: Place) -> None:
    """A variable whose description is not kept cannot be marked."""
    fake.describes = False
    shop.put("somebody-elses")
    with pytest.raises(DestinationError, match="did not keep the delivery record"):
        shop.open().write_record(record(marks=(mark(),)))


def test_a_group_without_environment_scopes(fake: FakeGitLab) -> None:
    """Where a group's variables have no environment scope, the mark fails and leaves nothing."""
    fake.scopes_groups = False
    place = Place(fake, fake.group(), {"group": "acme", "name": KEY, "environment_scope": "production"})
    with pytest.raises(DestinationError, match="for the environments") as caught:
        place.open().write_record(record(marks=(mark(),)))
    assert "Premium" in caught.value.hint
    assert place.owner.variables == []


def test_a_gitlab_that_does_not_filter(fake: FakeGitLab) -> None:
    """A GitLab that answers with the variable of another environment is not believed."""
    fake.filters_groups = False
    place = Place(fake, fake.group(), {"group": "acme", "name": KEY, "environment_scope": "production"})
    place.put("somebody-elses", environment_scope="staging")
    look = place.look()
    assert (look.state, "'staging'" in look.reason) == (State.UNKNOWN, True)


def test_marks_of_runs_that_died(shop: Place) -> None:
    """However many runs died at a variable, their marks are kept, and a later run still finds room for its own."""
    shop.deliver()
    for number in range(2, 6):
        at = AT.replace(hour=number)
        destination = shop.open()
        before = destination.look().record
        assert before is not None
        made = Mark(kind=MarkKind.CREATE, name=f"ci-deploy.g{number}", run=f"{number:012x}", at=at)
        destination.write_record(before.marked(made))
    look = shop.look()
    assert look.state is State.HOLDS
    assert [one.name for one in look.marks] == [f"ci-deploy.g{number}" for number in range(2, 6)]
    assert look.marks[-1] == made
    assert len((shop.variable or {})["description"]) <= 255
    shop.deliver("tok_next", OTHER)
    assert shop.look().marks == ()


def test_a_name_that_leaves_no_room(shop: Place) -> None:
    """Names for which a description is too short are refused at the mark, with how long they may be."""
    long = dataclasses.replace(mark(), name="n" * 90, run=12 * "a")
    destination = shop.open()
    with pytest.raises(DestinationError, match="has no room for the delivery record") as caught:
        destination.write_record(record(marks=(long,), workspace="production"))
    assert shop.owner.variables == []
    room = int(caught.value.hint.split(" characters")[0].split()[-1])
    fits = dataclasses.replace(long, name="n" * (room - len("production")))
    shop.open().write_record(record(marks=(fits,), workspace="production"))
    assert shop.note is not None


def test_a_record_that_leaves_no_room(full: Place) -> None:
    """What stands there tells a check beforehand whether the next mark will fit."""
    of = dataclasses.replace(held(), name="n" * 90)
    full.put(description=record(of=of, workspace="production").to_text())
    with pytest.raises(DestinationError, match="has no room"):
        full.open().check()


def test_looked_at_together(fake: FakeGitLab) -> None:
    """Variables of one project cost one request for each hundred that it has, and are told in their order."""
    project = fake.project()
    places = [Place(fake, project, SHOP, name=name) for name in ("TOOKEN_A", "TOOKEN_B", KEY)]
    places[2].deliver()
    fake.requests.clear()
    of = kind(fake)
    looks = of.look([of.parse(place.settings, HERE) for place in places])
    assert [look.state for look in looks] == [State.ABSENT, State.ABSENT, State.HOLDS]
    assert [look.empty for look in looks] == [True, True, False]
    assert len(fake.requests) == 1


@pytest.mark.parametrize(("others", "requests"), [(98, 1), (99, 2), (198, 2), (250, 3)])
def test_many_variables(fake: FakeGitLab, others: int, requests: int) -> None:
    """Every page is read, and none more."""
    project = fake.project()
    plain = {"environment_scope": "*", "description": None, "value": "x", "hidden": False}
    project.variables += [{"key": f"OTHER_{number}", **plain} for number in range(others)]
    place = Place(fake, project)
    place.deliver()
    second = Place(fake, project, SHOP, environment_scope="production")
    second.deliver("tok_next", OTHER)
    fake.requests.clear()
    of = kind(fake)
    looks = of.look([of.parse(one.settings, HERE) for one in (place, second)])
    assert [look.held for look in looks] == [held(), held("tok_next", OTHER)]
    assert len(fake.requests) == requests


def test_a_variable_that_no_page_told(fake: FakeGitLab) -> None:
    """Where several pages were read, a variable that none of them told is asked for by itself."""
    project = fake.project()
    plain = {"environment_scope": "*", "description": None, "value": "x", "hidden": False}
    project.variables += [{"key": f"OTHER_{number}", **plain} for number in range(100)]
    place = Place(fake, project)
    place.deliver()
    listed = fake.serve

    def torn(method: str, path: str, *others: Any) -> Any:
        reply = listed(method, path, *others)
        if path.endswith("/variables") and isinstance(reply.body, list):
            reply = dataclasses.replace(reply, body=[one for one in reply.body if one["key"] != KEY])
        return reply

    fake.serve = torn  # type: ignore[method-assign, assignment]
    of = kind(fake)
    looks = of.look([of.parse({**SHOP, "name": name}, HERE) for name in (KEY, "TOOKEN_B")])
    assert looks[0].held == held()
    assert looks[1].empty


def test_capitals_in_a_path(fake: FakeGitLab, full: Place) -> None:
    """GitLab does not tell capitals in a path apart."""
    assert Place(fake, full.owner, SHOP, project="Acme/Shop").look().held == held()


def test_a_few_requests(full: Place) -> None:
    """A look at a variable that was delivered costs one request, its check three."""
    full.fake.requests.clear()
    destination = full.open(token=TOKEN)
    destination.look()
    assert len(full.fake.requests) == 1
    destination.check()
    assert len(full.fake.requests) == 4

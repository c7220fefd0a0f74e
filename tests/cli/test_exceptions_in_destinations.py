"""An exception that nobody foresaw, thrown in a destination of any kind, or in the library that it calls."""

from __future__ import annotations

import dataclasses
import subprocess
import uuid
from typing import TYPE_CHECKING, Any

import botocore.httpsession
import botocore.loaders
import botocore.session
import pytest
import requests

from tests.destinations.exec_support import script
from tests.support.aws import CREDENTIALS
from tests.support.github import TOKEN
from tests.support.gitlab import FakeGitLab
from tooken_ci.destinations.aws_secret import AwsSecretKind
from tooken_ci.destinations.aws_store import AwsDestination
from tooken_ci.destinations.exec import ExecKind
from tooken_ci.destinations.exec_store import ExecDestination
from tooken_ci.destinations.github_secret import GitHubSecretKind
from tooken_ci.destinations.github_store import GitHubDestination
from tooken_ci.destinations.gitlab_store import GitLabDestination
from tooken_ci.destinations.gitlab_variable import GitLabVariableKind
from tooken_ci.destinations.job import JobDestination
from tooken_ci.destinations.vault import VaultKind
from tooken_ci.destinations.vault_store import VaultDestination

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from tests.cli.breaking import Stage
    from tests.support.aws import Gate
    from tests.support.bao import Bao
    from tests.support.github import FakeGitHub

ALL = ("look", "check", "write_record", "write", "holds", "fetch")
FAR = 1_000_000
"""Added to a run's number, where it needs a second place."""

BLIND = ALL[:-1]
"""Of a store that gives nothing back: nothing is ever fetched from it."""

STORE = """#!/bin/sh
cd {folder} || exit 1
case $TOOKEN_CI_STEP in
  write) cat > "$1" ;;
  read) if [ -e "$1" ]; then cat "$1"; fi ;;
  record-write) cat > "$1.record" ;;
  record-read) if [ -e "$1.record" ]; then cat "$1.record"; fi ;;
esac
"""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of destination.

    Attributes:
        kind, destination: its classes.
        methods: of the destination, that a run calls.
        library: what it calls outside of tooken-ci, and the name of the function there.
        to: the variable that tells where that leads; empty = it is called for nothing else.
    """

    kind: type
    destination: type
    methods: tuple[str, ...] = ALL
    library: tuple[Any, str]
    to: str = ""


REQUESTS = (requests.Session, "request")
KINDS = {
    "exec": Kind(kind=ExecKind, destination=ExecDestination, library=(subprocess, "Popen")),
    "github_secret": Kind(
        kind=GitHubSecretKind, destination=GitHubDestination, methods=BLIND, library=REQUESTS, to="GITHUB_API_URL"
    ),
    "gitlab_variable": Kind(
        kind=GitLabVariableKind, destination=GitLabDestination, library=REQUESTS, to="CI_SERVER_URL"
    ),
    "vault": Kind(kind=VaultKind, destination=VaultDestination, library=REQUESTS, to="VAULT_ADDR"),
    "aws_secret": Kind(
        kind=AwsSecretKind,
        destination=AwsDestination,
        library=(botocore.httpsession.URLLib3Session, "send"),
        to="AWS_ENDPOINT_URL",
    ),
}
LEASES = {"job": (JobDestination, BLIND[1:2] + BLIND[3:]), "exec": (ExecDestination, ("check", "tell", "write"))}
"""What is called for a lease, which leaves no record."""


class Places:
    """Makes a place of its own for each run, and tells the project how to get there and what may show nowhere."""

    def __init__(self, stage: Stage, folder: Path, request: pytest.FixtureRequest) -> None:
        self._stage = stage
        self._folder = folder
        self._request = request
        self.environment: dict[str, str] = {}

    def of(self, kind: str) -> Callable[[int], dict[str, Any]]:
        """What gives a destination of a kind, as a spec has it, for the number of a run."""
        prepare: Callable[[], Callable[[int], dict[str, Any]]] = getattr(self, f"_{kind}")
        place = prepare()
        return lambda number: {kind: place(number)}

    def _tell(self, held: Callable[[], Iterable[str]]) -> None:
        """Tells what the place of this run holds; of those before, it was asked when they ended."""
        self._stage.project.stores[:] = [held]

    def _exec(self) -> Callable[[int], dict[str, Any]]:
        program = str(script(self._folder / "store.sh", STORE.format(folder=self._folder)))

        def place(number: int) -> dict[str, Any]:
            self._stage.project.delivers(self._folder / f"held-{number}")
            return {"name": f"s{number}", **{step: [program, f"held-{number}"] for step in ("write", "record", "read")}}

        return place

    def _github_secret(self) -> Callable[[int], dict[str, Any]]:
        github: FakeGitHub = self._request.getfixturevalue("github")
        self.environment = {"GITHUB_API_URL": github.url, "GH_TOKEN": TOKEN}
        self._stage.project.secrets.add(TOKEN)
        self._stage.project.stores.append(github.secrets)
        return lambda number: {"repository": "acme/shop", "name": f"TOKEN_{number}"}

    def _gitlab_variable(self) -> Callable[[int], dict[str, Any]]:
        fake: FakeGitLab = self._request.getfixturevalue("gitlab")
        shop = fake.project()
        self.environment = fake.environment()
        self._stage.project.secrets.add(self.environment["GITLAB_TOKEN"])
        self._stage.project.stores.append(lambda: {one["value"] for one in shop.variables} - {"see-the-description"})
        return lambda number: {"project": "acme/shop", "name": f"TOKEN_{number}"}

    def _vault(self) -> Callable[[int], dict[str, Any]]:
        bao: Bao = self._request.getfixturevalue("bao")
        mount = bao.mount()
        self.environment = {"VAULT_ADDR": bao.address, "VAULT_TOKEN": bao.token}
        self._stage.project.secrets.add(bao.token)

        def place(number: int) -> dict[str, Any]:
            path = f"ci/{number}"
            self._tell(lambda: dict(bao.data(mount, path) or {}).values())
            return {"path": f"{mount}/{path}", "key": "token"}

        return place

    def _aws_secret(self) -> Callable[[int], dict[str, Any]]:
        aws: Gate = self._request.getfixturevalue("aws")
        loader = botocore.loaders.create_loader()  # reads megabytes of JSON, once instead of once a run
        self._request.getfixturevalue("monkeypatch").setattr(botocore.session, "create_loader", lambda *_: loader)
        self.environment = aws.environment()
        self._stage.project.secrets.add(CREDENTIALS["AWS_SECRET_ACCESS_KEY"])

        def place(number: int) -> dict[str, Any]:
            name = f"test/{uuid.uuid4().hex}-{number}"
            aws.direct.create_secret(Name=name, SecretString="what was there before")
            self._tell(lambda: {aws.read(name)} - {"what was there before"})
            return {"name": name}

        return place


@pytest.fixture
def gitlab() -> Iterator[FakeGitLab]:
    """Gives a GitLab of its own."""
    with FakeGitLab() as fake:
        yield fake


@pytest.fixture
def places(
    stage: Stage, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], Places]:
    """Gives a function that has the stage deliver to a kind of place."""

    def to(kind: str) -> Places:
        made = Places(stage, tmp_path, request)
        stage.place = made.of(kind)
        for name, value in made.environment.items():
            monkeypatch.setenv(name, value)
        return made

    return to


@pytest.mark.parametrize(
    ("name", "method"), [(name, method) for name, kind in KINDS.items() for method in (*kind.methods, "kind.look")]
)
def test_each_method(stage: Stage, places: Callable[[str], Places], name: str, method: str) -> None:
    """Whichever call of a destination, or of its kind, throws what nobody foresaw, it is told shortly and masked."""
    places(name)
    stage.mended = method == "fetch"
    owner = KINDS[name].kind if method == "kind.look" else KINDS[name].destination
    method = method.removeprefix("kind.")
    stage.break_each(owner, method)


@pytest.mark.parametrize("name", KINDS)
def test_each_call_into_its_library(stage: Stage, places: Callable[[str], Places], name: str) -> None:
    """Whichever call into a store's library throws what nobody foresaw, it is told shortly and masked."""
    to = places(name).environment.get(KINDS[name].to, "")
    stage.break_each(*KINDS[name].library, to=to, least=4)


@pytest.mark.parametrize(("name", "method"), [(name, method) for name, (_, each) in LEASES.items() for method in each])
def test_each_method_of_a_lease(stage: Stage, places: Callable[[str], Places], name: str, method: str) -> None:
    """Whichever call of a lease's destination throws what nobody foresaw, it is told shortly and masked."""
    if name == "exec":
        places("exec")
        to = stage.place
        stage.lease = lambda number: to(number + FAR)
    stage.command = ("lease", "lease")
    before = stage.leases()
    stage.break_each(LEASES[name][0], method)
    left = stage.leases() - before
    assert len(left) == 1, "of those that failed none lives, and that of the run without harm does"

"""Delivery to Vault: the real command, a real workspace, a real OpenBao."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.destinations.vault_support import KEY, NAME, PATH, Vault
from tests.e2e.project import FOUR_MINUTES, entry, names, outcomes, spec
from tests.support.bao import running
from tests.support.between import between

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.e2e.project import Project
    from tests.support.bao import Bao
    from tests.support.between import Between


@pytest.fixture
def vault(bao: Bao, project: Project) -> Iterator[Vault]:
    """Gives a secret in a mount of its own; whatever is delivered there, and the credentials, may show nowhere."""
    vault = Vault(bao=bao, mount=bao.mount(), environment={"VAULT_ADDR": bao.address, "VAULT_TOKEN": bao.token})
    runs_with(project, vault.environment)
    project.stores.append(lambda: [value for value in (vault.data or {}).values() if len(str(value)) > 8])
    yield vault
    project.scan({})


@pytest.fixture
def way(vault: Vault, project: Project) -> Iterator[Between]:
    """Gives something between the command and the server that breaks requests when it is told to."""
    with between(vault.bao.address) as way:
        runs_with(project, {**vault.environment, "VAULT_ADDR": way.address})
        yield way


def runs_with(project: Project, variables: Mapping[str, str]) -> None:
    """Has every run of the command find these variables."""
    project.variables |= variables
    project.secrets.add(variables["VAULT_TOKEN"])


def to(vault: Vault, key: str = KEY, **more: Any) -> dict[str, Any]:
    """The destination as a spec has it."""
    return {"vault": {"path": f"{vault.mount}/{PATH}", "key": key, **more}}


def declare(project: Project, *deliver: dict[str, Any], **more: Any) -> None:
    """Writes a spec with one entry."""
    project.write(yaml.safe_dump(spec({"ci": {**entry(**more), "deliver": list(deliver)}})))


def held(project: Project, vault: Vault, key: str = KEY) -> str:
    """The secret that stands there, which lives."""
    secret = str(vault.data[key])
    project.secrets.add(secret)
    assert project.sandbox.authenticates(secret)
    return secret


def test_create_and_replace(project: Project, vault: Vault) -> None:
    """A token is made, delivered and recorded; nothing is left to do; a change replaces it, and the old one goes."""
    vault.put({"user": "ci", "port": 5432})
    declare(project, to(vault))
    project.run("validate")
    project.apply()
    first = held(project, vault)
    assert vault.custom[NAME].startswith("tooken-ci/1 workspace=test id=tok_")
    project.converge()

    declare(project, to(vault), scopes=["audit:read"])
    assert outcomes(project.apply()) == [("replace", "ci.g2", "done"), ("revoke", "ci", "done")]
    assert held(project, vault) != first
    assert not project.sandbox.authenticates(first)
    assert vault.data == {"user": "ci", "port": 5432, KEY: held(project, vault)}
    project.converge()


@pytest.mark.parametrize("how", ["value", "record", "all"])
def test_what_was_removed_is_mended(project: Project, vault: Vault, how: str) -> None:
    """A value that was removed is made anew; where only the record went, too, since nobody knows whose value it is."""
    declare(project, to(vault))
    project.apply()
    first = held(project, vault)
    remove(vault, how)
    project.sandbox.advance(FOUR_MINUTES)
    assert ("replace", "ci.g2", "done") in outcomes(project.apply())
    assert held(project, vault) != first
    project.sandbox.advance(FOUR_MINUTES)
    project.apply()
    assert names(project.sandbox) == ["ci.g2"]
    project.converge()


def remove(vault: Vault, how: str) -> None:
    if how == "value":
        vault.put({"other": "key"})
    elif how == "record":
        vault.patch({NAME: None})
    else:
        vault.bao.send("DELETE", f"{vault.mount}/metadata/{PATH}")


@pytest.mark.parametrize("lost", ["vault", "file"])
def test_copied(project: Project, vault: Vault, lost: str) -> None:
    """Of two destinations the one that has lost the secret gets it from the other, without a new token."""
    project.delivers("out/ci")
    declare(project, to(vault), {"file": {"path": "out/ci"}})
    project.apply()
    first = held(project, vault)
    if lost == "vault":
        remove(vault, "all")
    else:
        (project.folder / "out/ci").unlink()
    assert outcomes(project.apply()) == [("redeliver", "ci", "done")]
    assert held(project, vault) == project.secret("out/ci") == first
    project.converge()


def test_keys_of_one_secret(project: Project, vault: Vault) -> None:
    """Entries that deliver to keys of one secret are served side by side, and none loses another's key or record."""
    keys = {f"ci-{number}": f"key-{number}" for number in range(8)}
    entries = {name: {**entry(), "deliver": [to(vault, key)]} for name, key in keys.items()}
    project.write(yaml.safe_dump(spec(entries)))
    project.apply("--workers", "8")
    assert set(vault.data) == set(keys.values())
    assert len({held(project, vault, key) for key in keys.values()}) == 8
    project.converge()


def test_a_credential_that_may_only_plan(project: Project, vault: Vault) -> None:
    """The policy of a plan is enough to plan; an apply with it stops before any token is made."""
    token = vault.bao.limited(vault.policy("read", "read"))
    runs_with(project, {**vault.environment, "VAULT_TOKEN": token})
    declare(project, to(vault))
    assert [action["action"] for action in project.plan()["actions"]] == ["create"]
    project.run("apply", code=1).says(f"vault {vault.mount}/{PATH}#{KEY}", "policy", "lacks", "docs/destinations.md")
    assert project.sandbox.tokens() == []

    runs_with(
        project,
        {**vault.environment, "VAULT_TOKEN": vault.bao.limited(vault.policy("read update", "create read patch"))},
    )
    project.apply()
    assert held(project, vault)
    runs_with(project, {**vault.environment, "VAULT_TOKEN": token})
    project.converge()


def test_a_sealed_vault(project: Project) -> None:
    """A sealed Vault neither has anything replaced nor anything made; unsealed, it is served."""
    with running() as bao:
        vault = Vault(bao=bao, mount="secret", environment={"VAULT_ADDR": bao.address, "VAULT_TOKEN": bao.token})
        runs_with(project, vault.environment)
        declare(project, to(vault))
        bao.send("PUT", "sys/seal")
        project.run("apply", code=1).says("is sealed (503", "ci")
        assert project.sandbox.tokens() == []


def test_a_write_that_is_refused(project: Project, vault: Vault, way: Between) -> None:
    """A write that is surely refused has its new token revoked and its mark taken back; the old secret lives on."""
    declare(project, to(vault))
    project.apply()
    first = held(project, vault)
    way.break_at("POST", "/data/", occurrence=0, status=413)
    declare(project, to(vault), scopes=["audit:read"])
    project.run("apply", code=3).says("413: broken on purpose", "was revoked again")
    assert names(project.sandbox) == ["ci"]
    assert held(project, vault) == first
    assert "mark=" not in vault.custom[NAME]


@pytest.mark.parametrize("after", [True, False], ids=["done", "not-done"])
def test_a_write_that_may_have_happened(project: Project, vault: Vault, way: Between, *, after: bool) -> None:
    """After a write of which nobody knows, old and new token live, and the next run, in its time, finishes the work."""
    declare(project, to(vault))
    project.apply()
    first = held(project, vault)
    way.break_at("POST", "/data/", occurrence=1, after=after, status=500)
    way.break_at("POST", "/data/", status=403)
    declare(project, to(vault), scopes=["audit:read"])
    project.run("apply", code=3).says("403: broken on purpose")
    assert names(project.sandbox) == ["ci", "ci.g2"]
    assert project.sandbox.authenticates(first)
    assert held(project, vault)

    project.sandbox.advance(FOUR_MINUTES)
    project.apply()
    assert held(project, vault) != first
    project.sandbox.advance(FOUR_MINUTES)
    project.apply()
    assert not project.sandbox.authenticates(first)
    project.converge()


def test_somebody_elses_record(project: Project, vault: Vault) -> None:
    """A record of another workspace's token is not overwritten; the entry is blocked and nothing is made for it."""
    declare(project, to(vault))
    project.apply()
    first = held(project, vault)
    vault.patch({NAME: vault.custom[NAME].replace("workspace=test", "workspace=production")})
    project.run("apply", code=5).says("production")
    assert held(project, vault) == first
    assert names(project.sandbox) == ["ci"]


def test_without_the_library(project: Project, vault: Vault) -> None:
    """Without the extra nothing is asked of anybody, and the message says how to get it."""
    declare(project, to(vault))
    code = "import sys; sys.modules['hvac'] = None; from tooken_ci.cli import main; main()"
    ended = subprocess.run(
        [sys.executable, "-c", code, "plan"],
        check=False,
        cwd=project.folder,
        env=project.environment(),
        capture_output=True,
        text=True,
        timeout=50,
    )
    assert ended.returncode == 2, ended.stderr
    assert "pip install 'tooken-ci[vault]'" in ended.stderr


def test_the_library_is_imported_where_it_is_used_only() -> None:
    """Neither the kinds nor a spec that names the destination import the library."""
    code = """
import sys
from tooken_ci.base.position import Position
from tooken_ci.destinations.interface import Surroundings
from tooken_ci.destinations.registry import Registry
kind = next(kind for kind in Registry(Surroundings()).kinds if kind.name == "vault")
kind.parse({"path": "secret/ci", "key": "token"}, Position("tooken.yml", 1, 1))
sys.exit("hvac" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=50).returncode == 0

"""What the document says of ``vault`` is what the code does, and its examples work."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.destinations.support import HERE, held
from tests.destinations.vault_support import Vault, deliver, kind_for
from tooken_ci.base.errors import DestinationError
from tooken_ci.base.record import State
from tooken_ci.destinations import vault_http, vault_store
from tooken_ci.destinations.vault import VaultKind

if TYPE_CHECKING:
    from tests.support.bao import Bao

TEXT = (Path(__file__).parents[2] / "docs" / "destinations.md").read_text(encoding="utf-8")
SECTION = TEXT.split("\n## `vault`\n")[1].split("\n## ")[0]


def block(language: str, begin: str = "") -> str:
    found = [text for text in re.findall(rf"```{language}\n(.*?)```", SECTION, re.DOTALL) if text.startswith(begin)]
    assert len(found) == 1
    return str(found[0])


def test_the_settings_are_those_of_the_code() -> None:
    """Every setting and every way to log in is documented, and no other."""
    schema = VaultKind.schema["properties"]
    rows = re.findall(r"^\| `([a-z_]+)` \|", SECTION, re.MULTILINE)
    assert set(rows) == set(schema)
    ways = [
        yaml.safe_load(f"{{{way}}}") for way in re.findall(r"^\| `((?:approle|jwt): .*?})` \|", SECTION, re.MULTILINE)
    ]
    methods = schema["auth"]["properties"]
    assert {name for way in ways for name in way} == set(methods)
    for name, method in methods.items():
        assert {key for way in ways for key in way.get(name, {})} == set(method["properties"])
        for way in ways:
            kind_for({}).parse({"path": "secret/ci", "key": "token", "auth": way}, HERE)


def test_the_numbers_are_those_of_the_code() -> None:
    """The bounds of waiting and of beginning anew are documented."""
    assert f"for {vault_http.LAST_READ:.0f} s where it only reads, for {vault_http.LAST_TRY:.0f} s where" in SECTION
    assert f"{vault_store._CONFLICTS} times at most" in SECTION


@pytest.fixture
def example(bao: Bao) -> Vault:
    """Gives the secret of the document, in the mount that every dev server has."""
    spec = yaml.safe_load(block("yaml"))
    (item,) = spec["tokens"]["ci-deploy"]["deliver"]
    mount, _, path = item["vault"]["path"].partition("/")
    bao.send("DELETE", f"{mount}/metadata/{path}")
    return Vault(bao=bao, mount=mount, path=path, environment={"VAULT_ADDR": bao.address})


def as_said(example: Vault, name: str) -> Vault:
    """The same, with a token that may do what the document's policy says."""
    token = example.bao.limited(block("hcl", f"# {name}\n"))
    return dataclasses.replace(example, environment={**example.environment, "VAULT_TOKEN": token})


def test_the_policies(example: Vault) -> None:
    """With the one a plan can look and an apply stops at its check; with the other it delivers."""
    planning, applying = as_said(example, "plan").open(), as_said(example, "apply").open()
    assert planning.look().empty
    with pytest.raises(DestinationError, match="policy of the token lacks"):
        planning.check()
    for _ in range(2):
        applying.check()
        deliver(applying)
    look = planning.look()
    assert (look.state, look.held) == (State.HOLDS, held())
    with pytest.raises(DestinationError, match="policy of the token lacks"):
        planning.check()

"""What docs/sandbox.md says of the files that the sandbox takes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import requests

from tooken_ci.sandbox.faults import FaultKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.sandbox import RunningSandbox

TEXT = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text(encoding="utf-8")
SEED, FAULTS = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)


def test_its_files(make_sandbox: Callable[..., RunningSandbox], tmp_path: Path) -> None:
    """The tokens of its list are there, and the faults of its list hit what they say."""
    for name, block in (("seed", SEED), ("faults", FAULTS)):
        (tmp_path / f"{name}.yml").write_text(block, encoding="utf-8")
    sandbox = make_sandbox(seed=tmp_path / "seed.yml", faults=tmp_path / "faults.yml")
    assert {token["name"]: token["status"] for token in sandbox.tokens()} == {
        "ci-deploy": "active",
        "old-bot": "active",
        "ci-deploy.g2": "revoked",
    }
    key = {"Authorization": f"Bearer {sandbox.api_key}"}
    lists = [requests.get(f"{sandbox.url}/tokens", headers=key, timeout=20) for _ in range(3)]
    assert [one.status_code for one in lists] == [429, 429, 200]
    assert lists[0].headers["Retry-After"] == "1"
    assert "X-RateLimit-Limit" not in lists[0].headers
    wanted = {"name": "new", "scopes": ["tokens:read"]}
    made = [requests.post(f"{sandbox.url}/tokens", json=wanted, headers=key, timeout=20) for _ in range(2)]
    assert [one.status_code for one in made] == [500, 409]


def test_it_names_every_fault() -> None:
    """Each kind of fault stands in its table, and no other."""
    rows = re.findall(r"^\| (`.*?`) \|", TEXT, re.MULTILINE)
    named = {name for row in rows[1:] for name in re.findall(r"`(\w+)`", row)}
    assert named == {kind.value for kind in FaultKind}

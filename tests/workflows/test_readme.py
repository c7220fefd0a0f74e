"""The workflow at the head of the README, with the spec that the README shows after it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.support.shop import MERGE
from tests.support.workflow import OURS, ROOT
from tooken_ci import __version__

if TYPE_CHECKING:
    from tests.support.shop import Shop

README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.fixture
def workflow() -> str:
    """Gives what stands within the first 40 lines."""
    head = "\n".join(README.splitlines()[:40])
    (block,) = re.findall(r"```yaml\n(on:.*?)```", head, re.DOTALL)
    return str(block)


def test_it_is_short_and_valid(workflow: str) -> None:
    """It has ten lines at most, names this release, and actionlint finds nothing in it."""
    assert len(workflow.splitlines()) <= 10
    assert f"{OURS}v{__version__}" in workflow
    assert yaml.safe_load(workflow)["permissions"] == {"contents": "read"}
    actionlint = [str(Path(sys.executable).with_name("actionlint")), "-shellcheck=", "-pyflakes=", "-"]
    checked = subprocess.run(actionlint, input=workflow, text=True, capture_output=True, check=False)
    assert (checked.returncode, checked.stdout) == (0, "")


def test_it_plans_and_applies(workflow: str, shop: Shop) -> None:
    """A pull request is planned, a push is applied; a plan changes nothing."""
    (spec,) = re.findall(r"```yaml\n(version: 1\n.*?)```", README, re.DOTALL)
    (shop.repository / "tooken.yml").write_text(spec, encoding="utf-8")
    secrets = {"TOOKEN_API_KEY": shop.key}
    planned = shop.run_text(workflow, {"event_name": "pull_request"}, secrets=secrets)["tokens"]
    assert (planned.result, planned.steps[-1].outputs["create"], shop.active()) == ("success", "1", [])
    applied = shop.run_text(workflow, MERGE, secrets=secrets)["tokens"]
    assert (applied.result, applied.steps[-1].outputs["create"], shop.active()) == ("success", "1", ["ci-deploy"])

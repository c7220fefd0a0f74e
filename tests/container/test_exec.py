"""A delivery to a program's store, used as a workflow uses it: in one step, seen by the next, and left alone after."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.container.conftest import Lab
    from tests.support.sandbox import RunningSandbox

pytestmark = [pytest.mark.container, pytest.mark.timeout(600)]


def test_a_store_in_the_workspace(lab: Lab, released: Path, service: None, sandbox: RunningSandbox) -> None:
    """The action runs the workspace's own program, whose store later steps see; nothing is left to do after it."""
    result = lab.run(
        "act",
        "workflow_dispatch",
        "--workflows",
        "tests/container/exec.yml",
        "--secret",
        f"SANDBOX_KEY={sandbox.api_key}",
        "--var",
        f"SANDBOX_URL={sandbox.url}",
        folder=released,
    )
    assert result.returncode == 0, result.stdout
    for name in ("Deliver", "It was delivered", "Plan again", "Nothing is left to do"):
        assert re.search(rf"Success - Main {name}\b", result.stdout), result.stdout
    assert "It answers 200" in result.stdout
    assert [token["name"] for token in sandbox.active_tokens()] == ["ci-deploy"]
    assert not re.search(r"tok_[\w-]{32,}", result.stdout)

"""Names that attack whoever reads them, printed by the action in every format: act, which reads as a runner does."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.container.conftest import ROOT
from tests.support.hostile import HOSTILE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.container.conftest import Lab
    from tests.support.sandbox import RunningSandbox

pytestmark = [pytest.mark.container, pytest.mark.timeout(600)]


def test_nothing_is_executed(
    lab: Lab, released: Path, service: None, make_sandbox: Callable[..., RunningSandbox]
) -> None:
    """No output, variable, mask, group or annotation comes of a name, and all of the steps do their work."""
    sandbox = make_sandbox(seed=[{"name": name, "scopes": ["tokens:read"]} for name in HOSTILE])
    result = lab.run(
        "act",
        "workflow_dispatch",
        "--workflows",
        "tests/container/hostile.yml",
        "--secret",
        f"SANDBOX_KEY={sandbox.api_key}",
        "--var",
        f"SANDBOX_URL={sandbox.url}",
        folder=released,
    )
    assert result.returncode == 0, result.stdout
    assert "outputs: true <>" in result.stdout
    assert "variables: <0>" in result.stdout
    assert "preloads: <>" in result.stdout
    assert [token["name"] for token in sandbox.active_tokens()] == ["ci"]
    # what is merely printed stands behind a bar; before a command that it heeds act puts a sign of its own
    heeded = [line for line in re.findall(r"^\[[^\]]*\]\s+([^|\s].*)$", result.stdout, re.MULTILINE) if "::" in line]
    assert heeded
    outputs = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))["outputs"]
    ours = re.compile(rf"\S+\s+::(set-output:: ({'|'.join(outputs)})=|group::|endgroup::$)")
    assert all(ours.match(line) for line in heeded), heeded
    assert "evil" not in "".join(heeded)
    assert result.stdout.count("evil") > 3 * len(HOSTILE)

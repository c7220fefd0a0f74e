"""A lease, used as a workflow uses it: handed to the next step, masked, and gone when the job ends."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.container.conftest import Lab
    from tests.support.sandbox import RunningSandbox

pytestmark = [pytest.mark.container, pytest.mark.timeout(600)]


def test_a_lease_for_each_leg(lab: Lab, released: Path, service: None, sandbox: RunningSandbox) -> None:
    """Each leg's next step gets a secret that works and that the log shows masked; after the job it is revoked."""
    result = lab.run(
        "act",
        "workflow_dispatch",
        "--workflows",
        "tests/container/lease.yml",
        "--secret",
        f"SANDBOX_KEY={sandbox.api_key}",
        "--var",
        f"SANDBOX_URL={sandbox.url}",
        folder=released,
    )
    assert result.returncode == 0, result.stdout
    assert result.stdout.count("It answers 200") == 2, result.stdout
    for leg in ("one", "two"):
        assert f"Leg {leg} was handed <***>" in result.stdout
    leases = sandbox.tokens(name="preview.e-")
    assert len({token["name"] for token in leases}) == 2, leases
    assert {token["status"] for token in leases} == {"revoked"}, result.stdout
    assert all(token["expires_at"] is not None for token in leases)
    assert result.stdout.count("released 'preview.e-") == 2, result.stdout
    assert "There is nothing to release" not in result.stdout
    for told in ("leased", "released"):  # on the run's page, by each leg
        notices = re.findall(rf"::notice title=tooken-ci::'preview\.e-[^']+' was {told}\b", result.stdout)
        assert len(notices) == 2, result.stdout
    assert len(re.findall(r"Summary - \s*## tooken-ci", result.stdout)) == 4, result.stdout
    assert not re.search(r"tok_[\w-]{32,}", result.stdout)

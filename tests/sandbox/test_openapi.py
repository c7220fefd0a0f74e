from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from requests import get

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.sandbox import RunningSandbox

# A date that is well-formed and past is 422, which a schema can't express.
CONFIG = """\
[checks.positive_data_acceptance]
expected-statuses = ["2xx", 404, 409, 422]
"""


@pytest.fixture
def description(shared: RunningSandbox) -> dict[str, Any]:
    reply = get(shared.url.removesuffix("/v1") + "/openapi.json", timeout=10)
    described: dict[str, Any] = reply.json()
    return described


def test_description_is_complete(description: dict[str, Any]) -> None:
    """Each operation documents its credential, its scope, the quota's headers and the errors anybody can meet."""
    operations = [operation for path in description["paths"].values() for operation in path.values()]
    assert len(operations) == 6
    for operation in operations:
        assert operation["security"] == [{"HTTPBearer": []}]
        assert operation["x-required-scope"]
        assert {"401", "403", "429", "500", "default"} <= operation["responses"].keys()
        for reply in operation["responses"].values():
            assert {"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"} <= reply["headers"].keys()
    assert not [path for path in description["paths"] if not path.startswith("/v1/")]


def test_server_keeps_to_its_description(make_sandbox: Callable[..., RunningSandbox], tmp_path: Path) -> None:
    """Schemathesis finds no reply that the description does not allow."""
    sandbox = make_sandbox(limit=1_000_000, seed=30)
    (tmp_path / "schemathesis.toml").write_text(CONFIG, encoding="utf-8")
    ended = subprocess.run(
        [
            sys.executable, "-m", "schemathesis.cli", "run", sandbox.url.removesuffix("/v1") + "/openapi.json",
            "--max-examples=10", "--seed=1", "--generation-database=none", "--no-color",
            f"--header=Authorization: Bearer {sandbox.api_key}",
            # A revoked token can still be read: its record stays.
            "--exclude-checks=use_after_free",
        ],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=55,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout[-5000:] + ended.stderr[-2000:]

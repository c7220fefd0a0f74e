"""Two examples for users, as they are but for the release that they name: a lease, and what follows a leak."""

from __future__ import annotations

import json
import re
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.support.workflow import OURS, ROOT
from tooken_ci import __version__

if TYPE_CHECKING:
    from tests.container.conftest import Lab
    from tests.support.sandbox import RunningSandbox

pytestmark = [pytest.mark.container, pytest.mark.timeout(600)]

EXAMPLES = {"lease.yml": 1, "leak.yml": 2}
"""How often each uses the action."""

SPEC = """
version: 1
workspace: sandbox
tokens:
  shop:
    scopes: [tokens:read]
    expires_in: 90d
    deliver: [file: {path: build/shop, persistent: true}]
  preview:
    ephemeral: true
    expires_in: 1h
    scopes: [tokens:read]
    deliver: [job: {env: TOOKEN_TOKEN}]
"""
PREVIEW = r"""#!/bin/sh
test -n "$TOOKEN_TOKEN"
echo "The preview has <$TOOKEN_TOKEN>"
"""


@pytest.fixture(scope="module")
def folder(lab: Lab) -> str:
    """Gives the folder of the examples, in which the action is the one of this checkout; nothing else is changed."""
    folder = lab.checkout / "examples" / "as-pasted"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, times in EXAMPLES.items():
        text = (ROOT / "examples" / "github" / name).read_text(encoding="utf-8")
        release = f"uses: {OURS}v{__version__}\n"
        assert text.count(release) == text.count(OURS) == times
        (folder / name).write_text(text.replace(release, "uses: ./\n"), encoding="utf-8")
    (lab.checkout / "tooken.yml").write_text(SPEC, encoding="utf-8")
    (lab.checkout / "preview.sh").write_text(PREVIEW, encoding="utf-8")
    (lab.checkout / "preview.sh").chmod(0o755)
    return str(folder.relative_to(lab.checkout))


def test_as_a_user_pastes_them(lab: Lab, service: None, sandbox: RunningSandbox, folder: str) -> None:
    """The lease reaches its step, masked, and is gone after the job; what leaked is replaced, and the plan is empty."""
    leaked = sandbox.create("shop", "tokens:read")["token"]
    event = lab.checkout / folder / "event.json"
    asked = {"name": "shop", "why": "$(id) in a log"}
    event.write_text(json.dumps({"ref": "refs/heads/main", "inputs": asked}), encoding="utf-8")
    result = lab.run(
        *("act", "workflow_dispatch", "--workflows", folder, "--eventpath", f"{folder}/event.json"),
        *("--env", f"TOOKEN_API_URL={sandbox.url}", "--actor", "octocat"),
        *("--secret", f"TOOKEN_LEASE_KEY={sandbox.api_key}", "--secret", f"TOOKEN_API_KEY={sandbox.api_key}"),
    )
    assert result.returncode == 0, result.stdout
    assert "The preview has <***>" in result.stdout
    (lease,) = sandbox.tokens(name="preview.e-")
    assert lease["status"] == "revoked", result.stdout
    assert re.search(r"Success - Main Nothing is left to do\b", result.stdout), result.stdout
    assert not sandbox.authenticates(leaked)
    assert [token["name"] for token in sandbox.active_tokens()] == ["shop.g2"]
    assert "\n    $(id) in a log\n" in result.stdout  # in the summary
    assert "uid=" not in result.stdout

"""The examples for GitHub in a runner's containers, as a user pastes them (tests/container/acting.py tells how)."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from tests.container.acting import HERE, Acting
from tests.support import events, standins
from tests.support.workflow import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.container.conftest import Lab
    from tests.support.shop import Shop

pytestmark = [pytest.mark.container, pytest.mark.timeout(600)]

MONTH = 31 * 86400
ANSWERED = """
python3 - <<'PYTHON'
import os, urllib.request
request = urllib.request.Request(os.environ["TOOKEN_API_URL"] + "/tokens?per_page=1")
request.add_header("Authorization", "Bearer " + os.environ["TOOKEN_TOKEN"])
print("It answers", urllib.request.urlopen(request).status, "to", os.environ["TOOKEN_TOKEN"])
PYTHON
"""


@pytest.fixture
def acting(shop: Shop, lab: Lab, released: Path, service: None) -> Acting:
    """Gives the shop, and what runs its workflows."""
    one = Acting(shop=shop, lab=lab, released=released)
    one.begin()
    return one


def test_plan_apply(acting: Acting) -> None:
    """A pull request gets its comment; a merge applies what the job before has planned; the next has nothing to do."""
    pulled = events.pull_request()
    pulled["pull_request"]["user"] = {"login": "octocat"}
    asked = acting.run("plan-apply.yml", "pull_request", **pulled)
    assert asked.jobs == {"preview": True}, asked.log
    assert ["deployment" in comment.body for comment in acting.shop.github.comments.all] == [True]
    assert acting.shop.active() == []
    merged = acting.run("plan-apply.yml", "push")
    assert merged.jobs == {"plan": True, "approve": True, "apply": True}, merged.log
    assert acting.shop.active() == ["deployment", "shop"]
    assert acting.shop.sandbox.authenticates(str(acting.shop.github.secret("TOOKEN_TOKEN")))
    shutil.rmtree(acting.shop.folder / "artifacts")
    again = acting.run("plan-apply.yml", "push")
    assert again.jobs == {"plan": True}, again.log


def test_rotate_and_deploy(acting: Acting) -> None:
    """A month later the schedule renews both tokens; a deployment makes one more before it begins."""
    acting.shop.apply()
    acting.shop.later(MONTH)
    rotated = acting.run("rotate.yml", "schedule")
    assert rotated.jobs == {"rotate": True}, rotated.log
    assert acting.shop.active() == ["deployment", "deployment.g2", "shop", "shop.g2"]
    acting.shop.later(300)
    acting.shop.script("deploy.sh", ANSWERED)
    deployed = acting.run("deploy.yml", "push")
    assert deployed.jobs == {"rotate": True, "deploy": True}, deployed.log
    assert acting.shop.active() == ["deployment", "deployment.g2", "deployment.g3", "shop", "shop.g2"]
    assert "It answers 200 to ***" in deployed.log


def test_drift(acting: Acting) -> None:
    """What somebody changed by hand opens an issue; once it is as it was, the issue is closed."""
    folder = acting.shop.folder
    standins.install("gh", folder / "runner", folder / "gh", "/usr/bin/python3")
    acting.mounts |= {"/usr/local/bin/gh": folder / "runner" / "gh", str(folder / "gh"): folder / "gh"}
    acting.mounts |= {f"{ROOT}/tests": ROOT / "tests"}
    acting.shop.apply()
    acting.shop.github.put("secrets", "TOOKEN_TOKEN", "put here by hand")
    drifted = acting.run("drift.yml", "schedule")
    assert drifted.jobs == {"drift": True}, drifted.log
    (issue,) = acting.shop.gh["issues"].values()
    assert issue["open"]
    assert "    replace shop.g2: " in issue["body"]
    acting.shop.apply()
    mended = acting.run("drift.yml", "workflow_dispatch")
    assert mended.jobs == {"drift": True}, mended.log
    assert [one["open"] for one in acting.shop.gh["issues"].values()] == [False]


def test_lease(acting: Acting) -> None:
    """The step that uses the lease can, and sees it masked in its log; after the job it is revoked."""
    acting.shop.script("preview.sh", ANSWERED)
    leased = acting.run("lease.yml", "workflow_dispatch")
    assert leased.jobs == {"preview": True}, leased.log
    assert "It answers 200 to ***" in leased.log
    (lease,) = acting.shop.sandbox.tokens(name="preview.e-")
    assert lease["status"] == "revoked", leased.log


def test_leak(acting: Acting) -> None:
    """What leaked is replaced at once, and the plan after that is empty; why it was is in the summary, unread."""
    acting.shop.apply()
    leaked = str(acting.shop.github.secret("TOOKEN_TOKEN"))
    asked = {"name": "shop", "why": "$(id) in a log"}
    replaced = acting.run("leak.yml", "workflow_dispatch", inputs=asked)
    assert replaced.jobs == {"rotate": True}, replaced.log
    assert "Success - Main Nothing is left to do" in replaced.log
    assert not acting.shop.sandbox.authenticates(leaked)
    assert acting.shop.active() == ["deployment", "shop.g2"]
    assert "\n    $(id) in a log\n" in replaced.log
    assert "uid=" not in replaced.log


@pytest.fixture
def installed(lab: Lab, image: str, tmp_path: Path) -> Iterator[Path]:
    """Gives what is installed in the image, out of it."""
    folder = tmp_path / "installed"
    made = lab.podman("create", image)
    assert made.returncode == 0, made.stderr
    copied = lab.podman("cp", f"{made.stdout.strip()}:/opt/tooken-ci", str(folder))
    assert copied.returncode == 0, copied.stderr
    yield folder
    lab.podman("rm", made.stdout.strip())


def test_fleet(acting: Acting, installed: Path) -> None:
    """Each workspace gets a job of its own; after a merge those alone whose spec it changed."""
    acting.mounts |= {"/opt/tooken-ci": installed, "/usr/local/bin/pipx": HERE / "programs" / "pipx"}
    for name in ("north", "south"):
        _workspace(acting.shop, name, f"{name}-ci")
    before = acting.commit()
    nightly = acting.run("fleet.yml", "workflow_dispatch", inputs={"part": "1/1"})
    assert nightly.jobs == {"list": True, "north-1": True, "south-2": True}, nightly.log
    assert acting.shop.active() == ["north-ci", "south-ci"]
    acting.shop.later(300)
    _workspace(acting.shop, "south", "south-other")  # alone: files that a job was given are lost with its runner
    acting.commit()
    merged = acting.run("fleet.yml", "push", before=before)
    assert merged.jobs == {"list": True, "south": True}, merged.log
    assert acting.shop.active() == ["north-ci", "south-ci", "south-other"]


def _workspace(shop: Shop, name: str, token: str) -> None:
    """Writes the spec of a workspace with one token."""
    folder = shop.repository / "workspaces" / name
    folder.mkdir(parents=True, exist_ok=True)
    place = {"file": {"path": f"out/{token}", "persistent": True}}
    entry: dict[str, Any] = {"scopes": ["tokens:read"], "expires_in": "90d", "deliver": [place]}
    spec = {"version": 1, "workspace": name, "tokens": {token: entry}}
    (folder / "tooken.yml").write_text(json.dumps(spec), encoding="utf-8")

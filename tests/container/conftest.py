"""The container lab: a builder and a runner for images on a machine without a Docker daemon."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
# Taken before any fixture changes it: the lab keeps its store in the home folder.
ENVIRON = dict(os.environ)
TAG = "tooken-ci:test"
BUILT = "\n  image: Dockerfile\n"
"""The line of ``action.yml`` that a release replaces; see .github/scripts/release.py."""


@dataclass(frozen=True, kw_only=True)
class Lab:
    """The lab, and a clean copy of this repository that it works on."""

    tool: Path
    checkout: Path

    def run(self, *arguments: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run the lab's tool in the copy or another folder; what it prints comes back in one text, in order."""
        return subprocess.run(
            [self.tool, *arguments],
            cwd=folder or self.checkout,
            env=ENVIRON,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    def podman(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run podman with the lab's settings."""
        return self.shell('exec podman "$@"', *arguments)

    def shell(self, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a line of bash with the lab's variables."""
        return subprocess.run(
            self.in_lab(script, *arguments),
            env=ENVIRON,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def in_lab(self, script: str, *arguments: str) -> list[str | Path]:
        """Give the command that runs a line of bash with the lab's variables."""
        return ["bash", "-c", f'eval "$("$0" env)"; {script}', self.tool, *arguments]


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """Give the lab and a copy of the files that git knows or would add."""
    tool = ENVIRON.get("CONTAINER_LAB")
    if not tool:
        pytest.skip("CONTAINER_LAB does not name a container lab")
    checkout = tmp_path_factory.mktemp("checkout")
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listing, cwd=ROOT, env=ENVIRON, capture_output=True, text=True, check=True).stdout
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file():
            (checkout / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, checkout / name)
    return Lab(tool=Path(tool).resolve(), checkout=checkout)


@pytest.fixture(scope="session")
def image(lab: Lab) -> str:
    """Build the image and give its name."""
    built = lab.run("build", ".", TAG)
    assert built.returncode == 0, built.stdout
    return f"localhost/{TAG}"


@pytest.fixture(scope="session")
def released(lab: Lab, image: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the checkout as a release has it: its ``action.yml`` names the image, not how to build it."""
    folder = tmp_path_factory.mktemp("released") / "tooken-ci"
    shutil.copytree(lab.checkout, folder)
    action = (folder / "action.yml").read_text(encoding="utf-8")
    assert action.count(BUILT) == 1
    (folder / "action.yml").write_text(action.replace(BUILT, f"\n  image: docker://{image}\n"), encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def service(lab: Lab) -> Iterator[None]:
    """Serve podman to act from a folder that stays, for as long as the tests run.

    The lab would start the service where it is called; once that folder is gone, it can start no container.
    """
    path = Path(lab.shell('echo "${DOCKER_HOST#unix://}"').stdout.strip())
    path.unlink(missing_ok=True)
    command = lab.in_lab('exec podman system service --time=900 "$DOCKER_HOST"')
    with subprocess.Popen(
        command, cwd="/", env=ENVIRON, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        deadline = time.monotonic() + 30
        while not path.is_socket() and time.monotonic() < deadline:
            time.sleep(0.1)
        yield
        process.terminate()

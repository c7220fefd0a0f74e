"""The image, built and run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tooken_ci import __version__
from tooken_ci.destinations.interface import Surroundings
from tooken_ci.destinations.registry import Registry

if TYPE_CHECKING:
    from pathlib import Path

    from tests.container.conftest import Lab

pytestmark = [pytest.mark.container, pytest.mark.timeout(300)]

TOKENS = "version: 1\ntokens:\n  {name}:\n    scopes: [tokens:read]\n    expires_in: 90d\n"


def test_version(lab: Lab, image: str) -> None:
    """The image starts the command and passes arguments on to it."""
    result = lab.podman("run", "--rm", image, "--version")
    assert result.returncode == 0, result.stderr
    assert __version__ in result.stdout


def test_label(lab: Lab, image: str) -> None:
    """The image says which version it holds."""
    labels = json.loads(lab.podman("image", "inspect", "--format", "{{json .Labels}}", image).stdout)
    assert labels["org.opencontainers.image.version"] == __version__


@pytest.mark.parametrize("user", ["0", "1000"])
def test_inputs_on_a_read_only_root(lab: Lab, image: str, tmp_path: Path, user: str) -> None:
    """With the runner's variables, a read-only root and any user, the inputs reach the command."""
    (tmp_path / "first.yml").write_text(f"workspace: sandbox\n{TOKENS.format(name='first')}")
    (tmp_path / "second.yml").write_text(TOKENS.format(name="second"))
    tmp_path.chmod(0o755)
    result = lab.podman(
        *("run", "--rm", "--read-only", f"--user={user}", f"--volume={tmp_path}:/github/workspace:ro"),
        *("--workdir=/github/workspace", "--env=INPUT_COMMAND=validate", "--env=INPUT_SPEC=first.yml\nsecond.yml"),
        image,
    )
    assert result.returncode == 0, result.stderr


def test_the_command_is_one_word(lab: Lab, image: str) -> None:
    """A command input that brings an option with it is wrong usage."""
    result = lab.podman("run", "--rm", "--env=INPUT_COMMAND=validate --help", image)
    assert result.returncode == 2, result.stderr


def test_the_workspace_brings_no_code(lab: Lab, image: str, tmp_path: Path) -> None:
    """A module in the workspace that bears the name of one of ours is not imported."""
    for name in ("yaml", "requests", "tooken_ci", "json"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit(99)\n")
    result = lab.podman("run", "--rm", f"--volume={tmp_path}:/work", "--workdir=/work", image, "--version")
    assert result.returncode == 0, result.stderr


def test_every_kind_of_destination(lab: Lab, image: str) -> None:
    """The image knows all kinds of destination, and has the library of each."""
    kinds = Registry(Surroundings()).kinds
    result = lab.podman("run", "--rm", image, "schema")
    assert result.returncode == 0, result.stderr
    assert all(f'"{kind.name}"' in result.stdout for kind in kinds)
    modules = ", ".join(kind.extra.module for kind in kinds if kind.extra is not None)
    python = ("run", "--rm", "--entrypoint=/opt/tooken-ci/bin/python", image, "-c")
    result = lab.podman(*python, f"import {modules}; from github.PublicKey import encrypt")
    assert result.returncode == 0, result.stderr


def test_what_is_not_in_the_image(lab: Lab, image: str) -> None:
    """Neither the sandbox nor the tests nor what built the package are in the image."""
    script = (
        "ls /src /dist; ls /opt/tooken-ci /opt/tooken-ci/bin /opt/tooken-ci/lib/python3*/site-packages/{.,tooken_ci}"
    )
    shell = ("run", "--rm", "--entrypoint=/bin/bash", image, "-c")
    found = set(lab.podman(*shell, script).stdout.split())
    assert {"entrypoint.py", "tooken-ci", "cli", "requests"} <= found
    assert not found & {"sandbox", "tests", "pip", "setuptools", "fastapi", "/src:", "/dist:"}

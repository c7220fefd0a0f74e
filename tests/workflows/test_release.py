"""A release: its workflow walked through on a repository of its own, and the script that makes the tags."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.support import standins
from tests.support.workflow import ROOT, Workflow
from tooken_ci import __version__

if TYPE_CHECKING:
    from pathlib import Path

SCRIPT = ".github/scripts/release.py"
TEMPLATE = "templates/tooken-ci.yml"
DIGEST = "sha256:" + "5a" * 32
IMAGE = f"ghcr.io/owner/tooken-ci@{DIGEST}"
NOTES = (
    f"# Changelog\n\n## [Unreleased]\n\n## [{__version__}] - 2026-11-27\n\n### Added\n\n- All of it.\n\n## [0.0.1]\n"
)


class Repository:
    """A checkout of main with this repository's files, and what it was cloned from."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "main"
        self.origin = folder / "origin.git"
        self._environ = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        self._environ |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
        self.folder.mkdir()
        self.git("init", "--quiet", "--initial-branch=main")
        for name in ("action.yml", TEMPLATE, "tooken_ci/__init__.py", "README.md", "LICENSE", "pyproject.toml", SCRIPT):
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, self.folder / name)
        self.write("CHANGELOG.md", NOTES)
        subprocess.run(["git", "clone", "--quiet", "--bare", self.folder, self.origin], check=True, env=self._environ)
        self.git("remote", "add", "origin", str(self.origin))

    def git(self, *arguments: str) -> str:
        identity = ("-c", "user.name=test", "-c", "user.email=test@example.com")
        command = ["git", *identity, *arguments]
        ended = subprocess.run(command, cwd=self.folder, env=self._environ, check=True, capture_output=True, text=True)
        return ended.stdout.strip()

    def write(self, name: str, text: str) -> None:
        """Writes a file and commits everything."""
        (self.folder / name).write_text(text, encoding="utf-8")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", f"change {name}")

    def version(self, number: str) -> None:
        self.write("CHANGELOG.md", NOTES.replace(__version__, number))
        self.write("tooken_ci/__init__.py", f'__version__ = "{number}"\n')
        template = (ROOT / TEMPLATE).read_text(encoding="utf-8")
        self.write(TEMPLATE, template.replace(f"tooken-ci:{__version__}", f"tooken-ci:{number}"))

    def script(self, *arguments: str, code: int = 0) -> str:
        """Runs the script; gives what it prints, or why it refuses."""
        command = [sys.executable, "-I", SCRIPT, *arguments]
        ended = subprocess.run(command, cwd=self.folder, env=self._environ, check=False, capture_output=True, text=True)
        assert ended.returncode == code, ended.stderr
        return ended.stdout if code == 0 else ended.stderr


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """Gives a repository whose version may be released."""
    return Repository(tmp_path)


def test_a_release(repository: Repository, tmp_path: Path) -> None:
    """The workflow builds, tags and publishes; action and component of the tag name the image by its digest, main none.

    Not done here: the image, its SBOM, signatures, and pip, whose setuptools is the one that runs the tests.
    """
    standins.install("gh", tmp_path / "bin", tmp_path / "gh")
    docker = tmp_path / "bin" / "docker"
    docker.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n', encoding="utf-8")
    docker.chmod(0o755)
    (repository.folder / "build").mkdir()
    (repository.folder / "build" / "packages").symlink_to(sys.prefix)
    main = repository.git("rev-parse", "main")
    text = (ROOT / ".github" / "workflows" / "release.yml").read_text(encoding="utf-8")
    walk = Workflow(
        text=text,
        repository=repository.folder,
        scratch=tmp_path / "run",
        contexts={
            "github": {"repository": "OWNER/tooken-ci", "ref": "refs/heads/main", "token": "fake"},
            "runner": {"temp": str(tmp_path)},
        },
        env={"PATH": os.pathsep.join([str(tmp_path / "bin"), os.environ["PATH"]]), "RUNNER_TEMP": str(tmp_path)},
        others={
            "actions/attest": {},
            "actions/attest-build-provenance": {},
            "docker/setup-qemu-action": {},
            "docker/setup-buildx-action": {},
            "docker/login-action": {},
            "docker/build-push-action": {"digest": DIGEST},
        },
        left_out=("Install what builds the packages",),
    )
    jobs = walk.run()
    assert {job.result for job in jobs.values()} == {"success"}, [job.log for job in jobs.values()]
    for platform in ("amd64", "arm64"):
        asked = ["buildx", "imagetools", "inspect", IMAGE, "--format"]
        template = f'{{{{ json (index .SBOM "linux/{platform}").SPDX }}}}'
        assert (tmp_path / f"sbom-{platform}.json").read_text(encoding="utf-8").splitlines() == [*asked, template]
    tags = dict(line.split()[::-1] for line in _remote(repository, "refs/tags/*"))
    assert set(tags) == {f"refs/tags/v{__version__}", "refs/tags/v0"}
    assert len(set(tags.values())) == 1
    repository.git("fetch", "--quiet", "--tags", "origin")
    changed = repository.git("diff", "--unified=0", "main", f"v{__version__}").splitlines()
    assert [line for line in changed if line[0] in "+-" and line[:3] not in {"+++", "---"}] == [
        "-  image: Dockerfile",
        f"+  image: docker://{IMAGE}",
        f"-      default: ghcr.io/OWNER/tooken-ci:{__version__}",
        f"+      default: {IMAGE}",
    ]
    assert [line.split()[0] for line in _remote(repository, "refs/heads/*")] == [main]
    state = json.loads((tmp_path / "gh" / "state.json").read_text(encoding="utf-8"))
    assert state["releases"][f"v{__version__}"] == {
        "draft": False,
        "notes": "### Added\n\n- All of it.\n",
        "files": [f"tooken_ci-{__version__}-py3-none-any.whl", f"tooken_ci-{__version__}.tar.gz"],
    }
    action = tmp_path / "action.yml"
    action.write_text(repository.git("show", f"v{__version__}:action.yml"), encoding="utf-8")
    check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-actions", str(action)]
    subprocess.run(check, check=True, capture_output=True)
    header = next(yaml.safe_load_all(repository.git("show", f"v{__version__}:{TEMPLATE}")))
    image = header["spec"]["inputs"]["image"]
    assert re.search(image["regex"], image["default"])


def test_the_same_again(repository: Repository) -> None:
    """A job that is run again comes to the same tags; another commit under the same version is refused."""
    assert repository.script("tag", IMAGE).split() == [f"refs/tags/v{__version__}", "+refs/tags/v0"]
    first = repository.git("rev-parse", f"v{__version__}")
    repository.script("tag", IMAGE)
    assert repository.git("rev-parse", f"v{__version__}") == first
    assert "raise the version" in repository.script("tag", IMAGE.replace("5a", "6b"), code=1)
    repository.write("README.md", "changed\n")
    assert "raise the version" in repository.script("tag", IMAGE, code=1)
    assert repository.git("rev-parse", f"v{__version__}", "v0").split() == [first, first]
    assert repository.git("status", "--porcelain") == ""


def test_the_major_tag_names_the_newest(repository: Repository) -> None:
    """It moves on with each release of its major version, but not back to a late release of an older series."""
    numbers = {"1.2.0": True, "1.10.0": True, "1.9.9": False, "2.0.0": True, "1.10.1": True}
    for number, moves in numbers.items():
        repository.version(number)
        major = f"v{number[0]}"
        pushed = repository.script("tag", IMAGE).split()
        assert pushed == [f"refs/tags/v{number}", *([f"+refs/tags/{major}"] if moves else [])]
        assert (repository.git("rev-parse", major) == repository.git("rev-parse", f"v{number}")) is moves


@pytest.mark.parametrize(
    "image", ["ghcr.io/owner/tooken-ci:0.1.0", f"ghcr.io/Owner/x@{DIGEST}", "", f"{IMAGE}\n  image: other", "--help"]
)
def test_what_is_no_image(repository: Repository, image: str) -> None:
    """Without a digest, or with anything else, no tag is made."""
    assert "no image" in repository.script("tag", image, code=1)
    assert repository.git("tag") == ""


def test_what_may_not_be_released(repository: Repository) -> None:
    """A version that the changelog does not tell of or none at all, and what has no image to pin, are refused."""
    assert repository.script("version") == f"{__version__}\n"
    repository.write("CHANGELOG.md", "## [Unreleased]\n\n- Much.\n")
    assert "tells nothing of" in repository.script("version", code=1)
    repository.write("tooken_ci/__init__.py", '__version__ = "0.1.0.dev1"\n')
    assert "names no version" in repository.script("version", code=1)
    repository.version("3.0.0")
    repository.write("action.yml", f"runs:\n  using: docker\n  image: docker://{IMAGE}\n")
    assert "nothing to pin" in repository.script("tag", IMAGE, code=1)
    shutil.copy(ROOT / "action.yml", repository.folder / "action.yml")
    template = (repository.folder / TEMPLATE).read_text(encoding="utf-8")
    for other in (template.replace("3.0.0", "2.9.9"), f"{template}# ghcr.io/OWNER/tooken-ci:3.0.0\n"):
        repository.write(TEMPLATE, other)
        assert "names another default image than OWNER's 3.0.0" in repository.script("tag", IMAGE, code=1)
    assert repository.git("tag") == ""


def test_what_is_attested() -> None:
    """Packages and image get a signed provenance, and the image a signed SBOM for each of its platforms."""
    text = (ROOT / ".github" / "workflows" / "release.yml").read_text(encoding="utf-8")
    steps = yaml.safe_load(text)["jobs"]["build"]["steps"]
    signed = [step for step in steps if step.get("uses", "").startswith("actions/attest")]
    (image,) = [step["with"] for step in steps if step.get("id") == "image"]
    subject = {"subject-digest": "${{ steps.image.outputs.digest }}", "push-to-registry": True}
    assert [step["with"].get("subject-path") for step in signed] == ["dist/*", None, None, None]
    assert all(subject.items() <= step["with"].items() for step in signed[1:])
    boms = [f"${{{{ runner.temp }}}}/sbom-{one.removeprefix('linux/')}.json" for one in image["platforms"].split(",")]
    assert [step["with"].get("sbom-path") for step in signed] == [None, None, *boms]
    assert image["sbom"] is True


def _remote(repository: Repository, pattern: str) -> list[str]:
    return repository.git("ls-remote", str(repository.origin), pattern).splitlines()

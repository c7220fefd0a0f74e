"""A project at GitLab with the component and every example in it, and a way to run its jobs here."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.e2e.project import command
from tests.support.needs import cannot
from tests.support.sandbox import RunningSandbox

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).parents[2]
PROGRAM = ROOT / "build" / "npm" / "node_modules" / "gitlab-ci-local" / "src" / "index.js"
EXAMPLES = ROOT / "examples" / "gitlab"
HOST = "gitlab.example.com"
USE = """#!/bin/sh
# Asks the API with a secret: that of a file, or of the variable. It fails where it could ask with another.
python3 - "$@" <<'PYTHON'
import os, pathlib, sys, urllib.request
if {"TOOKEN_API_KEY", "GITLAB_TOKEN"} & set(os.environ):
    sys.exit("A key is in the environment of the script.")
secret = pathlib.Path(sys.argv[1]).read_text() if sys.argv[1:] else os.environ["TOOKEN_TOKEN"]
request = urllib.request.Request(os.environ["TOOKEN_API_URL"] + "/tokens?per_page=1")
request.add_header("Authorization", "Bearer " + secret)
print("It answers", urllib.request.urlopen(request).status)
PYTHON
"""


class Pipelines:
    """A project, and gitlab-ci-local to run pipelines of it, as GitLab runs them with the same variables.

    Attributes:
        folder: the checkout.
        out: where files are delivered to, outside of it.
        sandbox: the workspace.
    """

    def __init__(self, folder: Path, sandbox: RunningSandbox) -> None:
        self.folder, self.sandbox, self.out = folder / "project", sandbox, folder / "out"
        kept = {name: value for name, value in os.environ.items() if name.startswith("COV")}
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        self.environment = {**kept, "PATH": path, "HOME": str(folder), "LANG": "C.UTF-8"}
        shutil.copytree(EXAMPLES, self.folder)
        for name in ("deploy.sh", "preview.sh"):
            (self.folder / name).write_text(USE, encoding="utf-8")
            (self.folder / name).chmod(0o755)
        self.spec("tooken.yml", {"shop-ci": self.entry("shop-ci")})
        # where it looks for what it has fetched, so that it fetches nothing
        fetched = self.folder / ".gitlab-ci-local" / "includes" / HOST / "OWNER" / "tooken-ci" / "v0.1.0"
        shutil.copytree(ROOT / "templates", fetched / "templates")
        author = ("-c", "user.name=test", "-c", "user.email=test@example.com")
        for git in (
            ("init", "-q", "-b", "main"),
            ("remote", "add", "origin", f"https://{HOST}/acme/shop.git"),
            ("add", "--all", ":!.gitlab-ci-local"),
            (*author, "commit", "-q", "-m", "project: start"),
        ):
            subprocess.run(["git", *git], cwd=self.folder, env=self.environment, check=True)

    def entry(self, path: str, **more: Any) -> dict[str, Any]:
        """An entry that is delivered to a file of a machine that is kept, and whose older generations go at once."""
        file = {"path": str(self.out / path), "persistent": True}
        return {"scopes": ["tokens:read"], "expires_in": "90d", "deliver": [{"file": file}], **more}

    def spec(self, name: str, tokens: Mapping[str, Any], **more: Any) -> str:
        """Writes a spec into the checkout, and gives its path."""
        path = self.folder / name
        text = yaml.safe_dump({"version": 1, "workspace": "production", "tokens": dict(tokens), **more})
        path.write_text(text, encoding="utf-8")
        return str(path)

    def run(self, file: str, *jobs: str, env: Mapping[str, str] = MappingProxyType({}), code: int = 0) -> str:
        """Runs a pipeline of a file, or some of its jobs, to its end, and gives the log, in which no secret shows."""
        here = {"GITLAB_CI": "true", "CI_DEFAULT_BRANCH": "main", "TOOKEN_API_URL": self.sandbox.url}
        given = {**here, "TOOKEN_API_KEY": self.sandbox.api_key, **env}
        options = [part for name, value in given.items() for part in ("--variable", f"{name}={value}")]
        fixed = ["--file", file, "--shell-isolation", "--force-shell-executor", "--no-json-schema-validation"]
        ended = subprocess.run(
            ["node", PROGRAM, *fixed, "--ignore-predefined-vars", ",".join(given), *options, *jobs],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert ended.returncode == code, ended.stdout
        assert not re.search(r"tok_(?!live_plainly)[\w-]{32,}", ended.stdout)
        assert not [
            name for name, value in env.items() if re.search("KEY|TOKEN", name) and value and value in ended.stdout
        ]
        return ended.stdout

    def tool(self, *arguments: str, env: Mapping[str, str] = MappingProxyType({})) -> None:
        """Runs the command, as in a job before."""
        known = {"TOOKEN_API_URL": self.sandbox.url, "TOOKEN_API_KEY": self.sandbox.api_key, **env}
        subprocess.run([*command(), *arguments], env={**self.environment, **known}, check=True, capture_output=True)

    def left(self, job: str, name: str) -> str:
        """A file that a job has left in its own checkout."""
        return (self.folder / ".gitlab-ci-local" / "builds" / job / name).read_text(encoding="utf-8")

    def kept(self, job: str) -> set[str]:
        """The files that a job keeps as artifacts."""
        top = self.folder / ".gitlab-ci-local" / "artifacts" / job
        return {str(path.relative_to(top)) for path in top.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def pipelines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipelines]:
    """Gives one project for all tests of a module; each has entries of its own."""
    if not PROGRAM.exists():
        cannot("gitlab-ci-local is not installed: 'make npm' installs it, and needs node")
    for tool in ("node", "git", "rsync"):
        if shutil.which(tool) is None:
            cannot(f"gitlab-ci-local needs {tool}, which is not installed")
    with RunningSandbox() as sandbox:
        yield Pipelines(tmp_path_factory.mktemp("gitlab"), sandbox)


def blocks(example: str) -> list[str]:
    """What the comments of an example show, each as one text."""
    lines = (EXAMPLES / example).read_text(encoding="utf-8").splitlines()
    shown = "\n".join(line.removeprefix("#     ") if line.startswith("#     ") else "\0" for line in lines)
    return [block.strip("\n") for block in shown.split("\0") if block.strip()]

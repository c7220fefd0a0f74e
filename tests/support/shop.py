"""A shop on GitHub that uses the examples: its repository, its workspace, and a GitHub that holds its secrets."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
from typing import TYPE_CHECKING, Any

from tests.e2e.leaks import findings
from tests.e2e.project import command
from tests.support import standins
from tests.support.github import JOB, READER, TOKEN
from tests.support.standins.gh import begin
from tests.support.workflow import ROOT, Workflow, run

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.support.github import FakeGitHub
    from tests.support.sandbox import RunningSandbox
    from tests.support.workflow import JobResult

EXAMPLES = ROOT / "examples" / "github"
MERGE = {"event_name": "push", "ref": "refs/heads/main"}
PRODUCTION = "/repos/acme/shop/environments/production"


@dataclasses.dataclass(kw_only=True)
class Shop:
    """A repository ``acme/shop`` with the examples' spec at its top, and all that its workflows meet.

    Attributes:
        folder: everything is in it.
        sandbox: the workspace.
        github: holds the repository's secrets.
        key: the workspace's key.
        lease_key: a token that may lease.
        read_key: a token that may only read.
        runs: how many workflows have been run.
    """

    folder: Path
    sandbox: RunningSandbox
    github: FakeGitHub
    key: str
    lease_key: str
    read_key: str
    runs: int = 0

    @property
    def repository(self) -> Path:
        return self.folder / "repository"

    @property
    def gh(self) -> dict[str, Any]:
        """What the stand-in for gh keeps."""
        path = self.folder / "gh" / "state.json"
        state: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else begin()
        return state

    @property
    def env(self) -> dict[str, str]:
        """What every command meets."""
        programs = os.pathsep.join([str(self.folder / "bin"), os.environ["PATH"]])
        github = {"GITHUB_API_URL": self.github.url, "GITHUB_GRAPHQL_URL": f"{self.github.url}/graphql"}
        return {"TOOKEN_API_URL": self.sandbox.url, "PATH": programs, **github}

    def apply(self) -> None:
        """Brings everything to what the spec says; time passes."""
        env = {**self.env, "TOOKEN_API_KEY": self.key, "GH_TOKEN": TOKEN}
        log = self.folder / "log"
        assert run([*command(), "apply"], self.repository, env, log) == 0, log.read_text(encoding="utf-8")
        self.later(300)

    def script(self, name: str, *lines: str) -> None:
        """Puts a program into the repository."""
        path = self.repository / name
        path.write_text("\n".join(["#!/bin/sh", "set -eu", *lines, ""]), encoding="utf-8")
        path.chmod(0o755)

    def run(self, example: str, github: Mapping[str, Any] = MERGE, **contexts: Any) -> dict[str, JobResult]:
        """Runs an example, by the name of its file; no secret shows in what its jobs print, save or leave."""
        text = (EXAMPLES / example).read_text(encoding="utf-8")
        return self.run_text(text, github, **contexts)

    def run_text(self, text: str, github: Mapping[str, Any] = MERGE, **contexts: Any) -> dict[str, JobResult]:
        """The same for the text of a workflow."""
        self.runs += 1
        scratch = self.folder / f"run-{self.runs}"
        # as GitHub has it: those of the repository are read now, those of an environment when a job starts
        repository = {
            "TOOKEN_READ_KEY": self.read_key,
            "SECRETS_READ_TOKEN": READER,
            "TOOKEN_API_KEY": "",
            **self.kept(),
        }
        about = {"repository": "acme/shop", "actor": "octocat", "server_url": "https://github.com", "run_id": "4711"}
        jobs = Workflow(
            text=text,
            repository=self.repository,
            scratch=scratch,
            contexts={"github": {**about, "token": JOB, **github}, "secrets": repository, **contexts},
            secrets_of=self.secrets_of,
            env=self.env,
        ).run()
        self.scan(scratch, jobs)
        return jobs

    def kept(self) -> dict[str, str]:
        """The repository's secrets that tooken-ci keeps, as they are now."""
        secret = self.github.secret("TOOKEN_TOKEN")
        return {} if secret is None else {"TOOKEN_TOKEN": secret}

    def secrets_of(self, environment: str) -> dict[str, str]:
        """The secrets of an environment, as they are now."""
        writing = {"TOOKEN_API_KEY": self.key, "SECRETS_WRITE_TOKEN": TOKEN}
        production = self.github.secret("TOOKEN_TOKEN", PRODUCTION)
        held = {
            "approval": {},
            "tokens": writing,
            "rotation": writing,
            "preview": {"TOOKEN_LEASE_KEY": self.lease_key},
            "drift": {},
            "production": {} if production is None else {"TOOKEN_TOKEN": production},
            "": {},
        }
        return held[environment]

    def scan(self, scratch: Path, jobs: Mapping[str, JobResult]) -> None:
        shown = {name: b"\n".join(_seen(step) for step in job.log.splitlines()) for name, job in jobs.items()}
        files = {
            str(path): path.read_bytes()
            for path in scratch.rglob("*")
            if path.is_file() and path.name not in {"env", "log"}
        }
        self.search({**shown, **files})

    def search(self, places: Mapping[str, bytes]) -> None:
        """Fails if a secret shows in one of these places."""
        known = {self.key, self.lease_key, self.read_key, TOKEN, READER, JOB, *self.github.secrets()}
        assert list(findings(known, places)) == []

    def later(self, seconds: float) -> None:
        """Lets the clocks of both servers go on."""
        self.sandbox.advance(seconds)
        self.github.ahead += seconds

    def active(self) -> list[str]:
        """The names of the active tokens, but those that the shop began with."""
        return sorted(one["name"] for one in self.sandbox.active_tokens() if not one["name"].startswith("key-"))


def _seen(line: str) -> bytes:
    """A line as the log shows it: the runner takes the masks out."""
    return b"" if line.startswith("::add-mask::") else line.encode()


def open_shop(folder: Path, sandbox: RunningSandbox, github: FakeGitHub) -> Shop:
    """A shop that nothing was applied in yet."""
    lease = sandbox.create("key-lease", "tokens:read", "tokens:write", "tokens:revoke")["token"]
    read = sandbox.create("key-read", "tokens:read")["token"]
    one = Shop(folder=folder, sandbox=sandbox, github=github, key=sandbox.api_key, lease_key=lease, read_key=read)
    one.repository.mkdir()
    shutil.copy(EXAMPLES / "spec" / "tooken.yml", one.repository)
    standins.install("gh", folder / "bin", folder / "gh")
    return one

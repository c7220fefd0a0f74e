"""A workflow of the shop's, run by act as it was pasted: the action is what a release has, and its image is built once.

What act does not have: environments with secrets of their own (each job sees all secrets), approvals, concurrency,
permissions. tests/workflows walks through the examples with what it leaves out, but without containers.
"""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support.github import JOB, READER, TOKEN
from tests.support.shop import EXAMPLES
from tests.support.workflow import OURS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.container.conftest import Lab
    from tests.support.shop import Shop

HERE = Path(__file__).parent
ARTIFACTS = re.compile(r"uses: (actions/(?:up|down)load-artifact)@([0-9a-f]{40})\b")


@dataclass(frozen=True, kw_only=True)
class Acted:
    """What became of a workflow.

    Attributes:
        log: all that act printed.
        jobs: for each job that was not skipped, whether it succeeded.
    """

    log: str
    jobs: Mapping[str, bool]

    def step(self, name: str) -> str:
        """What the one step with this title printed."""
        begun, _, rest = self.log.partition(f"⭐ Run Main {name}\n")
        assert rest, begun
        return re.split(r"(?:Success|Failure) - Main ", rest)[0]


@dataclass(kw_only=True)
class Acting:
    """The shop, and the lab that runs its workflows.

    Attributes:
        shop: the shop.
        lab: the lab.
        released: the action, as a release has it.
        mounts: what lies in the runner beside what every runner has: where, and from where it comes.
    """

    shop: Shop
    lab: Lab
    released: Path
    mounts: dict[str, Path] = field(default_factory=dict)

    def begin(self) -> None:
        """Make the repository one that git knows, with what the lab asks for; ``commit`` adds to it."""
        (self.shop.repository / "Dockerfile").write_text("# the shop's own\n", encoding="utf-8")
        self._git("init", "--quiet", "--initial-branch=main")
        self._git("remote", "add", "origin", "https://github.com/acme/shop.git")
        self.commit()

    def commit(self) -> str:
        """Commit all there is, and give the commit's name."""
        self._git("add", "--all")
        self._git("-c", "user.name=Shop", "-c", "user.email=shop@example.com", "commit", "--quiet", "--message=all")
        return self._git("rev-parse", "HEAD")

    def run(self, example: str, event: str, **payload: Any) -> Acted:
        """Paste an example into the repository, and have act run it for an event; no secret shows."""
        text = (EXAMPLES / example).read_text(encoding="utf-8")
        folder = self.shop.repository / ".github" / "workflows"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / example).write_text(text, encoding="utf-8")
        file = self.shop.folder / "event.json"
        file.write_text(json.dumps({"ref": "refs/heads/main", **payload}), encoding="utf-8")
        ended = self.lab.run(
            *("act", event, "--workflows", f".github/workflows/{example}", "--eventpath", str(file)),
            *("--actor", "octocat", "--no-cache-server", *self._actions(text), *self._surroundings()),
            folder=self.shop.repository,
        )
        self.shop.search({"the log": ended.stdout.encode()})
        jobs = re.findall(r"^\[[^]/]+/([^]]+?)\s*\] 🏁  Job (succeeded|failed)$", ended.stdout, re.MULTILINE)
        assert (ended.returncode == 0) == all(how == "succeeded" for _, how in jobs), ended.stdout
        return Acted(log=ended.stdout, jobs={name: how == "succeeded" for name, how in jobs})

    def _actions(self, text: str) -> list[str]:
        """Where the actions come from that the text uses."""
        found = {
            f"{name}@{commit}": HERE / "actions" / name.partition("/")[2] for name, commit in ARTIFACTS.findall(text)
        }
        found |= {f"{OURS}{tag}": self.released for tag in re.findall(rf"uses: {OURS}(\S+)", text)}
        return [word for name, path in found.items() for word in ("--local-repository", f"{name}={path}")]

    def _surroundings(self) -> list[str]:
        """Whom the jobs talk to, with which secrets, and what they find in their runner."""
        url = self.shop.github.url
        env = {"TOOKEN_API_URL": self.shop.sandbox.url, "GITHUB_API_URL": url, "GITHUB_GRAPHQL_URL": f"{url}/graphql"}
        secrets = {
            "GITHUB_TOKEN": JOB,
            "TOOKEN_API_KEY": self.shop.key,
            "TOOKEN_READ_KEY": self.shop.read_key,
            "TOOKEN_LEASE_KEY": self.shop.lease_key,
            "SECRETS_READ_TOKEN": READER,
            "SECRETS_WRITE_TOKEN": TOKEN,
            **self.shop.kept(),
        }
        artifacts = self.shop.folder / "artifacts"
        artifacts.mkdir(exist_ok=True)
        mounts = {"/artifacts": artifacts, **self.mounts}
        return [
            *(word for name, value in env.items() for word in ("--env", f"{name}={value}")),
            *(word for name, value in secrets.items() for word in ("--secret", f"{name}={value}")),
            "--container-options",
            " ".join(f"--volume={path}:{place}" for place, path in mounts.items()),
        ]

    def _git(self, *arguments: str) -> str:
        command = ["git", *arguments]
        ended = subprocess.run(command, cwd=self.shop.repository, check=True, capture_output=True, text=True)
        return ended.stdout.strip()

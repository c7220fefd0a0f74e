"""GitHub's contract: its own OpenAPI document, and Prism, a proxy that holds both sides of a conversation to it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from tests.support.needs import cannot
from tests.support.openapi import cut

if TYPE_CHECKING:
    from tests.support.github import FakeGitHub

MODULES = Path(__file__).resolve().parents[2] / "build" / "npm" / "node_modules"
DOCUMENT = MODULES / "@octokit" / "openapi" / "generated" / "api.github.com.json"
PRISM = MODULES / "@stoplight" / "prism-cli" / "dist" / "index.js"

_USED = re.compile(
    r"/(repos|orgs)/.*/(secrets|variables)(/.*)?|/repos/\{owner\}/\{repo\}"
    r"|/repos/\{owner\}/\{repo\}/issues/(\{issue_number\}/comments|comments/\{comment_id\})"
)
_LISTENING = re.compile(r"Prism is listening on (http://\S+)")


class Prism:
    """The proxy, from construction until ``stop``; whatever breaks the contract is answered with an error.

    Attributes:
        url: its address.
    """

    def __init__(self, upstream: FakeGitHub, folder: Path) -> None:
        node = shutil.which("node")
        if node is None or not DOCUMENT.exists() or not PRISM.exists():
            cannot("GitHub's contract is not there: 'make npm' installs it, which needs Node.js and npm")
        contract = folder / "github.json"
        cut(DOCUMENT, contract, lambda path: _USED.fullmatch(path) is not None)
        upstream.examples = _examples(contract)
        self._log = folder / "prism.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [node, PRISM, "proxy", contract, upstream.url, "--errors", "--host", "127.0.0.1", "--port", "0"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self.url = self._address()

    def _address(self) -> str:
        """Waits for the line that tells where it listens; the time-out of the test ends a wait in vain."""
        while self._process.poll() is None:
            found = _LISTENING.search(
                self._log.read_text(encoding="utf-8", errors="replace")
            )  # it may be in the midst of a line
            if found is not None:
                return found[1]
        raise RuntimeError(f"Prism did not start: {self._log.read_text(errors='replace')}")

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _examples(contract: Path) -> dict[str, dict[str, Any]]:
    """Whole bodies of what the fake knows only a part of."""
    document = json.loads(contract.read_text(encoding="utf-8"))
    found: dict[str, dict[str, Any]] = {}
    get = document["paths"]["/repos/{owner}/{repo}"]["get"]["responses"]["200"]
    whole = _first(document, get)  # which does not keep to its own schema in these
    found["full-repository"] = {key: value for key, value in whole.items() if key not in {"parent", "source"}}
    found["full-repository"]["language"] = None
    several = document["paths"]["/orgs/{org}/actions/secrets/{secret_name}/repositories"]["get"]["responses"]["200"]
    found["minimal-repository"] = _first(document, several)["repositories"][0]
    made = document["paths"]["/repos/{owner}/{repo}/issues/{issue_number}/comments"]["post"]["responses"]["201"]
    found["issue-comment"] = _first(document, made)
    return found


def _first(document: Any, response: Any) -> Any:
    """The first example of an answer."""
    (example, *_) = response["content"]["application/json"]["examples"].values()
    if "$ref" in example:
        example = document["components"]["examples"][example["$ref"].rpartition("/")[2]]
    return example["value"]

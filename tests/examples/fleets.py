"""Twenty workspaces in a repository, with a sandbox for each."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING

from tests.support.repository import Repository
from tests.support.sandbox import RunningSandbox

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

NUMBER = 20
SECRET = re.compile(r"tok_[\w-]{32,}")

_SPEC = """\
version: 1
workspace: {name}
tokens:
  ci-{name}:
    scopes: [tokens:read]
    expires_in: 90d
    deliver:
      - file: {{path: "{out}/{name}", persistent: true}}
"""


@contextlib.contextmanager
def running(number: int) -> Iterator[list[RunningSandbox]]:
    """Gives so many workspaces."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(RunningSandbox()) for _ in range(number)]


class Fleet:
    """A repository whose folder 'workspaces' has a spec for each of some sandboxes.

    Attributes:
        repository: the repository.
        sandboxes: the workspaces, by their names.
        out: where the secrets are delivered to.
    """

    def __init__(self, folder: Path, sandboxes: Sequence[RunningSandbox]) -> None:
        """Makes it; every other workspace is a file, the rest are folders."""
        self.out = folder.parent / "delivered"
        self.sandboxes = {f"team-{number:02}": sandbox for number, sandbox in enumerate(sandboxes)}
        for number, name in enumerate(self.sandboxes):
            path = folder / "workspaces" / (f"{name}.yml" if number % 2 else f"group-{number}/{name}/tooken.yml")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(_SPEC.format(name=name, out=self.out), encoding="utf-8")
        self.repository = Repository(folder)

    def served(self) -> list[str]:
        """The workspaces that have what their spec says, delivered and alive, and nothing besides."""
        found = []
        for name, sandbox in self.sandboxes.items():
            tokens = [token["name"] for token in sandbox.active_tokens() if not token["name"].startswith("reader-")]
            if tokens:
                assert tokens == [f"ci-{name}"]
                assert sandbox.authenticates((self.out / name).read_text(encoding="utf-8"))
                found.append(name)
        return found

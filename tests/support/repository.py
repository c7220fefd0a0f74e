"""A real git repository, apart from whatever settings the machine has."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_IDENTITY = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "test"), ("EMAIL", "test@example.com"))
}


class Repository:
    """A repository in a folder, with ``main`` checked out.

    Attributes:
        folder: its working tree.
    """

    def __init__(self, folder: Path) -> None:
        """Makes it, with one commit that holds what is in the folder."""
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.git("init", "-q", "-b", "main")
        self.first = self.commit()

    def git(self, *arguments: str) -> str:
        """Runs git there, and gives what it prints."""
        settings = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
        ended = subprocess.run(
            ["git", *arguments],
            cwd=self.folder,
            env={"PATH": os.environ["PATH"], **settings, **_IDENTITY},
            stdout=subprocess.PIPE,
            check=True,
            text=True,
        )
        return ended.stdout.strip()

    def write(self, name: str, text: str) -> None:
        """Writes a file, and makes the folders on the way."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def commit(self) -> str:
        """Commits all that there is, and gives the commit."""
        self.git("add", "--all")
        self.git("commit", "-q", "--allow-empty", "-m", "change")
        return self.git("rev-parse", "HEAD")

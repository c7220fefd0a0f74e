"""How the repository names a file, which is how GitHub and GitLab find its lines."""

from __future__ import annotations

import os
from pathlib import Path


def path_in(root: Path, file: str) -> str | None:
    """The path of a file from the top of the repository; None where it is not in it.

    Args:
        root: the folder that the repository was checked out to.
        file: as it was given, from the working directory.
    """
    top = os.path.realpath(root)
    path = Path(os.path.normpath(Path(os.path.realpath(Path.cwd())) / file))
    return path.relative_to(top).as_posix() if path.is_relative_to(top) else None

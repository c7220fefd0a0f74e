"""The label of a workspace as far as it can be read from a spec that is not valid."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from tooken_ci.spec.model import DEFAULT_WORKSPACE

if TYPE_CHECKING:
    from collections.abc import Sequence

_LARGEST = 1_048_576
_LINE = re.compile(r"""^workspace:[ \t]+(["']?)([^\n"'#]*?)\1[ \t]*(?:#.*)?$""", re.MULTILINE)


def label_of(specs: Sequence[str]) -> str | None:
    """The label that the files name on a line of its own, or the default one; None where no file can be read.

    Args:
        specs: the paths of the spec, as they were given.
    """
    found = [text for path in specs for text in _texts(Path(path))]
    labels = (match[2] for text in found if (match := _LINE.search(text)))
    return next(labels, DEFAULT_WORKSPACE) if found else None


def _texts(path: Path) -> list[str]:
    try:
        files = sorted(one for one in path.iterdir() if one.suffix in {".yml", ".yaml"}) if path.is_dir() else [path]
        return [file.read_bytes()[:_LARGEST].decode(errors="replace") for file in files if file.is_file()]
    except OSError:
        return []

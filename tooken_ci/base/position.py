"""Where in the team's YAML a value stands."""

from __future__ import annotations

import dataclasses

from tooken_ci.base.text import safe


@dataclasses.dataclass(frozen=True, order=True)
class Position:
    """A place in a file.

    Attributes:
        file: the file as the user named it.
        line: from 1.
        column: from 1.
    """

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{safe(self.file)}:{self.line}:{self.column}"

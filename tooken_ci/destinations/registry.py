"""Which kinds of destination there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tooken_ci.destinations.exec import ExecKind
from tooken_ci.destinations.file import FileKind
from tooken_ci.destinations.job import JobKind

if TYPE_CHECKING:
    from tooken_ci.destinations.interface import Destination, Kind, Surroundings
    from tooken_ci.spec.model import Target


class Registry:
    """The kinds of destination, by name."""

    def __init__(self, surroundings: Surroundings) -> None:
        self.kinds: tuple[Kind, ...] = (FileKind(surroundings), ExecKind(), JobKind(surroundings))
        self._by_name = {kind.name: kind for kind in self.kinds}

    def open(self, target: Target) -> Destination:
        """The destination behind a target of a spec that was loaded with these kinds."""
        return self._by_name[target.kind].open(target)

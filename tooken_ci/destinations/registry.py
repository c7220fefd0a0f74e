"""Which kinds of destination there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tooken_ci.destinations.exec import ExecKind
from tooken_ci.destinations.file import FileKind
from tooken_ci.destinations.github_secret import GithubSecretKind
from tooken_ci.destinations.interface import demand
from tooken_ci.destinations.job import JobKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tooken_ci.base.record import Look
    from tooken_ci.destinations.interface import Destination, Kind, Surroundings
    from tooken_ci.spec.model import Target


class Registry:
    """The kinds of destination, by name."""

    def __init__(self, surroundings: Surroundings) -> None:
        self.kinds: tuple[Kind, ...] = (
            FileKind(surroundings),
            ExecKind(),
            JobKind(surroundings),
            GithubSecretKind(surroundings),
        )
        self._by_name = {kind.name: kind for kind in self.kinds}

    def demand(self, targets: Iterable[Target]) -> None:
        """See that what the kinds of some targets need is installed.

        Raises:
            UsageError: it is not; says which extra brings it.
        """
        for name in dict.fromkeys(target.kind for target in targets):
            demand(self._by_name[name])

    def open(self, target: Target) -> Destination:
        """The destination behind a target of a spec that was loaded with these kinds."""
        return self._by_name[target.kind].open(target)

    def look(self, targets: Sequence[Target]) -> Sequence[Look]:
        """What stands at each of some targets of one kind and one group, now."""
        return self._by_name[targets[0].kind].look(targets)

"""Which kinds of destination there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tooken_ci.destinations.aws_secret import AwsSecretKind
from tooken_ci.destinations.exec import ExecKind
from tooken_ci.destinations.file import FileKind
from tooken_ci.destinations.github_secret import GitHubSecretKind
from tooken_ci.destinations.gitlab_variable import GitLabVariableKind
from tooken_ci.destinations.interface import demand
from tooken_ci.destinations.job import JobKind
from tooken_ci.destinations.vault import VaultKind

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from tooken_ci.base.record import Look
    from tooken_ci.destinations.interface import Destination, Kind, Surroundings
    from tooken_ci.destinations.plugins import Plugins
    from tooken_ci.spec.kinds import DestinationKind
    from tooken_ci.spec.model import Target


class Registry:
    """The kinds of destination, by name: tooken-ci's own, and those of other packages that a spec has named.

    Attributes:
        kinds: tooken-ci's own.
    """

    def __init__(self, surroundings: Surroundings) -> None:
        self.kinds: tuple[Kind, ...] = (
            FileKind(surroundings),
            ExecKind(),
            JobKind(surroundings),
            GitHubSecretKind(surroundings),
            GitLabVariableKind(surroundings),
            VaultKind(surroundings),
            AwsSecretKind(surroundings),
        )
        self._surroundings = surroundings
        self._by_name: dict[str, Kind] = {kind.name: kind for kind in self.kinds}
        self._plugins: Plugins | None = None

    def others(self, names: Collection[str]) -> Sequence[DestinationKind]:
        """The kinds that other packages bring; only those of some names are imported, of the rest no more is known.

        Raises:
            UsageError: one that is named cannot be used, or one would replace one of tooken-ci's own.
        """
        from tooken_ci.destinations.plugins import NamedKind

        found = self._found()
        for name in found.points.keys() & names:
            if name not in self._by_name:
                self._by_name[name] = found.load(name)
        return [self._by_name.get(name) or NamedKind(name=name) for name in sorted(found.points)]

    def every(self) -> Sequence[DestinationKind]:
        """All kinds that there are, imported.

        Raises:
            UsageError: one of another package cannot be used.
        """
        return [*self.kinds, *self.others(self._found().points)]

    def _found(self) -> Plugins:
        # Only here, because to search the installed packages takes longer than to read a small spec.
        from tooken_ci.destinations.plugins import installed

        if self._plugins is None:
            self._plugins = installed(self._surroundings, {kind.name for kind in self.kinds})
        return self._plugins

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

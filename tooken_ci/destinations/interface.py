"""The one small interface behind which every kind of destination stands."""

from __future__ import annotations

import dataclasses
import importlib.util
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, runtime_checkable

from tooken_ci.base.errors import UsageError
from tooken_ci.base.text import quoted
from tooken_ci.spec.kinds import DestinationKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tooken_ci.base.record import DeliveryRecord, Held, Look
    from tooken_ci.base.secret import Secret
    from tooken_ci.spec.model import Target

T = TypeVar("T")

TAKEOVER: Mapping[str, Any] = {
    "type": "boolean",
    "description": "Replace what stands there even if its record names another entry's token.",
}
"""The one setting that every kind with a record has, as schemas say it."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Surroundings:
    """Where the program runs, as far as a destination needs to know.

    Attributes:
        in_ci: on a CI runner, which may be gone after the job.
        confined_to: the only folder whose files outlive the run; None = no such limit.
        env_file: where a variable for the job's later steps is written; None = there is no such file.
        output_file: where an output of the step is written; None = there is no such file.
        read: the run's own files and folders, the spec, the key's and a saved plan; nothing is delivered over them.
        environment: the variables that tell where stores are, and the credentials for them.
    """

    in_ci: bool = False
    confined_to: Path | None = None
    env_file: Path | None = None
    output_file: Path | None = None
    read: frozenset[Path] = frozenset()
    environment: Mapping[str, str] = dataclasses.field(default_factory=dict, repr=False)


class Destination(Protocol):
    """A place a secret is delivered to. Every method may raise ``DestinationError`` but ``look``."""

    def look(self) -> Look:
        """What stands there now; an error becomes ``unknown`` with its reason."""
        ...

    def check(self) -> None:
        """Whether it can be written: reachable, its record readable, its own rules kept. Changes nothing."""
        ...

    def write_record(self, record: DeliveryRecord) -> None:
        """Put a record there, or add a mark to it; the secret stays untouched."""
        ...

    def write(self, secret: Secret) -> None:
        """Put the secret there; the record stays untouched."""
        ...

    def holds(self, secret: Secret) -> bool | None:
        """Whether what is read back equals the secret; None where the store cannot be read."""
        ...

    def fetch(self, held: Held) -> Secret | None:
        """The secret that the record names, if the value there matches its fingerprint; else None."""
        ...


@dataclasses.dataclass(frozen=True, kw_only=True)
class Extra:
    """What a kind needs that does not come with tooken-ci itself.

    Attributes:
        name: of the extra that brings it, as in ``tooken-ci[NAME]``.
        module: the top-level module that it brings.
    """

    name: str
    module: str


@runtime_checkable
class ToldOfLeases(Protocol):
    """A destination that wants to know whose a lease is; of what lasts the marks tell."""

    def tell(self, *, workspace: str, entry: str, token: str, token_id: str) -> None:
        """Hear of the lease whose secret is written next."""
        ...


class Kind(DestinationKind, Protocol):
    """A kind of destination: how its settings are read, how one is opened, and how many are looked at together."""

    @property
    def extra(self) -> Extra | None:
        """What it needs beside tooken-ci itself; None = nothing."""
        ...

    def open(self, target: Target) -> Destination:
        """The destination behind a target that this kind parsed; asks nobody yet."""
        ...

    def look(self, targets: Sequence[Target]) -> Sequence[Look]:
        """What stands at each of some targets of one group, afresh, with as few requests as there can be."""
        ...


def one_by_one(kind: Kind, targets: Sequence[Target]) -> Sequence[Look]:
    """What stands at each of some targets, for a kind for which a look at many costs as much as a look at each."""
    return [kind.open(target).look() for target in targets]


def settings_of(target: Target, made: type[T]) -> T:
    """What a kind made of a target's settings, which is always of one class."""
    if not isinstance(target.settings, made):
        raise TypeError("a target of another kind")
    return target.settings


def demand(kind: Kind) -> None:
    """See that what a kind needs is installed.

    Raises:
        UsageError: it is not; says which extra brings it.
    """
    if kind.extra is not None and importlib.util.find_spec(kind.extra.module) is None:
        raise UsageError(
            f"The destination {quoted(kind.name)} needs the Python package {quoted(kind.extra.module)}, which is not "
            "installed.",
            hint=f"Install it with tooken-ci: pip install 'tooken-ci[{kind.extra.name}]'.",
        )

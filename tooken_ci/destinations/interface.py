"""The one small interface behind which every kind of destination stands."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from tooken_ci.spec.kinds import DestinationKind

if TYPE_CHECKING:
    from pathlib import Path

    from tooken_ci.base.record import DeliveryRecord, Held, Look
    from tooken_ci.base.secret import Secret
    from tooken_ci.spec.model import Target


@dataclasses.dataclass(frozen=True, kw_only=True)
class Surroundings:
    """Where the program runs, as far as a destination needs to know.

    Attributes:
        in_ci: on a CI runner, which may be gone after the job.
        confined_to: the only folder whose files outlive the run; None = no such limit.
        env_file: where a variable for the job's later steps is written; None = there is no such file.
        output_file: where an output of the step is written; None = there is no such file.
        read: the run's own files and folders, the spec, the key's and a saved plan; nothing is delivered over them.
    """

    in_ci: bool = False
    confined_to: Path | None = None
    env_file: Path | None = None
    output_file: Path | None = None
    read: frozenset[Path] = frozenset()


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


@runtime_checkable
class ToldOfLeases(Protocol):
    """A destination that wants to know whose a lease is; of what lasts the marks tell."""

    def tell(self, *, workspace: str, entry: str, token: str, token_id: str) -> None:
        """Hear of the lease whose secret is written next."""
        ...


class Kind(DestinationKind, Protocol):
    """A kind of destination: how its settings are read, and how one is opened."""

    def open(self, target: Target) -> Destination:
        """The destination behind a target that this kind parsed."""
        ...

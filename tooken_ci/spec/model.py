"""The spec as the rest of the program sees it: frozen, checked, with the place of everything in the team's YAML."""

from __future__ import annotations

import dataclasses
import math
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from fractions import Fraction

    from tooken_ci.base.errors import Fault
    from tooken_ci.base.position import Position

_NO_TIME = timedelta(0)

DEFAULT_WORKSPACE = "default"
"""The label of a workspace whose spec gives none."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Target:
    """A destination as the spec names it; nothing has been opened yet.

    Attributes:
        kind: the key under ``deliver``, such as ``file``.
        place: how it is shown to people, such as ``file out/ci-deploy``; unique in a spec.
        claims: canonical names of everything that it writes; two targets of a spec may share none.
        shares: canonical names of what it writes a part of, each with its form: no other target may claim one, and all
            who share one must agree on the form.
        settings: what its kind made of the settings; only that kind reads it.
        takeover: a record of somebody else's token may be replaced.
        warnings: what the kind wants the user to know before anything is done.
        keeps_record: a delivery record can stand there.
        local: later steps of the same CI job can read it, so the runner is told to mask what is delivered there.
        of_a_job: it lasts as long as one CI job; for ephemeral entries alone.
        read_ahead: how long before it uses the secret a consumer may have taken it from there.
        group: what it shares with the other places of its kind that one look serves, such as a repository; empty = it
            is looked at by itself.
        takes_leases: an ephemeral entry may deliver there.
        lacks: a setting without which it takes nothing but leases; empty where none is missing.
        credentials: the variables from which its kind may take what it authenticates with; what they hold is given to
            no program of the user's.
        ephemeral: it is an ephemeral entry's, so what is delivered there is a lease, of which no record is kept.
        position: where it stands in the YAML.
    """

    kind: str
    place: str
    claims: frozenset[str]
    settings: object
    takeover: bool
    shares: frozenset[tuple[str, str]] = frozenset()
    warnings: tuple[str, ...] = ()
    keeps_record: bool = True
    local: bool = False
    of_a_job: bool = False
    read_ahead: timedelta = _NO_TIME
    group: str = ""
    takes_leases: bool = False
    lacks: str = ""
    credentials: frozenset[str] = frozenset()
    ephemeral: bool = False
    position: Position


@dataclasses.dataclass(frozen=True, kw_only=True)
class Named:
    """A name or pattern that stands in a list of the spec, and where."""

    text: str
    position: Position


@dataclasses.dataclass(frozen=True, kw_only=True)
class Entry:
    """One token declared in the spec, under its name, with the defaults of its file filled in.

    Attributes:
        name: the name of the first generation.
        scopes: at least one.
        expires_in: the life of each generation; None where ``expires_at`` stands or the token never expires.
        expires_at: an absolute end of life, UTC; such an entry is never renewed.
        renew_before: how long before its end a generation is due, already raised to what ``runs_every`` asks for;
            None where there is no ``expires_in``.
        runs_every: how often apply runs.
        overlap: how long an older generation lives on after the next one was made.
        rotate_every: how old a generation gets before the next one takes its place; None = as old as its life allows.
        in_place: where a rotation alone is due, the same token gets a new secret, and no next generation is made.
        ephemeral: each of its tokens is a lease, made for one job.
        previously: names that it had before, of which it takes over the generations.
        deliver: where the secret goes; empty for an entry that is only watched.
        protected: ``absent``, ``prune`` and a change of scopes are refused.
        description: free text of the team's.
        owner: free text of the team's.
        position: where the entry's name stands.
        keys: where each key that the entry itself gives stands.
    """

    name: str
    scopes: frozenset[str]
    expires_in: timedelta | None
    expires_at: datetime | None
    renew_before: timedelta | None
    runs_every: timedelta
    overlap: timedelta
    deliver: tuple[Target, ...]
    protected: bool
    description: str
    owner: str
    position: Position
    keys: Mapping[str, Position]
    rotate_every: timedelta | None = None
    in_place: bool = False
    ephemeral: bool = False
    previously: tuple[Named, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """All names that its generations may bear: its own first, then the previous ones."""
        return (self.name, *[named.text for named in self.previously]) if self.previously else (self.name,)

    @property
    def watched(self) -> bool:
        """It has no destination: it is reported on, never changed."""
        return not self.deliver

    def where(self, key: str) -> Position:
        """The place of one of its keys; of the entry itself where the key comes from the defaults."""
        return self.keys.get(key, self.position)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Bound:
    """A safety bound: a number, or a share of something counted at plan time.

    Attributes:
        number: a count; None where a share is given.
        share: between 0 and 1; None where a number is given.
    """

    number: int | None = None
    share: Fraction | None = None

    def of(self, total: int) -> int:
        """How many of ``total`` the bound allows, rounded down."""
        if self.share is not None:
            return math.floor(self.share * total)
        return self.number or 0

    def __str__(self) -> str:
        return f"{float(self.share * 100):g}%" if self.share is not None else str(self.number)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Policy:
    """What the team allows itself.

    Attributes:
        require_expiry: every entry must end.
        max_lifetime: the longest ``expires_in``; None = no such rule.
        forbidden_scopes: scopes that no entry may ask for.
        name_pattern: a regular expression that every name must match as a whole; None = no such rule.
        max_revocations: bound on revocations by ``absent`` and ``prune``; None = the default.
        max_changes: bound on replaces that the spec or drift causes; None = the default.
    """

    require_expiry: bool = False
    max_lifetime: timedelta | None = None
    forbidden_scopes: frozenset[str] = frozenset()
    name_pattern: str | None = None
    max_revocations: Bound | None = None
    max_changes: Bound | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Spec:
    """The YAML the team writes, one file or several, merged and checked.

    Attributes:
        workspace: a label; it stands in every report and every delivery record.
        entries: sorted by name.
        leases: the ephemeral entries, sorted by name; plan and apply pass them over.
        policy: what the team allows itself.
        absent: names of which every active generation is revoked.
        prune: shell patterns; names that they match and that no entry declares are revoked.
        own: the entry whose token runs tooken-ci, last in every order; empty = not told.
        warnings: what is valid but worth a look, in the order of the files.
        files: the files that were read, as the user named them.
        digest: of what the files say, in SHA-256: neither layout, comments and paths nor the order of files and keys
            count.
    """

    workspace: str
    entries: tuple[Entry, ...]
    policy: Policy
    absent: tuple[Named, ...]
    prune: tuple[Named, ...]
    warnings: tuple[Fault, ...]
    files: tuple[str, ...]
    digest: str = ""
    leases: tuple[Entry, ...] = ()
    own: str = ""


def nothing() -> Spec:
    """A spec that declares nothing, for commands that can do without one."""
    return Spec(workspace=DEFAULT_WORKSPACE, entries=(), policy=Policy(), absent=(), prune=(), warnings=(), files=())

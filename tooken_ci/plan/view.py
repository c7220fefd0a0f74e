"""One entry with everything that the rules of the lifecycle look at."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from typing import TYPE_CHECKING

from tooken_ci.base import naming
from tooken_ci.base.record import State
from tooken_ci.plan.model import Generation
from tooken_ci.plan.terms import USUAL, Terms

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping, Sequence

    from tooken_ci.base.record import Look
    from tooken_ci.spec.model import Entry, Target
    from tooken_ci.tooken.model import Token


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class EntryView:
    """An entry, its living tokens, and what its destinations said.

    Attributes:
        entry: as the spec declares it.
        workspace: the label that its records must bear.
        generations: its active generations, oldest first.
        looks: what a look at each of its destinations found, in the order of ``entry.deliver``.
        facts: for each id that a record names and that is not active: the token, or None where the workspace does not
            know the id.
        now: the server's time.
        run: the id of the run that asks; its own marks do not make an entry busy.
        terms: on which the rules are applied.
    """

    entry: Entry
    workspace: str
    generations: tuple[Generation, ...]
    looks: tuple[Look, ...]
    facts: Mapping[str, Token | None]
    now: dt.datetime
    run: str
    terms: Terms = USUAL

    @property
    def current(self) -> Generation | None:
        """The active generation with the highest number."""
        return self.generations[-1] if self.generations else None

    @property
    def places(self) -> Iterable[tuple[Target, Look]]:
        """Each destination with what a look at it found."""
        return zip(self.entry.deliver, self.looks, strict=True)

    def holds_current(self, look: Look) -> bool:
        """Whether the current generation's secret stands there for certain."""
        current, held = self.current, look.held
        return current is not None and held is not None and held.id == current.token.id

    def lacking(self) -> tuple[tuple[Target, Look], ...]:
        """The destinations that for certain do not hold the current generation; an unknown one is none of them."""
        return tuple(
            place for place in self.places if place[1].state is not State.UNKNOWN and not self.holds_current(place[1])
        )

    @property
    def delivered(self) -> bool:
        """Every destination holds the current generation."""
        return bool(self.looks) and all(self.holds_current(look) for look in self.looks)

    @property
    def next_number(self) -> int:
        """One above every generation that is alive or that a record of the entry's names, previous names included."""
        known = [generation.number for generation in self.generations]
        for look in self.looks:
            if look.recorded is not None:
                name, number = naming.split(look.recorded.name)
                known += [number] if name in self.entry.names else []
        return max(known, default=0) + 1


def grouped(tokens: Iterable[Token]) -> dict[str, list[Generation]]:
    """Active tokens as generations of the names that they bear or number, oldest first."""
    generations: defaultdict[str, list[Generation]] = defaultdict(list)
    for token in tokens:
        name, number = naming.split(token.name)
        generations[name].append(Generation(number=number, token=token))
    for found in generations.values():
        if len(found) > 1:
            found.sort(key=lambda generation: generation.number)
    return generations


def family(entry: Entry, generations: Mapping[str, Sequence[Generation]]) -> tuple[Generation, ...]:
    """The generations of one entry under all of its names, oldest first; its own name counts as newer than any other.

    Args:
        entry: the entry.
        generations: those of every name, as ``grouped`` gives them.
    """
    own = generations.get(entry.name, ())
    if not entry.previously:
        return tuple(own)
    older = (generation for name in entry.names[1:] for generation in generations.get(name, ()))
    return (*sorted(older, key=lambda one: (one.number, one.token.created_at, one.token.id)), *own)


def generations_of(entry: Entry, tokens: Iterable[Token]) -> tuple[Generation, ...]:
    """The active generations of one entry, oldest first.

    Args:
        entry: the entry.
        tokens: active tokens; the same one may come several times, as look-ups that overlap give it.
    """
    return family(entry, grouped({token.id: token for token in tokens}.values()))


def recorded_ids(looks: Iterable[Look], active: Sequence[Token] | frozenset[str]) -> tuple[str, ...]:
    """The ids that delivery records name and that are not among the active ones, each once, sorted."""
    living = active if isinstance(active, frozenset) else frozenset(token.id for token in active)
    return tuple(sorted({look.recorded.id for look in looks if look.recorded is not None} - living))

"""One entry with everything that the rules of the lifecycle look at."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections import defaultdict
from typing import TYPE_CHECKING

from tooken_ci.base import naming
from tooken_ci.base.record import MarkKind, State
from tooken_ci.plan.model import Generation
from tooken_ci.plan.terms import USUAL, Terms
from tooken_ci.plan.unrecorded import EARLY, all_judged

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tooken_ci.base.record import Look
    from tooken_ci.spec.model import Entry, Target
    from tooken_ci.tooken.model import Token


_NEVER = dt.datetime.min.replace(tzinfo=dt.UTC)

_APART = dt.timedelta(seconds=5)
"""What a record and the audit log may tell differently of one rotation: both are rounded."""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class EntryView:
    """An entry, its living tokens, and what its destinations said.

    Attributes:
        entry: as the spec declares it.
        workspace: the label that its records must bear.
        generations: its active generations, oldest first.
        looks: what a look at each of its destinations found, in the order of ``entry.deliver``; those at stores without
            a record are judged by the generations as the view is made.
        facts: for each id that a record names and that is not active: the token, or None where the workspace does not
            know the id.
        now: the server's time; overlap, use, busy and deadlines are judged by it.
        planned_at: the time that rules 1 to 3 judge by, that of a saved plan; None = ``now``.
        run: the id of the run that asks; its own marks do not make an entry busy.
        terms: on which the rules are applied.
        rotated: when the audit log says that the current generation's secret was made anew, UTC; None = never, or not
            told.
        audited: the audit log was read.
        forced: the entry is to be rotated now, whatever its age.
    """

    entry: Entry
    workspace: str
    generations: tuple[Generation, ...]
    looks: tuple[Look, ...]
    facts: Mapping[str, Token | None]
    now: dt.datetime
    run: str
    terms: Terms = USUAL
    planned_at: dt.datetime | None = None
    rotated: dt.datetime | None = None
    audited: bool = False
    forced: bool = False

    def __post_init__(self) -> None:
        if any(look.written_at is not None for look in self.looks):  # nowhere else, so that no look is left out
            object.__setattr__(self, "looks", all_judged(self.looks, self.generations, self.workspace))

    @property
    def due_at(self) -> dt.datetime:
        """The time by which it is judged what is due."""
        return self.now if self.planned_at is None else self.planned_at

    @property
    def current(self) -> Generation | None:
        """The active generation with the highest number."""
        return self.generations[-1] if self.generations else None

    @property
    def places(self) -> Iterable[tuple[Target, Look]]:
        """Each destination with what a look at it found."""
        return zip(self.entry.deliver, self.looks, strict=True)

    def holds_current(self, look: Look) -> bool:
        """Whether the current generation's secret stands there for certain, the one that it has now."""
        current, held = self.current, look.held
        return current is not None and held is not None and held.id == current.token.id and not self.rotated_away(look)

    def rotated_away(self, look: Look) -> bool:
        """Whether the current generation's secret stands there, but may be one that a rotation has killed."""
        current, held = self.current, look.held
        if current is None or held is None or held.id != current.token.id:
            return False
        if any(mark.kind is MarkKind.ROTATE for mark in look.marks):
            return True
        if look.written_at is not None:  # its record is made up: it tells when the token was made, not its secret
            newest = self._newest_secret()
            return newest > current.token.created_at + _APART and look.written_at < newest - EARLY
        if (
            self.rotated is None and len(self.looks) == 1
        ):  # nobody else tells of this token: there are many such entries
            return False
        return held.at < self._newest_secret() - _APART

    def secret_made(self) -> dt.datetime | None:
        """When the secret of the current generation was made, as the records and the audit log tell."""
        return None if self.current is None else max(self.current.token.created_at, self._newest_secret())

    def _newest_secret(self) -> dt.datetime:
        """When the newest secret of the current generation was made that anybody tells of."""
        current = self.current
        recorded = [look.recorded for look in self.looks if look.recorded is not None and look.written_at is None]
        told = [held.at for held in recorded if current is not None and held.id == current.token.id]
        if self.rotated is not None:
            told.append(self.rotated)
        return max(told, default=_NEVER)

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


def with_rotation(view: EntryView, rotations: Mapping[str, dt.datetime] | None) -> EntryView:
    """The same entry with what the audit log tells of its current generation.

    Args:
        view: the entry.
        rotations: when a token's secret was last made anew, by id; None = the log was not read.
    """
    if rotations is None or not view.entry.in_place or view.current is None:
        return view
    return dataclasses.replace(view, rotated=rotations.get(view.current.token.id), audited=True)


class Generations:
    """Active tokens as generations of the names that they bear or number.

    Most names have one token, and the number 1: of those nothing is kept but the token itself. A hundred thousand
    objects more would have Python's collector go through all there are.
    """

    def __init__(self, tokens: Iterable[Token]) -> None:
        self._plain: dict[str, Token] = {}
        self._others: defaultdict[str, list[Generation]] = defaultdict(list)
        for token in tokens:
            name, number = naming.split(token.name)
            if number == 1 and name not in self._plain:
                self._plain[name] = token
            else:
                self._others[name].append(Generation(number=number, token=token))

    def of(self, name: str) -> tuple[Generation, ...]:
        """Those of one name, oldest first."""
        plain = self._plain.get(name)
        first = () if plain is None else (Generation(number=1, token=plain),)
        others = self._others.get(name)
        return (*first, *sorted(others, key=lambda generation: generation.number)) if others else first

    def lone(self, entry: Entry) -> Token | None:
        """The one token of an entry that has no other, and never had another name; None where that is not so."""
        return None if entry.previously or entry.name in self._others else self._plain.get(entry.name)


def grouped(tokens: Iterable[Token]) -> Generations:
    """Active tokens as generations of the names that they bear or number."""
    return Generations(tokens)


def family(entry: Entry, generations: Generations) -> tuple[Generation, ...]:
    """The generations of one entry under all of its names, oldest first; its own name counts as newer than any other.

    Args:
        entry: the entry.
        generations: those of every name.
    """
    own = generations.of(entry.name)
    if not entry.previously:
        return own
    older = (generation for name in entry.names[1:] for generation in generations.of(name))
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

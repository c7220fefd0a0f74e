"""The destinations of one entry while its secret is delivered: mark, write, read back, record, in this order."""

from __future__ import annotations

import contextlib
import math
from functools import partial
from typing import TYPE_CHECKING

from tooken_ci.base.errors import DestinationError
from tooken_ci.base.record import DeliveryRecord, Held, Look, Mark, MarkKind, State
from tooken_ci.base.text import quoted
from tooken_ci.destinations.timing import LONGEST_WRITE

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable

    from tooken_ci.apply.context import Context
    from tooken_ci.base.secret import Secret
    from tooken_ci.destinations.interface import Destination
    from tooken_ci.spec.model import Target

LONGEST_DELIVERY = 120.0
"""Seconds from the first mark to the last write of an entry; later, another run may take the marks for abandoned."""


class Places:
    """The destinations that one action writes to.

    Attributes:
        failures: why a destination was not served, by place, in the order in which they failed.
        touched: a secret may have been written somewhere.
    """

    def __init__(self, context: Context, targets: Iterable[Target]) -> None:
        self._context = context
        chosen = tuple(targets)
        self._open: dict[str, Destination] = {target.place: context.open(target) for target in chosen}
        self._bare = frozenset(target.place for target in chosen if not target.keeps_record)
        self._local = {target.place for target in chosen if target.local}
        self._masked = False
        self._marked: dict[str, None] = {}  # a set that keeps its order
        self._first_mark = -math.inf
        self._refused: list[str] = []  # that surely took nothing, although they were marked
        self._unread: set[str] = set()
        self.failures: dict[str, DestinationError] = {}
        self.touched = False

    @property
    def age(self) -> float:
        """Seconds since the first of the marks that stand was made; all are made anew together."""
        return self._context.clock.monotonic() - self._first_mark

    @property
    def unread(self) -> tuple[str, ...]:
        """The places that were served, but cannot be read back."""
        return tuple(place for place in self._open if place in self._unread and place not in self.failures)

    def late(self) -> bool:
        """Whether another run may have taken this one for dead meanwhile."""
        return self.age > LONGEST_DELIVERY

    def check(self) -> None:
        """Ask each destination whether it can be written; the ones that cannot become failures. Changes nothing."""
        for place, destination in self._open.items():
            self._attempt(place, destination.check)

    def mark(self, kind: MarkKind, name: str, now: dt.datetime) -> Mark | None:
        """Announce at each destination what is about to be written there. A mark replaces this run's earlier one.

        Returns:
            Another run's young mark, where one stands; then nothing further was marked.
        """
        self._first_mark = self._context.clock.monotonic()
        for place, destination in self._open.items():
            if place in self.failures:
                continue
            if place in self._bare:  # the age of the newest generation is what guards it instead
                self._marked[place] = None
                continue
            look = destination.look()
            foreign = self._young_foreign(look, now)
            if foreign:
                return foreign[0]
            if look.state is State.UNKNOWN:
                self.failures[place] = DestinationError(f"{look.reason}.")
                continue
            record = (look.record or DeliveryRecord(workspace=self._context.spec.workspace)).without_marks_of(
                self._context.run
            )
            mark = Mark(kind=kind, name=name, run=self._context.run, at=now)
            if self._attempt(place, partial(destination.write_record, record.marked(mark))):
                self._marked[place] = None
        return None

    def withdraw(self) -> None:
        """Take this run's marks back, where nothing was written; what cannot be taken back ages by itself."""
        for place in self._noted:
            self._attempt(place, partial(self._unmark, self._open[place]))

    def withdraw_refused(self) -> None:
        """Take the marks back where surely nothing was written, although it was elsewhere: nobody need wonder later."""
        for place in self._refused:
            if place not in self._bare:
                with contextlib.suppress(DestinationError):  # why it was not served matters more
                    self._unmark(self._open[place])

    def _unmark(self, destination: Destination) -> None:
        record = destination.look().record  # read anew: another run may have left its mark meanwhile
        if record is not None:
            destination.write_record(record.without_marks_of(self._context.run))

    def copying(self, now: dt.datetime) -> Mark | None:
        """Another run's young mark of kind ``copy``, read anew."""
        for place in self._noted:
            for mark in self._young_foreign(self._open[place].look(), now):
                if mark.kind is MarkKind.COPY:
                    return mark
        return None

    def intruder(self, now: dt.datetime) -> str:
        """What tells, read anew, that another run may be at work at a marked place; empty where nothing does."""
        for place in self._noted:
            look = self._open[place].look()
            if foreign := self._young_foreign(look, now):
                return f"run {quoted(foreign[0].run)} announced that it would write {quoted(foreign[0].name)}"
            if not any(mark.run == self._context.run for mark in look.marks):
                return f"this run's mark at {quoted(place)} has gone"
        return ""

    def deliver(self, secret: Secret, held: Held, order: Callable[[str], int]) -> None:
        """Write the secret, read it back, then the record, at every marked place; each failure is kept, none stops.

        Args:
            secret: proven to authenticate.
            held: what the record is to say.
            order: a place's rank; the lowest is served first.
        """
        for place in sorted(self._marked, key=order):
            if place not in self.failures:
                self._attempt(place, partial(self._serve, place, secret, held))

    @property
    def _noted(self) -> list[str]:
        """The places at which this run's mark stands; a store that keeps no record has none."""
        return [place for place in self._marked if place not in self._bare]

    def _serve(self, place: str, secret: Secret, held: Held) -> None:
        destination = self._open[place]
        # where no record tells what was written, the end of the write counts, not its beginning
        longest = LONGEST_DELIVERY - LONGEST_WRITE if place in self._bare else LONGEST_DELIVERY
        if self.age > longest:
            raise DestinationError(
                f"more than {longest:.0f} s have passed since it was to be written; another run may be at work now.",
                hint="Run again.",
            )
        try:
            if place in self._local:
                self._mask(secret)
            destination.write(secret)
        except DestinationError as error:
            if error.surely_refused:
                self._refused.append(place)
            else:
                self.touched = True
            raise
        self.touched = True
        found = destination.holds(secret)
        if found is None:
            self._unread.add(place)
        if found is False:
            raise DestinationError(
                "what was read back is not what was written.",
                hint="Look for something else that writes there.",
                surely_refused=False,
            )
        if place not in self._bare:
            destination.write_record(DeliveryRecord(workspace=self._context.spec.workspace, held=held))

    def _mask(self, secret: Secret) -> None:
        if self._masked:
            return
        try:
            self._context.mask(secret)
        except OSError as error:
            told = f"the runner could not be told to mask the secret, so it was not written: {error.strerror}."
            raise DestinationError(told, hint="Look at the runner.") from None
        self._masked = True

    def _young_foreign(self, look: Look, now: dt.datetime) -> list[Mark]:
        return [
            mark
            for mark in look.marks
            if mark.run != self._context.run and mark.young(now, self._context.terms.busy_grace)
        ]

    def _attempt(self, place: str, step: Callable[[], None]) -> bool:
        try:
            step()
        except DestinationError as error:
            self.failures[place] = error
            return False
        return True

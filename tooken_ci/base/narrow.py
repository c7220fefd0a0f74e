"""Delivery records for stores that are narrow: one line of text, and little room for it.

Of a mark that has aged, its run and its time are left out where there is no room for them. They tell whether that run
may still be at work, which after ``YOUNG`` it is not; that something may have been written under the mark's name stands
there as before. So a record that was made to fit says the same to every rule, and no mark is ever dropped.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from tooken_ci.base import naming
from tooken_ci.base.record import YOUNG, DeliveryRecord, Held

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tooken_ci.base.record import Mark

_USUAL_ID = "tok_" + 24 * "0"


class TooLongError(ValueError):
    """A record does not fit.

    Attributes:
        over: by how many characters.
    """

    def __init__(self, over: int) -> None:
        super().__init__(f"a delivery record that is {over} characters too long")
        self.over = over


def fitted(record: DeliveryRecord, limit: int) -> str:
    """A record as text of so many characters at most; the oldest marks give way first, the newest never does.

    Raises:
        TooLongError: it cannot be made to fit.
    """
    marks = _without_repeats(record.marks)
    text = dataclasses.replace(record, marks=tuple(marks)).to_text(short=True)
    newest = max((mark.at for mark in marks), default=None)
    for mark in sorted(marks[:-1], key=lambda mark: mark.at):
        if len(text) <= limit or newest is None or newest - mark.at < YOUNG:
            break
        marks = _without_repeats([mark.aged if one is mark else one for one in marks])
        text = dataclasses.replace(record, marks=tuple(marks)).to_text(short=True)
    if len(text) > limit:
        raise TooLongError(len(text) - limit)
    return text


def lacking(record: DeliveryRecord, limit: int) -> int:
    """How many characters will be missing, once the token of the newest mark is delivered and is to be replaced.

    A run may die on the way, so room is asked for one mark that has aged beside the next run's own. 0 = it will do.
    """
    newest = record.marks[-1]
    entry, number = naming.split(newest.name)
    name = naming.generation_name(entry, 10 * number)  # in time its number gets longer
    coming = dataclasses.replace(newest, name=name)
    token = record.held.id if record.held is not None else _USUAL_ID
    held = Held(id=token, name=name, at=newest.at, fingerprint=16 * "0")
    text = DeliveryRecord(workspace=record.workspace, held=held, marks=(coming.aged, coming)).to_text(short=True)
    return max(0, len(text) - limit)


def _without_repeats(marks: Iterable[Mark]) -> list[Mark]:
    """Marks without those that say the same as an earlier one."""
    return list(dict.fromkeys(marks))

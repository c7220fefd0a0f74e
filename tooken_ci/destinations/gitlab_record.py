"""The delivery record as the description of a GitLab variable takes it, which has little room."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tooken_ci.base import naming
from tooken_ci.base.errors import DestinationError
from tooken_ci.base.narrow import TooLongError, fitted, lacking
from tooken_ci.base.record import Mark, MarkKind
from tooken_ci.base.text import quoted
from tooken_ci.destinations.gitlab_rules import LONGEST_DESCRIPTION

if TYPE_CHECKING:
    from tooken_ci.base.record import DeliveryRecord


def text_of(record: DeliveryRecord) -> str:
    """The record as a description takes it.

    Raises:
        DestinationError: there is no room for it; says how long names may be.
    """
    if record.marks:
        demand_room(record)
    try:
        return fitted(record, LONGEST_DESCRIPTION)
    except TooLongError as error:
        raise DestinationError(
            f"its delivery record is {error.over} characters too long for the description of a variable "
            f"({LONGEST_DESCRIPTION}): runs that died have left {len(record.marks)} marks in it.",
            hint="Remove the variable and run again; the secret is then delivered anew.",
            surely_refused=bool(record.marks),
        ) from None


def demand_room(record: DeliveryRecord) -> None:
    """See that the delivery that the newest mark announces will find room for its record.

    Raises:
        DestinationError: it will not.
    """
    if not record.marks and record.held is not None:
        next_one = Mark(kind=MarkKind.CREATE, name=record.held.name, run=12 * "0", at=record.held.at)
        record = record.marked(next_one)
    missing = lacking(record, LONGEST_DESCRIPTION) if record.marks else 0
    if missing:
        name = naming.split(record.marks[-1].name)[0]
        most = len(name) + len(record.workspace) - missing
        raise DestinationError(
            f"the description of a variable, {LONGEST_DESCRIPTION} characters, has no room for the delivery record "
            f"of {quoted(name)}: it is {missing} too long.",
            hint=f"The entry's name and the workspace label may have {most} characters together; any but letters, "
            "digits and . _ - counts three or more.",
        )

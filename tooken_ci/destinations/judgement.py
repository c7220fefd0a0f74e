"""What a record and a value tell together, where a store gives no times: whose secret stands there for certain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tooken_ci.base.record import DeliveryRecord, Look, NewerRecordError, State
from tooken_ci.base.redact import redactor
from tooken_ci.base.secret import Secret, fingerprint

if TYPE_CHECKING:
    from tooken_ci.base.errors import DestinationError
    from tooken_ci.base.record import Held


def judged(text: str, value: str | None, *, readable: bool) -> Look:
    """What a look at a store says.

    Args:
        text: the delivery record as it was read; empty = there is none.
        value: what stands there; None = nothing, or it cannot be read.
        readable: the value can be read.
    """
    try:
        record = DeliveryRecord.parse(text) if text else None
    except NewerRecordError as error:
        return Look(state=State.UNKNOWN, reason=f"its delivery record was {error}")
    except ValueError:
        return Look(state=State.ABSENT, reason="its delivery record is damaged", value_newer=True)
    reason = mismatch(record, value) if readable else _unsure(record)
    left_alone = record is None or (record.held is None and not record.marks)
    return Look(
        state=State.ABSENT if reason else State.HOLDS,
        record=record,
        reason=reason,
        empty=readable and value is None and left_alone,
        # of a value that does not match, or that nobody sees while a mark is open, nobody knows whose it is
        value_newer=bool(reason) and (value is not None or not readable),
        readable=readable and not reason,
    )


def unknown(error: DestinationError) -> Look:
    """What a look says where the store could not be asked: why, and what to do about it."""
    return Look(state=State.UNKNOWN, reason=f"{error.message} {error.hint}".strip().rstrip("."))


def recognized(value: str | None, held: Held) -> Secret | None:
    """The secret that a record names, if what stands there matches its fingerprint; else None."""
    return Secret(value) if value and fingerprint(held.id, value) == held.fingerprint else None


def mismatch(record: DeliveryRecord | None, value: str | None) -> str:
    """Why the value is not the one that the record names; empty where it is; then no output shows it any more."""
    if record is None:
        return "nothing was delivered yet" if value is None else "it has a value, but no delivery record"
    if record.held is None:
        left = "an unfinished run left only its mark" if record.marks else "nothing was delivered yet"
        return left if value is None else "it has a value that no record names"
    if value is None:
        return "its value is missing"
    if not value:
        return "its value was emptied"
    if fingerprint(record.held.id, value) != record.held.fingerprint:
        return "its value is not the one that was delivered"
    redactor.add_compared(value)  # somebody may have written it into the spec, as a name
    return ""


def _unsure(record: DeliveryRecord | None) -> str:
    """Why the record alone does not tell whose value stands there; empty where it does."""
    if record is None:
        return "it has no delivery record"
    if record.marks:
        return "an unfinished run left its mark, and the value cannot be read"
    return "nothing was delivered yet" if record.held is None else ""

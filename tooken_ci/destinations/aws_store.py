"""Delivers to AWS Secrets Manager: what stands there, whether it can be written, the secret, and the record."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

from tooken_ci.base.errors import DestinationError
from tooken_ci.base.text import quoted
from tooken_ci.destinations import timing
from tooken_ci.destinations.aws_api import EXISTS, LONGEST_TRY, NOT_FOUND
from tooken_ci.destinations.aws_delivery import Delivery
from tooken_ci.destinations.aws_errors import AwsError
from tooken_ci.destinations.aws_found import Found, value_in
from tooken_ci.destinations.aws_tags import from_tags, own_tags, tag_key, to_tags
from tooken_ci.destinations.judgement import recognized, unknown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tooken_ci.base.record import DeliveryRecord, Held, Look
    from tooken_ci.base.secret import Secret
    from tooken_ci.destinations.aws_api import Api
    from tooken_ci.destinations.aws_names import Spot
    from tooken_ci.destinations.aws_session import Aws

_PAUSES = (0.2, 0.5, 1.0, 2.0)
"""Seconds; what was just written may take a moment to be seen."""


def look_at(aws: Aws, spots: Sequence[Spot]) -> Sequence[Look]:
    """What stands at some places of one secret, now; an error becomes ``unknown`` with its reason."""
    try:
        found = Found.read(aws.api(spots[0].region), spots[0].secret, _read_until())
    except DestinationError as error:
        return [unknown(error)] * len(spots)
    return [_look(found, spot) for spot in spots]


def _look(found: Found, spot: Spot) -> Look:
    try:
        return found.look_at(spot)
    except DestinationError as error:
        return unknown(error)


class AwsDestination:
    """One secret as a whole, or one key of it."""

    def __init__(self, aws: Aws, spot: Spot) -> None:
        self._aws = aws
        self._spot = spot
        self._tag = tag_key(spot.key)
        self._written = ""  # the version that was made current last

    def look(self) -> Look:
        """What stands there now; an error becomes ``unknown`` with its reason."""
        (found,) = look_at(self._aws, [self._spot])
        return found

    def check(self) -> None:
        """Whether it could be written, as far as that can be told without writing: the first mark tells the rest.

        Raises:
            DestinationError: it could not; says why.
        """
        Found.read(self._api, self._spot.secret, _read_until()).check(self._spot)

    def write_record(self, record: DeliveryRecord) -> None:
        """Put the record into the tags, all of it in one request, and read it back: what comes later relies on it.

        Raises:
            DestinationError: it could not be written, or is not what is read.
        """
        until = _write_until()
        text = record.to_text()
        tags = to_tags(self._tag, text)
        self._put_tags(tags, until)
        for pause in (*_PAUSES, None):
            described = self._api.describe(self._spot.secret, until)
            there = described.tags if described is not None else {}
            if from_tags(self._tag, there) == text:
                break
            if pause is None:
                raise DestinationError(
                    f"the delivery record that was given to {quoted(self._spot.secret)} is not what its tags say.",
                    hint="Look for something else that sets them.",
                    surely_refused=False,
                )
            time.sleep(pause)
        self._tidy(own_tags(self._tag, there) - set(tags), until)

    def write(self, secret: Secret) -> None:
        """Put the secret there; the record and the other keys stay untouched.

        Raises:
            DestinationError: it was not written, or nobody knows whether it was.
        """
        until = _write_until()
        api = self._api
        lock = self._aws.writing(self._spot)
        if not lock.acquire(timeout=max(0.0, until - time.monotonic() - LONGEST_TRY)):
            raise DestinationError(
                f"other deliveries to the secret {quoted(self._spot.secret)} took too long.", hint="Run again."
            )
        try:
            delivery = Delivery(api, self._spot, until)
            delivery.run(secret)
            self._written = delivery.version
        finally:
            lock.release()

    def holds(self, secret: Secret) -> bool | None:
        """Whether what consumers read equals the secret.

        Raises:
            DestinationError: it could not be read.
        """
        until = _read_until()
        for pause in (*_PAUSES, None):
            try:
                value = self._api.current(self._spot.secret, until)
            except AwsError as error:
                error.surely_refused = False
                if error.aws_code == NOT_FOUND and not self._written:
                    return False
                raise
            if value_in(value, self._spot) == secret.reveal():
                return True
            if pause is None or self._written in {"", value.version}:
                return False
            time.sleep(pause)
        return False

    def fetch(self, held: Held) -> Secret | None:
        """The secret that the record names, if the value there matches its fingerprint; else None."""
        try:
            value = Found.read(self._api, self._spot.secret, _read_until()).value_at(self._spot)
        except DestinationError:
            return None
        return recognized(value, held)

    @property
    def _api(self) -> Api:
        return self._aws.api(self._spot.region)

    def _put_tags(self, tags: Mapping[str, str], until: float) -> None:
        """Set the tags of the secret, and make it where it may be made."""
        try:
            self._api.tag(self._spot.secret, tags, until)
        except AwsError as error:
            if error.aws_code != NOT_FOUND or not self._spot.create:
                raise
        else:
            return
        try:
            self._api.create(self._spot.name, tags, until)
        except AwsError as error:
            if error.aws_code != EXISTS:
                raise
            self._api.tag(self._spot.secret, tags, until)  # another entry, or an earlier try, was faster

    def _tidy(self, stale: frozenset[str], until: float) -> None:
        """Remove what an earlier, longer record left; where that is not allowed it does no harm."""
        if stale:
            with contextlib.suppress(AwsError):
                self._api.untag(self._spot.secret, stale, until)


def _read_until() -> float:
    return time.monotonic() + timing.LONGEST_READ


def _write_until() -> float:
    return time.monotonic() + timing.LONGEST_WRITE

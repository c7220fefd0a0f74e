"""One write to AWS Secrets Manager: a new version, pending; read back; and only then the one that consumers read."""

from __future__ import annotations

import contextlib
import itertools
import json
import time
from typing import TYPE_CHECKING

from tooken_ci.base.errors import DestinationError
from tooken_ci.base.text import quoted
from tooken_ci.destinations import aws_json
from tooken_ci.destinations.aws_api import CURRENT, LONGEST_TRY, NOT_FOUND, new_version
from tooken_ci.destinations.aws_errors import AwsError
from tooken_ci.destinations.aws_found import LARGEST, Found, check_rotation, missing, value_in

if TYPE_CHECKING:
    from tooken_ci.base.secret import Secret
    from tooken_ci.destinations.aws_api import Api, Value
    from tooken_ci.destinations.aws_names import Spot

_TIMES = 5
"""How often the secret may be changed by somebody else in the middle of a write."""

_MOVES = 4
_PAUSES = (0.2, 0.5, 1.0)
"""Seconds; what was just written may take a moment to be seen."""


class Delivery:
    """The write of one secret to one place.

    No consumer reads a pending version, so whatever fails before it is made current was surely refused. Only the first
    version of a secret has no such time: AWS makes it current at once.

    Attributes:
        version: the one that consumers read after the write; empty until then.
    """

    def __init__(self, api: Api, spot: Spot, until: float) -> None:
        self._api = api
        self._spot = spot
        self._until = until
        self._perhaps_read = False  # a version of this write may be, or may have been, what consumers read
        self.version = ""

    def run(self, secret: Secret) -> None:
        """Write it.

        Raises:
            DestinationError: it was not written, or nobody knows whether it was.
        """
        try:
            for number in itertools.count(1):
                if self._written(secret):
                    return
                self._give_way(number)
        except DestinationError as error:
            error.surely_refused = not self._perhaps_read
            raise

    def _written(self, secret: Secret) -> bool:
        """One try; False = somebody else changed the secret meanwhile, and nothing of theirs may be lost."""
        found = Found.read(self._api, self._spot.secret, self._until)
        if found.described is None:
            raise missing(found, self._spot)
        check_rotation(found.described, self._spot)
        before = found.value
        text = _changed(before, self._spot, secret)
        if before is not None and before.text == text:
            self.version = before.version
            return True
        version = new_version()
        self._put(version, text, before)
        try:
            self._prove(version, text)
            moved = self._moved(version, before)
        finally:  # also where it failed: nothing of a dead secret keeps a label, and no later rotation stumbles over it
            self._clear(version)
        if moved:
            self.version = version
        return moved

    def _give_way(self, number: int) -> None:
        """Wait after a try that somebody else came in between of, or give up."""
        if number == _TIMES:
            raise DestinationError(
                f"the secret {quoted(self._spot.secret)} was changed by somebody else during each of {number} tries.",
                hint="Run again when nothing else writes there.",
            )
        time.sleep(_pause(number))

    def _put(self, version: str, text: str, before: Value | None) -> None:
        try:
            stages = self._api.put(self._spot.secret, version, text, self._until)
        except AwsError as error:
            if not error.surely_refused:
                self._perhaps_read = self._perhaps_read or before is None
                self._clear(version)
            raise
        self._perhaps_read = self._perhaps_read or before is None or CURRENT in stages

    def _prove(self, version: str, text: str) -> None:
        """See that what was stored is what was given."""
        for number in itertools.count(1):
            try:
                stored = self._api.version(self._spot.secret, version, self._until)
            except AwsError as error:
                if error.aws_code != NOT_FOUND or number > len(_PAUSES):
                    raise
                time.sleep(_pause(number))
                continue
            if stored.text != text:
                raise DestinationError(
                    "what AWS gives back of the new version is not what it was given.",
                    hint="See what AWS_ENDPOINT_URL leads to.",
                )
            return

    def _moved(self, version: str, before: Value | None) -> bool:
        """Make a version current, if what is current is still the one before; False = it is somebody else's."""
        was = before.version if before is not None else None
        for number in itertools.count(1):
            try:
                self._api.make_current(self._spot.secret, version, was, self._until)
            except AwsError as error:
                failed = error
            else:
                self._perhaps_read = True
                return True
            self._perhaps_read = self._perhaps_read or not failed.surely_refused
            now = self._current(failed)
            if now == version:  # an earlier try, or AWS itself
                self._perhaps_read = True
                return True
            if now != was:
                return False
            wait = max(_pause(number), failed.wait)
            if not failed.again or number == _MOVES or time.monotonic() + wait > self._until - LONGEST_TRY:
                break
            time.sleep(wait)
        raise failed

    def _current(self, failed: AwsError) -> str | None:
        """The version that is current after a failure; where that cannot be asked, the failure stands."""
        try:
            described = self._api.describe(self._spot.secret, self._until)
        except AwsError:
            raise failed from None
        return described.labelled(CURRENT) if described is not None else None

    def _clear(self, version: str) -> None:
        """Take the label of a rotation away; one that stays is taken over by the next write."""
        with contextlib.suppress(AwsError):
            self._api.no_longer_pending(self._spot.secret, version, self._until)


def _changed(before: Value | None, spot: Spot, secret: Secret) -> str:
    """The text of the new version."""
    value_in(before, spot)  # to refuse what can have no such place
    if not spot.key:
        return secret.reveal()
    if before is None or before.text is None:
        return json.dumps({spot.key: secret.reveal()})
    text = aws_json.with_value(before.text, spot.key, secret.reveal())
    if len(text.encode()) > LARGEST:
        raise DestinationError(
            f"the secret {quoted(spot.secret)} would have more than {LARGEST} bytes.", hint="Deliver to another secret."
        )
    return text


def _pause(number: int) -> float:
    return _PAUSES[min(number, len(_PAUSES)) - 1]

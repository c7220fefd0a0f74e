"""What stands in a secret of AWS Secrets Manager, read at one moment, and what it means for a place in it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from tooken_ci.base.errors import DestinationError
from tooken_ci.base.record import Look, State
from tooken_ci.base.redact import redactor
from tooken_ci.base.text import quoted, safe
from tooken_ci.destinations import aws_json
from tooken_ci.destinations.aws_api import CURRENT
from tooken_ci.destinations.aws_tags import MOST_TAGS, ROOM, from_tags, own_tags, tag_key
from tooken_ci.destinations.judgement import judged

if TYPE_CHECKING:
    from tooken_ci.destinations.aws_api import Api, Described, Value
    from tooken_ci.destinations.aws_names import Spot

LARGEST = 65_536
"""Bytes that a secret may have."""

_ROOM = 1_024
"""Bytes that a key and a secret of ours take at the most."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Found:
    """What was found.

    Attributes:
        described: None = there is no secret.
        value: what consumers read; None = no version was ever stored.
        region: where it was looked for.
    """

    described: Described | None
    value: Value | None
    region: str

    @classmethod
    def read(cls, api: Api, secret: str, until: float) -> Found:
        """Ask AWS: two requests at the most.

        Raises:
            DestinationError: AWS could not be asked, or the secret is to be deleted.
        """
        described = api.describe(secret, until)
        if described is not None and described.deleted:
            raise DestinationError(
                f"the secret {quoted(secret)} is scheduled for deletion on {described.deleted}.",
                hint="Restore it with 'aws secretsmanager restore-secret', or deliver elsewhere.",
            )
        stored = described is not None and described.labelled(CURRENT) is not None
        return cls(described=described, value=api.current(secret, until) if stored else None, region=api.region)

    def value_at(self, spot: Spot) -> str | None:
        """The secret at a place; None = there is none.

        Raises:
            DestinationError: what stands there can have none.
        """
        return value_in(self.value, spot)

    def record_at(self, spot: Spot) -> str:
        """The text of the delivery record of a place; empty = there is none."""
        return from_tags(tag_key(spot.key), self.described.tags) if self.described is not None else ""

    def look_at(self, spot: Spot) -> Look:
        """What a look at a place says.

        Raises:
            DestinationError: as ``value_at``, or there is no secret and none may be made.
        """
        if self.described is None and not spot.create:
            raise missing(self, spot)
        return judged(self.record_at(spot), self.value_at(spot), readable=True)

    def check(self, spot: Spot) -> None:
        """Whether the place could be written, as far as can be told without writing.

        Raises:
            DestinationError: it could not; says why.
        """
        look = self.look_at(spot)
        if look.state is State.UNKNOWN:
            raise DestinationError(f"{look.reason}.", hint="Use that version, or deliver elsewhere.")
        if self.described is not None:
            _check_owner(self.described, spot)
            check_rotation(self.described, spot)
            _check_tags(self.described, spot)
        if self.value is not None and spot.key and len((self.value.text or "").encode()) > LARGEST - _ROOM:
            raise DestinationError(
                f"the secret {quoted(spot.secret)} is too large to take another value.",
                hint=f"AWS allows {LARGEST} bytes; deliver to another secret.",
            )


def missing(found: Found, spot: Spot) -> DestinationError:
    """The error of a secret that is not there."""
    return DestinationError(
        f"there is no secret {quoted(spot.secret)} in {found.region}.",
        hint="Create it, or say 'create: true' at this destination.",
    )


def value_in(value: Value | None, spot: Spot) -> str | None:
    """The secret at a place in what consumers read; None = there is none.

    Raises:
        DestinationError: what stands there can have none.
    """
    if value is None:
        return None
    if value.text is None:
        raise DestinationError(
            f"the secret {quoted(spot.secret)} is binary.",
            hint="Deliver to one that is text, or store text there once.",
        )
    if not spot.key:
        return value.text or None
    try:
        found = aws_json.value_of(value.text, spot.key)
    except ValueError as error:
        raise DestinationError(
            f"the secret {quoted(spot.secret)} has no key {quoted(spot.key)} to write: {error}.",
            hint="Store '{}' there, or leave 'key' out to have the secret alone in it.",
        ) from None
    redactor.add_read(found or "")
    return found


def _check_owner(described: Described, spot: Spot) -> None:
    if described.owner:
        raise DestinationError(
            f"the secret {quoted(spot.secret)} is managed by {quoted(described.owner)}.",
            hint="Deliver to one of yours.",
        )
    if described.primary:
        raise DestinationError(
            f"the secret {quoted(spot.secret)} is a copy of the one in {quoted(described.primary)}.",
            hint=f"Give 'region: {described.primary}'; AWS replicates it.",
        )


def check_rotation(described: Described, spot: Spot) -> None:
    """See that nobody else is about to make a version current: the label of its pending one would be taken from it.

    Raises:
        DestinationError: a rotation is under way, or was left unfinished.
    """
    pending = described.rotating
    if pending is not None:
        raise DestinationError(
            f"a rotation of the secret {quoted(spot.secret)} is under way, or was left unfinished: its version "
            f"{quoted(pending)} is labelled AWSPENDING.",
            hint="Let it end, or take the label away with 'aws secretsmanager update-secret-version-stage "
            f"--secret-id {spot.secret} --version-stage AWSPENDING --remove-from-version-id {safe(pending)}'.",
        )


def _check_tags(described: Described, spot: Spot) -> None:
    others = len(described.tags) - len(own_tags(tag_key(spot.key), described.tags))
    if others + ROOM > MOST_TAGS:
        raise DestinationError(
            f"the secret {quoted(spot.secret)} has {others} other tags; of {MOST_TAGS} the delivery record needs up to "
            f"{ROOM}.",
            hint="Remove some, or deliver to another secret.",
        )

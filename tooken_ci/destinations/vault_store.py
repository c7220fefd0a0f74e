"""Delivers to one key of a KV v2 secret: the value under check-and-set, the record in the custom metadata."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING

from tooken_ci.base.errors import DestinationError
from tooken_ci.base.record import Look, State
from tooken_ci.base.redact import redactor
from tooken_ci.destinations import vault_http
from tooken_ci.destinations.judgement import judged, recognized, unknown
from tooken_ci.destinations.vault_http import LAST_READ, LAST_TRY, Effort
from tooken_ci.destinations.vault_kv import POLICY_HINT, Contents, KvSecret, Metadata, Outcome
from tooken_ci.destinations.vault_record import MOST_NAMES, TooLongError, changes, text_of
from tooken_ci.destinations.vault_session import Turn

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tooken_ci.base.record import DeliveryRecord, Held
    from tooken_ci.base.secret import Secret
    from tooken_ci.destinations.vault_session import Session
    from tooken_ci.destinations.vault_settings import Spot

_CONFLICTS = 30
"""How often a write begins anew because somebody else has written to the same secret meanwhile."""

_CHANCE = random.SystemRandom()


def look_at(spots: Sequence[Spot], session: Session) -> Sequence[Look]:
    """What stands at each of some keys of one secret, read once."""
    try:
        contents = KvSecret(session, spots[0]).read(Effort(LAST_READ))
    except DestinationError as error:
        return [unknown(error)] * len(spots)
    return [_judged(contents, spot.key) for spot in spots]


class VaultDestination:
    """One key of one secret."""

    def __init__(self, spot: Spot, session: Session) -> None:
        self._spot = spot
        self._session = session
        self._secret = KvSecret(session, spot)
        self._seen: str | None = None  # the record at the last look; a mark is added to that one and no other

    def look(self) -> Look:
        """What stands there now; an error becomes ``unknown`` with its reason."""
        try:
            contents = self._secret.read(Effort(LAST_READ))
        except DestinationError as error:
            return unknown(error)
        self._seen = text_of(contents.metadata, self._spot.key)
        return _judged(contents, self._spot.key)

    def check(self) -> None:
        """Whether it can be written: reachable, its record readable and with room, the policy permits it.

        Raises:
            DestinationError: it cannot; says why.
        """
        effort = Effort(LAST_READ)
        contents = self._secret.read(effort)
        look = _judged(contents, self._spot.key)
        if look.state is State.UNKNOWN:
            raise effort.error(f"{look.reason}.", "Use that version, or deliver elsewhere.")
        metadata = self._secret.metadata(effort)
        self._room(metadata.custom if metadata is not None else {}, "0" * 1000, effort)
        allowed = self._secret.capabilities(effort)
        if allowed is not None:
            self._see_that_it_may(*allowed, metadata, effort)

    def _see_that_it_may(
        self, on_data: frozenset[str], on_metadata: frozenset[str], metadata: Metadata | None, effort: Effort
    ) -> None:
        lacking = []
        if "root" not in on_data:  # the record comes first, so that the secret is there when its data is written
            lacking += [f"'{one}' on its data" for one in ("read", "update") if one not in on_data]
        if "root" not in on_metadata:
            needed = ["read"] if metadata is not None else ["read", "create"]
            lacking += [f"'{one}' on its metadata" for one in needed if one not in on_metadata]
            counted = metadata is None or metadata.counter is not None
            if "patch" not in on_metadata and not ("update" in on_metadata and counted):
                lacking.append("'patch' on its metadata")
        if lacking:
            raise effort.error(f"The policy of the token lacks {', '.join(lacking)}.", POLICY_HINT)

    def write_record(self, record: DeliveryRecord) -> None:
        """Put the record into the custom metadata; everything else there stays.

        A mark is only added to the record that the last look saw: where another run has been there since, it is told.

        Raises:
            DestinationError: it was not stored, or nobody knows whether it was.
        """
        text, effort = record.to_text(), Effort(LAST_TRY)
        with Turn(self._session.lock_of(str(self._spot)), effort):
            for _ in range(_CONFLICTS):
                metadata = self._secret.metadata(effort)
                if metadata is None:
                    self._secret.create(effort)
                    continue
                there = text_of(metadata.custom, self._spot.key)
                if there == text:  # also after a try whose answer was lost
                    break
                if record.marks and self._seen not in {None, there}:
                    raise effort.error("its delivery record has just changed: another run is at work.", "Run again.")
                if self._store(metadata, text, effort) is Outcome.DONE:
                    break
                vault_http.sleep(_CHANCE.uniform(0, 0.1))
            else:
                raise effort.error(f"others changed its metadata {_CONFLICTS} times meanwhile.", "Run again.")
        self._seen = text

    def _store(self, metadata: Metadata, text: str, effort: Effort) -> Outcome:
        """Write the record by patch, or else all of the metadata, if the server keeps count of its changes."""
        wanted = self._room(metadata.custom, text, effort)
        outcome = self._secret.patch_metadata(wanted, metadata.counter, effort)
        if outcome is not Outcome.NOT_ALLOWED:
            return outcome
        if metadata.counter is not None:
            merged = {**metadata.custom, **wanted}
            custom = {name: value for name, value in merged.items() if value is not None}
            outcome = self._secret.put_metadata(custom, metadata.counter, effort)
        if outcome is Outcome.NOT_ALLOWED:
            raise effort.error("Vault does not permit to patch its metadata.", f"Grant 'patch'. {POLICY_HINT}")
        return outcome

    def _room(self, custom: Mapping[str, str], text: str, effort: Effort) -> dict[str, str | None]:
        try:
            return changes(custom, self._spot.key, text)
        except TooLongError:
            raise effort.error(
                f"its custom metadata has no room for the delivery record: {MOST_NAMES} names are all it can have.",
                "Remove some, or deliver to another path.",
            ) from None

    def write(self, secret: Secret) -> None:
        """Put the secret there as a new version that has all other keys of the one before.

        Raises:
            DestinationError: it was not stored, or nobody knows whether it was.
        """
        effort = Effort(LAST_TRY)
        with Turn(self._session.lock_of(str(self._spot)), effort):
            for _ in range(_CONFLICTS):
                contents = self._secret.read(effort)
                if contents.data.get(self._spot.key) == secret.reveal():  # also after a try whose answer was lost
                    return
                data = {**contents.data, self._spot.key: secret.reveal()}
                if self._secret.put(data, contents.version, effort) is Outcome.DONE:
                    return
                vault_http.sleep(_CHANCE.uniform(0, 0.1))
        raise effort.error(f"others wrote to the same secret {_CONFLICTS} times meanwhile.", "Run again.")

    def holds(self, secret: Secret) -> bool | None:
        """Whether what is read back equals the secret.

        Raises:
            DestinationError: it could not be read.
        """
        return self._secret.read(Effort(LAST_READ, doubt=True)).data.get(self._spot.key) == secret.reveal()

    def fetch(self, held: Held) -> Secret | None:
        """The secret that the record names, if the value there matches its fingerprint; else None."""
        try:
            value = _value(self._secret.read(Effort(LAST_READ)), self._spot.key)
        except DestinationError:
            return None
        return recognized(value, held)


def _judged(contents: Contents, key: str) -> Look:
    return judged(text_of(contents.metadata, key), _value(contents, key), readable=True)


def _value(contents: Contents, key: str) -> str | None:
    """What stands under the key, a secret from its first moment; None = nothing. What is no text matches none."""
    value = contents.data.get(key)
    if value is None:
        return None
    if not isinstance(value, str):
        return json.dumps(value)
    text = value.encode(errors="replace").decode()
    redactor.add_read(text)
    return text

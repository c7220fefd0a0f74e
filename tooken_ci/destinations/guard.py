"""Stands between the program and a kind that another package brings: whatever that does, one entry fails at most."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, TypeVar

from tooken_ci.base.errors import DestinationError
from tooken_ci.base.record import Look, State
from tooken_ci.base.secret import Secret
from tooken_ci.base.text import safe
from tooken_ci.spec.kinds import SettingsError
from tooken_ci.spec.model import Target

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tooken_ci.base.position import Position
    from tooken_ci.base.record import DeliveryRecord, Held
    from tooken_ci.destinations.interface import Destination, Kind

T = TypeVar("T")

ANY = (Exception, SystemExit)
"""What a plug-in may raise; only the user's own interruption passes."""

_TELL = "Tell the authors of that package."


def told(error: BaseException) -> str:
    """An error that is not ours, for people."""
    text = safe(str(error)).rstrip(".")
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


class GuardedKind:
    """A kind that another package brings. What it needs beside itself comes with that package."""

    extra = None

    def __init__(self, *, name: str, schema: Mapping[str, Any], kind: Kind, label: str) -> None:
        self.name = name
        self.schema = schema
        self._kind = kind
        self._label = label

    def parse(self, settings: Mapping[str, Any], position: Position) -> Target:
        """Make a target of settings that fit the schema.

        Raises:
            SettingsError: they make no sense, or the plug-in fails; then it tells the package and the entry point.
        """
        try:
            target = self._kind.parse(settings, position)
            wrong = _wrong(target)
        except SettingsError as error:
            key = error.key if error.key in settings else ""
            raise SettingsError(safe(str(error.message)), hint=safe(str(error.hint)), key=key) from None
        except ANY as error:
            wrong = f"it raised {told(error)}"
        if wrong:
            raise SettingsError(f"The {self._label} could not read these settings: {wrong}.", hint=_TELL)
        return dataclasses.replace(target, kind=self.name, position=position)

    def open(self, target: Target) -> GuardedDestination:
        """The destination behind a target that this kind parsed; the plug-in is asked for it when it is first used."""
        return GuardedDestination(lambda: self._kind.open(target), self._label)

    def look(self, targets: Sequence[Target]) -> Sequence[Look]:
        """What stands at each of some targets; where the plug-in fails, nothing is known of any."""
        try:
            looks = list(self._kind.look(targets))
        except ANY as error:
            return [_unknown(self._label, error) for _ in targets]
        if len(looks) != len(targets):
            failed = ValueError(f"{len(looks)} looks at {len(targets)} targets")
            return [_unknown(self._label, failed) for _ in targets]
        return [_clean(look, self._label) for look in looks]


class GuardedDestination:
    """A destination of another package's. Only a ``DestinationError`` of its may say that nothing was taken."""

    def __init__(self, opening: Callable[[], Destination], label: str) -> None:
        self._opening = opening
        self._label = label
        self._opened: Destination | None = None

    def look(self) -> Look:
        """What stands there now; whatever the plug-in raises becomes ``unknown``."""
        try:
            return _clean(self._destination().look(), self._label)
        except ANY as error:
            return _unknown(self._label, error)

    def check(self) -> None:
        """Whether it can be written.

        Raises:
            DestinationError: it cannot, or the plug-in failed.
        """
        self._do("check", lambda destination: destination.check())

    def write_record(self, record: DeliveryRecord) -> None:
        """Put a record there.

        Raises:
            DestinationError: it could not be put there, or the plug-in failed.
        """
        self._do("write_record", lambda destination: destination.write_record(record))

    def write(self, secret: Secret) -> None:
        """Put the secret there.

        Raises:
            DestinationError: it could not be put there, or the plug-in failed.
        """
        self._do("write", lambda destination: destination.write(secret))

    def holds(self, secret: Secret) -> bool | None:
        """Whether what is read back equals the secret; None where the store cannot be read.

        Raises:
            DestinationError: it could not be read back, or the plug-in failed.
        """
        found = self._do("holds", lambda destination: destination.holds(secret))
        if found is True or found is False or found is None:
            return found
        raise self._failed("holds", TypeError("neither True, False nor None"))

    def fetch(self, held: Held) -> Secret | None:
        """The secret that the record names, if what the plug-in gives matches its fingerprint; else None.

        Raises:
            DestinationError: the plug-in failed.
        """
        found = self._do("fetch", lambda destination: destination.fetch(held))
        matches = isinstance(found, Secret) and found.fingerprint(held.id) == held.fingerprint
        return found if matches else None

    def _do(self, step: str, act: Callable[[Destination], T]) -> T:
        try:
            return act(self._destination())
        except DestinationError as error:
            raise DestinationError(
                safe(str(error.message)), hint=safe(str(error.hint)), surely_refused=error.surely_refused is True
            ) from None
        except ANY as error:
            raise self._failed(step, error) from None

    def _failed(self, step: str, error: BaseException) -> DestinationError:
        return DestinationError(
            f"the {self._label} failed in '{step}': {told(error)}.", hint=_TELL, surely_refused=False
        )

    def _destination(self) -> Destination:
        if self._opened is None:
            self._opened = self._opening()
        return self._opened


def _wrong(target: object) -> str:
    """Why something is no target that the rest of the program could use; empty where it is."""
    if not isinstance(target, Target):
        return f"it gave no Target, but {type(target).__name__}"
    if not isinstance(target.place, str) or not target.place.strip() or not target.place.isprintable():
        return "the target's place is no printable text"
    for what in ("claims", "credentials"):
        texts = getattr(target, what)
        if not isinstance(texts, frozenset) or not all(isinstance(text, str) for text in texts):
            return f"the target's {what} are no frozenset of texts"
    if not isinstance(target.warnings, tuple) or not all(isinstance(warning, str) for warning in target.warnings):
        return "the target's warnings are no tuple of texts"
    if not target.claims and not target.of_a_job:
        return "the target claims nothing, so nobody could tell whether another one writes there too"
    return ""


def _clean(look: object, label: str) -> Look:
    if not isinstance(look, Look):
        return _unknown(label, TypeError(f"a look was a {type(look).__name__}"))
    return dataclasses.replace(look, reason=safe(str(look.reason)))


def _unknown(label: str, error: BaseException) -> Look:
    why = (
        safe(error.message).rstrip(".") if isinstance(error, DestinationError) else f"the {label} failed: {told(error)}"
    )
    return Look(state=State.UNKNOWN, reason=why)

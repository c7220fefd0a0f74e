"""What the loader needs to know of a destination kind. The kinds themselves live in ``destinations/``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tooken_ci.base.position import Position
    from tooken_ci.spec.model import Target


class SettingsError(Exception):
    """A destination's settings are well-formed, but make no sense.

    Attributes:
        message: what was found and what was expected.
        hint: what to do next; may be empty.
        key: the key of the settings it is about; empty for the destination as a whole.
    """

    def __init__(self, message: str, *, hint: str = "", key: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.key = key


class DestinationKind(Protocol):
    """One kind of destination, as the spec sees it."""

    @property
    def name(self) -> str:
        """The key under ``deliver``."""
        ...

    @property
    def schema(self) -> Mapping[str, Any]:
        """The JSON Schema (2020-12) of its settings."""
        ...

    def parse(self, settings: Mapping[str, Any], position: Position) -> Target:
        """Make a target of settings that fit the schema.

        Raises:
            SettingsError: they fit the schema but make no sense.
        """
        ...

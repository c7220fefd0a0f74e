"""Data from YAML that knows where each of its keys, values and items stands."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from tooken_ci.base.position import Position

if TYPE_CHECKING:
    from collections.abc import Sequence

Place = tuple[int, int]
"""Line and column, both from 1. A pair is made for every value: ten thousand entries have half a million of them."""


class PlacedMap(dict[str, Any]):
    """A mapping of the YAML, and where its keys and values stand."""

    __slots__ = ("keys_at", "values_at")

    def __init__(self) -> None:
        super().__init__()
        self.keys_at: dict[str, Place] = {}
        self.values_at: dict[str, Place] = {}


class PlacedList(list[Any]):
    """A list of the YAML, and where its items stand."""

    __slots__ = ("items_at",)

    def __init__(self) -> None:
        super().__init__()
        self.items_at: list[Place] = []


@dataclasses.dataclass(frozen=True, kw_only=True)
class Document:
    """One file of the spec as it was read, not yet checked.

    Attributes:
        file: the file as the user named it.
        data: plain data: mappings, lists, text, numbers, true, false, None.
        start: where the data begins.
    """

    file: str
    data: Any
    start: Place = (1, 1)

    def at(self, path: Sequence[str | int]) -> Position:
        """The place of the value at ``path``; of the innermost one there is, where the path leads nowhere."""
        return Position(self.file, *self._find(path)[1])

    def key_at(self, path: Sequence[str | int]) -> Position:
        """The place of the key that leads to the value at ``path``; of the item itself in a list."""
        return Position(self.file, *self._find(path)[0])

    def _find(self, path: Sequence[str | int]) -> tuple[Place, Place]:
        node, key_at, value_at = self.data, self.start, self.start
        for step in path:
            if isinstance(node, PlacedMap) and step in node:
                key_at, value_at = node.keys_at[str(step)], node.values_at[str(step)]
                node = node[str(step)]
            elif isinstance(node, PlacedList) and isinstance(step, int) and 0 <= step < len(node):
                key_at = value_at = node.items_at[step]
                node = node[step]
            else:
                break
        return key_at, value_at

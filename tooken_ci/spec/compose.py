"""YAML text into plain data with positions, straight from the parser's events.

The usual way, a tree of nodes that is then made into data, takes five times as long, recurses as deep as its input
nests, and expands aliases without a bound.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

import yaml

from tooken_ci.base.errors import Fault, SpecError
from tooken_ci.base.position import Position
from tooken_ci.spec.limits import MOST_FAULTS, too_many
from tooken_ci.spec.positions import Document, Place, PlacedList, PlacedMap
from tooken_ci.spec.scalars import resolve
from tooken_ci.spec.shown import quoted
from tooken_ci.spec.syntax import syntax_fault, unprintable

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_DEPTH = 40
"""A spec nests seven deep. Much deeper is an attack or an accident, and the parser's time grows with its square."""

MAX_ALIASED = 4 * 1024 * 1024
"""How much aliases may add, in characters: as much again as the largest file, enough to share a list ten thousand
times, and little enough that a bomb of nested aliases ends in milliseconds."""

_NODE_SIZE = 8
"""What a value counts for beside its text, about what it takes in a file."""

_EXPECTED = object()
_DROPPED = object()

_PLAIN_TAGS = {"!", "tag:yaml.org,2002:str", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"}


class _Frame:
    """A mapping or list whose end has not been read yet."""

    __slots__ = ("anchor", "data", "key", "key_at", "place", "size")

    def __init__(self, data: PlacedMap | PlacedList, anchor: str | None, place: Place) -> None:
        self.data = data
        self.anchor = anchor
        self.place = place
        self.size = _NODE_SIZE
        self.key: object = _EXPECTED
        self.key_at = place


class _Composer:
    def __init__(self, file: str) -> None:
        self.file = file
        self.faults: list[Fault] = []
        self.frames: list[_Frame] = []
        self.anchors: dict[str, tuple[Any, int] | None] = {}
        self.aliased = 0
        self.documents = 0
        self.root: Any = None
        self.start: Place = (1, 1)

    def run(self, events: Iterator[yaml.Event]) -> None:
        for event in events:
            match event:
                case yaml.ScalarEvent():
                    self._scalar(event)
                case yaml.MappingStartEvent():
                    self._open(PlacedMap(), event)
                case yaml.SequenceStartEvent():
                    self._open(PlacedList(), event)
                case yaml.CollectionEndEvent():
                    self._close()
                case yaml.AliasEvent():
                    self._alias(event)
                case yaml.DocumentStartEvent():
                    self._document(event)

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        text, place = event.value, _place(event)
        if event.tag is not None:
            self._check_tag(event.tag, place)
        value = resolve(text) if event.tag is None and event.implicit[0] else text
        size = _NODE_SIZE + len(text)
        if event.anchor is not None:
            self.anchors[event.anchor] = value, size
        self._add(value, place, size, text)

    def _open(self, data: PlacedMap | PlacedList, event: yaml.MappingStartEvent | yaml.SequenceStartEvent) -> None:
        place = _place(event)
        if event.tag is not None:
            self._check_tag(event.tag, place)
        if len(self.frames) >= MAX_DEPTH:
            self._stop(place, f"This nests deeper than {MAX_DEPTH} levels; a spec needs fewer than ten.")
        if event.anchor is not None:
            self.anchors[event.anchor] = None
        self.frames.append(_Frame(data, event.anchor, place))

    def _close(self) -> None:
        frame = self.frames.pop()
        if frame.anchor is not None:
            self.anchors[frame.anchor] = frame.data, frame.size
        self._add(frame.data, frame.place, frame.size, None)

    def _alias(self, event: yaml.AliasEvent) -> None:
        place, anchor = _place(event), str(event.anchor)
        name = f"*{anchor}"
        if anchor not in self.anchors:
            self._stop(
                place, f"The alias {quoted(name)} has no anchor before it.", f"Mark a value with '&{anchor[:40]}'."
            )
        target = self.anchors[anchor]
        if target is None:
            self._stop(place, f"The alias {quoted(name)} stands inside the value that it repeats; that has no end.")
        value, size = target
        self.aliased += size
        if self.aliased > MAX_ALIASED:
            self._stop(
                place,
                f"Aliases make this file more than {MAX_ALIASED >> 20} MiB longer than it is.",
                "Write the values out, or put what entries share under 'defaults'.",
            )
        self._add(value, place, size, None)

    def _document(self, event: yaml.DocumentStartEvent) -> None:
        self.documents += 1
        if self.documents > 1:
            self._stop(
                _place(event),
                "A second YAML document begins here; a file of the spec holds one.",
                "Move it to a file of its own: --spec can be given several times.",
            )

    def _add(self, value: Any, place: Place, size: int, text: str | None) -> None:
        if not self.frames:
            self.root, self.start = value, place
            return
        frame = self.frames[-1]
        frame.size += size
        data = frame.data
        if isinstance(data, PlacedList):
            data.append(value)
            data.items_at.append(place)
        elif frame.key is _EXPECTED:
            frame.key, frame.key_at = self._key(data, text, place), place
        else:
            if isinstance(frame.key, str):
                data[frame.key] = value
                data.keys_at[frame.key] = frame.key_at
                data.values_at[frame.key] = place
            frame.key = _EXPECTED

    def _key(self, data: PlacedMap, text: str | None, place: Place) -> object:
        if text is None:
            self._fault(place, "A key must be written out as text; this one is a list, a mapping or an alias.")
        elif text in data:
            first = Position(self.file, *data.keys_at[text])
            self._fault(place, f"The key {quoted(text)} stands twice here; the first is at {first}.", "Remove one.")
        elif text == "<<":
            self._fault(
                place,
                "Merge keys ('<<') are not supported.",
                "Write the keys out, or put what entries share under 'defaults'.",
            )
        else:
            return text
        return _DROPPED

    def _check_tag(self, tag: str, place: Place) -> None:
        if tag not in _PLAIN_TAGS:
            short = tag.replace("tag:yaml.org,2002:", "!!", 1)
            self._fault(place, f"The tag {quoted(short)} is not allowed: the spec is plain YAML.", "Remove the tag.")

    def _fault(self, place: Place, message: str, hint: str = "") -> None:
        self.faults.append(Fault(Position(self.file, *place), message, hint=hint))
        if len(self.faults) == MOST_FAULTS:
            raise SpecError([*self.faults, too_many(self.file)])

    def _stop(self, place: Place, message: str, hint: str = "") -> NoReturn:
        self._fault(place, message, hint)
        raise SpecError(self.faults)


def _place(event: yaml.Event) -> Place:
    mark = event.start_mark
    return (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)


def compose(text: str, file: str) -> tuple[Document, list[Fault]]:
    """Read the YAML of one file.

    Args:
        text: the file's text.
        file: the file as the user named it, for positions.

    Returns:
        The document, and faults of the YAML itself that did not keep the rest from being read.

    Raises:
        SpecError: it is no YAML, or no YAML that a spec may be.
    """
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # PyYAML may be built without libyaml
    composer = _Composer(file)
    fault = unprintable(text, file)
    if fault is not None:
        raise SpecError([fault])
    try:
        composer.run(yaml.parse(text, Loader=loader))
    except yaml.YAMLError as error:
        raise SpecError([*composer.faults, syntax_fault(error, text, file)]) from error
    except (ValueError, OverflowError) as error:  # the parser in Python makes any escape a character, or tries to
        escape = Fault(Position(file, 1, 1), f"This is not valid YAML: an escape names no character ({error}).")
        raise SpecError([*composer.faults, escape]) from error
    return Document(file=file, data=composer.root, start=composer.start), composer.faults

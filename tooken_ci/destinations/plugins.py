"""Kinds that other packages bring, by the entry point group ``tooken_ci.destinations``; imported where named."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import json
import re
from typing import TYPE_CHECKING, Any

from tooken_ci.base.errors import UsageError
from tooken_ci.base.text import quoted
from tooken_ci.destinations.guard import ANY, GuardedKind, told

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from tooken_ci.base.position import Position
    from tooken_ci.destinations.interface import Surroundings
    from tooken_ci.spec.model import Target

GROUP = "tooken_ci.destinations"
"""The entry point group: ``NAME = "package.module:KindClass"``."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,49}")
_METHODS = ("parse", "open", "look")
_POINTERS = {"$ref", "$defs", "$dynamicRef", "$id", "$anchor"}


@dataclasses.dataclass(frozen=True, kw_only=True)
class NamedKind:
    """A kind that is installed, but not imported, since no spec names it; so it is never asked for more."""

    name: str
    schema: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def parse(self, settings: Mapping[str, Any], position: Position) -> Target:
        """Nothing.

        Raises:
            LookupError: always.
        """
        raise LookupError(f"{self.name} at {position} was not loaded ({len(settings)} settings)")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Plugins:
    """What other packages bring.

    Attributes:
        points: the entry points, by the name of the kind; more than one is one too many.
        surroundings: what each kind is made with.
    """

    points: Mapping[str, Sequence[importlib.metadata.EntryPoint]]
    surroundings: Surroundings

    def load(self, name: str) -> GuardedKind:
        """Import a kind and see that it is one.

        Raises:
            UsageError: it cannot be imported, or is no kind of that name; tells the package and the entry point.
        """
        point, *others = self.points[name]
        if others:
            whose = ", ".join(sorted(f"the {_label(one)}" for one in (point, *others)))
            raise UsageError(
                f"More than one package brings the kind of destination {quoted(name)}: {whose}.",
                hint="Keep one of them.",
            )
        label = _label(point)
        try:
            kind = point.load()(self.surroundings)
            schema = json.loads(json.dumps(dict(kind.schema)))
            wrong = _wrong(name, kind, schema)
        except ANY as error:
            raise UsageError(
                f"The kind of destination {quoted(name)} cannot be loaded from the {label}: {told(error)}.",
                hint="Update or reinstall that package, or tell its authors.",
            ) from None
        if wrong:
            raise UsageError(
                f"The kind of destination {quoted(name)} from the {label} cannot be used: {wrong}.",
                hint="Tell the authors of that package.",
            )
        return GuardedKind(name=name, schema=schema, kind=kind, label=label)


def installed(surroundings: Surroundings, own: Collection[str]) -> Plugins:
    """Find what other packages bring, without importing any of it.

    Args:
        surroundings: what each kind is to be made with.
        own: the names of the kinds that nobody may replace.

    Raises:
        UsageError: a package brings a kind of such a name.
    """
    points: dict[str, list[importlib.metadata.EntryPoint]] = {}
    for point in importlib.metadata.entry_points(group=GROUP):
        if point.name in own:
            raise UsageError(
                f"The {_label(point)} brings a kind of destination named {quoted(point.name)}; that is one of "
                "tooken-ci's own, which cannot be replaced.",
                hint="Uninstall that package, or have its kind renamed.",
            )
        points.setdefault(point.name, []).append(point)
    return Plugins(points=points, surroundings=surroundings)


def _label(point: importlib.metadata.EntryPoint) -> str:
    """The package and the entry point, for people."""
    package = f"{point.dist.name} {point.dist.version}" if point.dist is not None else "of no name"
    return f"package {quoted(package)} (entry point {quoted(f'{point.name} = {point.value}')})"


def _wrong(name: str, kind: Any, schema: dict[str, Any]) -> str:
    """Why an object is no kind of a name; empty where it is."""
    if not _NAME.fullmatch(name):
        return "its name must be lower-case letters, digits and '_', and begin with a letter"
    if kind.name != name:
        return f"its class calls it {quoted(str(kind.name))}"
    missing = [method for method in _METHODS if not callable(getattr(kind, method, None))]
    if missing:
        return f"its class lacks {', '.join(missing)}"
    return _wrong_schema(schema)


def _wrong_schema(schema: dict[str, Any]) -> str:
    # Only here, because nobody else checks a schema, and most specs need no plug-in.
    import jsonschema

    if schema.get("type") != "object":
        return "its schema does not say 'type: object'"
    for node in _nodes(schema):
        pointers = sorted(_POINTERS & node.keys())
        if pointers:
            return f"its schema has {pointers[0]}, but must stand alone"
        if isinstance(node.get("pattern"), str):
            re.compile(node["pattern"])
    jsonschema.Draft202012Validator.check_schema(schema)
    return ""


def _nodes(node: Any) -> Iterator[dict[str, Any]]:
    """Every mapping in a schema."""
    if isinstance(node, dict):
        yield node
    for inner in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _nodes(inner)

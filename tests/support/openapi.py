"""Cuts an OpenAPI document to some of its paths: a proxy that is to start soon cannot read all of GitHub's."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


def cut(source: Path, target: Path, keep: Callable[[str], bool]) -> None:
    """Writes what is left of a document: the paths that are kept, and the components that they lead to.

    Args:
        source: the document, in JSON.
        target: where the rest goes.
        keep: whether a path is kept.
    """
    document = json.loads(source.read_text(encoding="utf-8"))
    paths = {path: item for path, item in document["paths"].items() if keep(path)}
    components: dict[str, dict[str, Any]] = {}
    todo = list(_references(paths))
    while todo:
        section, name = todo.pop()
        if name not in components.setdefault(section, {}):
            components[section][name] = document["components"][section][name]
            todo += _references(components[section][name])
    left = {key: document[key] for key in ("openapi", "info", "servers")}
    target.write_text(json.dumps({**left, "paths": paths, "components": components}), encoding="utf-8")


def _references(node: Any) -> Iterator[tuple[str, str]]:
    """The components that a part of the document names, as section and name."""
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            _, _, section, name = node["$ref"].split("/")
            yield section, name
        node = node.values()
    elif not isinstance(node, list):
        return
    for child in node:
        yield from _references(child)

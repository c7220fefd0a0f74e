"""What GitLab makes of a component's file: a header that declares inputs, and a configuration that is filled with them.

https://docs.gitlab.com/ci/inputs: what stands alone is filled in as its type, what stands in a text as text.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

TEMPLATE = Path(__file__).parents[2] / "templates" / "tooken-ci.yml"

_PLACE = re.compile(r"\$\[\[\s*inputs\.([\w-]+)\s*\]\]")
_TYPES: dict[str, Any] = {"string": str, "boolean": bool, "number": (int, float), "array": list}
_KEYS = {"type", "description", "default", "options", "regex"}


@cache
def halves() -> tuple[dict[str, Any], dict[str, Any]]:
    """The header and the configuration, which are two documents."""
    header, configuration = yaml.safe_load_all(TEMPLATE.read_text(encoding="utf-8"))
    return header, configuration


def inputs() -> dict[str, dict[str, Any]]:
    """What the header declares."""
    header, _ = halves()
    declared: dict[str, dict[str, Any]] = header["spec"]["inputs"]
    return declared


def used(node: Any) -> Iterator[str]:
    """The inputs that a part of the configuration is filled with."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield from (*used(key), *used(value))
    elif isinstance(node, list):
        for value in node:
            yield from used(value)
    elif isinstance(node, str):
        yield from _PLACE.findall(node)


def refuses(name: str, value: Any) -> str:
    """Why GitLab takes no such value for an input; empty where it takes it."""
    rule = inputs()[name]
    assert set(rule) <= _KEYS, f"{name} has {set(rule) - _KEYS}"
    if not isinstance(value, _TYPES[rule.get("type", "string")]):
        return f"is not a {rule.get('type', 'string')}"
    if "options" in rule and value not in rule["options"]:
        return "is not one of the options"
    if "regex" in rule and re.search(rule["regex"], value) is None:
        return "does not match the pattern"
    return ""


def filled(given: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration that includes the component with these inputs."""
    unknown = set(given) - set(inputs())
    assert not unknown, f"no such inputs: {unknown}"
    values = {name: given.get(name, rule.get("default")) for name, rule in inputs().items()}
    for name, value in values.items():
        assert not refuses(name, value), f"{name}: {value!r} {refuses(name, value)}"
    _, configuration = halves()
    result: dict[str, Any] = _fill(configuration, values)
    return result


def _fill(node: Any, values: Mapping[str, Any]) -> Any:
    if isinstance(node, dict):
        return {_fill(key, values): _fill(value, values) for key, value in node.items()}
    if isinstance(node, list):
        return [_fill(value, values) for value in node]
    if not isinstance(node, str):
        return node
    alone = _PLACE.fullmatch(node)
    return values[alone[1]] if alone else _PLACE.sub(lambda match: _text(values[match[1]]), node)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)

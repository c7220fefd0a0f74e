"""Errors of the JSON Schema in plain words: what was found, what is expected, what to do next."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

from tooken_ci.base.errors import Fault
from tooken_ci.spec.shown import listed, quoted, shown, suggestion

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from jsonschema import ValidationError

    from tooken_ci.spec.positions import Document

Path = tuple[str | int, ...]

_TYPES = {
    "object": "a mapping",
    "array": "a list",
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "nothing",
}
_SHORT = 20
"""A text that fits into a hint."""

_ITEM_OF_DELIVER = 4
"""How long the path of a destination is: tokens, the name, deliver, the item's number."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Finding:
    """A fault, and the path in the document that it is about."""

    path: Path
    fault: Fault


@dataclasses.dataclass(frozen=True, kw_only=True)
class Violation:
    """What the validator found, without the parts that nobody here asks for.

    Attributes:
        keyword: the keyword of the schema that is violated.
        asked: the keyword's value.
        rule: the schema that the keyword stands in.
        value: what was found.
        path: where.
        inner: for ``anyOf`` and ``oneOf``, what is wrong with each branch.
    """

    keyword: str
    asked: Any
    rule: Mapping[str, Any]
    value: Any
    path: Path
    inner: tuple[Violation, ...] = ()


def violation(error: ValidationError) -> Violation:
    """Take what is needed from the validator's error."""
    rule = error.schema if isinstance(error.schema, dict) else {}
    return Violation(
        keyword=str(error.validator),
        asked=error.validator_value,
        rule=rule,
        value=error.instance,
        path=tuple(error.absolute_path),
        inner=tuple(violation(inner) for inner in error.context or ()),
    )


def explain(found: Violation, document: Document) -> Iterator[Finding]:
    """One violation as findings; some are about several keys."""
    match found.keyword:
        case "required":
            yield from _missing(found, document)
        case "additionalProperties":
            yield from _unknown(found, document)
        case "minProperties" | "maxProperties" if _is_destination(found.path):
            yield _not_one_kind(found, document)
        case "uniqueItems":
            yield _twice(found, document)
        case "anyOf" | "oneOf" if found.inner:
            nearest = min(found.inner, key=lambda inner: (inner.keyword == "type", -len(inner.path)))
            yield from explain(nearest, document)
        case _:
            yield _wrong(found, document)


def _missing(found: Violation, document: Document) -> Iterator[Finding]:
    path = found.path
    for key in found.asked:
        if key not in found.value:
            example = _example(_subschema(found, key))
            hint = f"Write '{key}: {example}'." if example else ""
            yield Finding(
                path=(*path, key),
                fault=Fault(document.key_at(path), f"{_label(path)} lacks {quoted(key)}.", hint=hint),
            )


def _unknown(found: Violation, document: Document) -> Iterator[Finding]:
    path = found.path
    known = found.rule.get("properties", {})
    if _is_destination(path) and len(found.value) != 1:
        return  # what is wrong there is the number of keys
    for key in found.value:
        if key in known:
            continue
        if _is_destination(path):
            message, what = f"There is no kind of destination named {quoted(key)}.", "Known kinds"
        else:
            message, what = f"The key {quoted(key)} is unknown in {_inside(path)}.", "Known keys"
        hint = suggestion(key, known, what=what)
        yield Finding(path=(*path, key), fault=Fault(document.key_at((*path, key)), message, hint=hint))


def _not_one_kind(found: Violation, document: Document) -> Finding:
    path = found.path
    kinds = found.rule.get("properties", {})
    if not found.value:
        message, hint = f"{_label(path)} names no kind of destination.", f"Known kinds: {listed(kinds)}."
    else:
        keys = listed(quoted(key) for key in list(found.value)[:3])
        message = f"{_label(path)} must be one kind of destination; found {len(found.value)} keys: {keys}."
        hint = "Indent the settings below the kind, and begin each destination with '- '."
    return Finding(path=path, fault=Fault(document.at(path), message, hint=hint))


def _twice(found: Violation, document: Document) -> Finding:
    path = found.path
    first = document.at((*path[:-1], found.asked))
    message = f"{quoted(found.value)} stands twice in {_inside(path[:-1])}; the first is at {first}."
    return Finding(path=path, fault=Fault(document.at(path), message, hint="Remove one."))


def _wrong(found: Violation, document: Document) -> Finding:
    path, value, rule = found.path, found.value, found.rule
    if found.keyword == "enum" and isinstance(value, str):
        what = rule.get("title", f"a value of {_inside(path)}")
        message, hint = f"{quoted(value)} is not {what}.", suggestion(value, rule["enum"], what="Allowed")
    elif found.keyword in ("minLength", "minItems", "minProperties") and not value:
        message, hint = f"{_label(path)} must not be empty.", _hint_for_empty(rule)
    elif found.keyword == "maxLength":
        message = f"{_label(path)} has {len(value)} characters; at most {found.asked} are allowed."
        hint = ""
    else:
        message = f"{_label(path)} must be {_expected(rule, path)}; found {shown(value)}."
        hint = _hint(value, rule, path)
    place = document.key_at(path) if value is None else document.at(path)
    return Finding(path=path, fault=Fault(place, message, hint=hint))


def _expected(rule: Mapping[str, Any], path: Path) -> str:
    if "const" in rule:
        return shown(rule["const"])
    types = rule.get("type", [])
    words = " or ".join(_TYPES[name] for name in ([types] if isinstance(types, str) else types)) or "something else"
    if not _is_setting(path):  # a kind's titles are headings for editors, those of our own schema fit a sentence
        words = rule.get("title", words)
    least = ", at least one" if rule.get("minItems") == 1 else ""
    if types == "integer" and "minimum" in rule and "maximum" in rule:
        words += f" from {rule['minimum']} to {rule['maximum']}"
    examples = " or ".join(_flow(example) for example in rule.get("examples", []))
    return f"{words}{least}" + (f", such as {examples}" if examples else "")


def _hint(value: Any, rule: Mapping[str, Any], path: Path) -> str:
    wanted = rule.get("type")
    hint = ""
    match value:
        case None:
            hint = _hint_for_nothing(rule, path)
        case bool() | int() | float() if wanted == "string" and "pattern" not in rule and "format" not in rule:
            hint = "Put it in quotes to make it text."
        case str() if wanted == "array":
            hint = f"Write it as a list: [{value}]." if len(value) <= _SHORT else "Write it as a list."
        case dict() if wanted == "array":
            hint = "Begin each item with '- '."
        case list() if wanted == "object":
            hint = "Write keys and values, without '- '."
        case str() if value in rule.get("properties", {}):
            hint = f"Write '- {value}: {{…}}' with its settings."
    return hint


def _hint_for_nothing(rule: Mapping[str, Any], path: Path) -> str:
    if "required" in rule:
        return f"It needs {listed(quoted(key) for key in rule['required'])}."
    empty = {"object": "{}", "array": "[]"}.get(str(rule.get("type")), "")
    if not empty or "minItems" in rule or not path or isinstance(path[-1], int):
        return "Give it a value."
    return f"Write '{path[-1]}: {empty}' for none, or remove the key."


def _hint_for_empty(rule: Mapping[str, Any]) -> str:
    example = _example(rule)
    return f"Give it a value such as {example}." if example else ""


def _subschema(found: Violation, key: str) -> Mapping[str, Any]:
    rule: Mapping[str, Any] = found.rule.get("properties", {}).get(key, {})
    return rule


def _example(rule: Mapping[str, Any]) -> str:
    examples = rule.get("examples") or [value for value in (rule.get("const"),) if value is not None]
    return _flow(examples[0]) if examples else ""


def _flow(value: Any) -> str:
    """An example as one would write it in YAML."""
    if isinstance(value, list):
        return f"[{listed(_flow(item) for item in value)}]"
    return value if isinstance(value, str) and not value.startswith(("*", "^", "[")) else json.dumps(value)


def _is_destination(path: Path) -> bool:
    return len(path) == _ITEM_OF_DELIVER and path[0] == "tokens" and path[2] == "deliver"


def _is_setting(path: Path) -> bool:
    return len(path) > _ITEM_OF_DELIVER and _is_destination(path[:_ITEM_OF_DELIVER])


def _label(path: Path) -> str:
    match path:
        case ():
            return "The spec"
        case ("tokens", str(name)):
            return f"The token {quoted(name)}"
        case (*_, key, int(index)):
            return f"Item {index + 1} of {quoted(str(key))}"
        case _:
            return quoted(str(path[-1]))


def _inside(path: Path) -> str:
    match path:
        case ():
            return "a spec"
        case ("tokens", str(name)):
            return f"the token {quoted(name)}"
        case _:
            return quoted(str(path[-1]))

"""The JSON Schema of the spec, and what it finds wrong with a document.

Two validators share the work. A fast one only says that a document is valid, in a hundredth of the time that its YAML
takes; whatever it does not take, the other one judges and explains. So the two may differ in one way only: the fast one
must take nothing that the other refuses.
"""

from __future__ import annotations

import copy
import dataclasses
import functools
import itertools
import json
from importlib import resources
from typing import TYPE_CHECKING, Any

from tooken_ci.base import scopes
from tooken_ci.spec.explain import Finding, explain, violation
from tooken_ci.spec.limits import MOST_FAULTS, too_many

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator, Mapping, Sequence

    from jsonschema import ValidationError
    from jsonschema.protocols import Validator

    from tooken_ci.spec.explain import Path
    from tooken_ci.spec.kinds import DestinationKind
    from tooken_ci.spec.positions import Document


def schema(kinds: Sequence[DestinationKind]) -> dict[str, Any]:
    """The JSON Schema (2020-12) of a spec, complete with the settings of the given destination kinds."""
    whole: dict[str, Any] = copy.deepcopy(_bare())
    definitions = whole["$defs"]
    definitions["scope"]["enum"] = list(scopes.ALL)
    items = definitions["token"]["properties"]["deliver"]["items"]
    items["properties"] = {kind.name: copy.deepcopy(dict(kind.schema)) for kind in kinds}
    return whole


def faults_of(document: Document, kinds: Sequence[DestinationKind]) -> list[Finding]:
    """Everything that the schema finds wrong with a document, in plain words, at most one finding for each value."""
    rules = _rules(_Kinds(kinds))
    if _surely_valid(document.data, rules):
        return []
    findings: dict[Path, Finding] = {}
    every = (
        finding
        for error in _validator(rules).iter_errors(document.data)
        for finding in explain(violation(error), document)
    )
    for finding in itertools.islice(every, MOST_FAULTS):
        findings.setdefault(finding.path, finding)
    clear = [finding for finding in findings.values() if not _within_another(finding, findings)]
    if next(every, None) is not None:
        clear.append(Finding(path=(), fault=too_many(document.file)))
    return clear


def _within_another(finding: Finding, findings: Container[Path]) -> bool:
    """What is wrong inside a value that is wrong as a whole is not worth telling."""
    return any(finding.path[:length] in findings for length in range(1, len(finding.path)))


@functools.cache
def _bare() -> dict[str, Any]:
    text = resources.files("tooken_ci.spec").joinpath("schema.json").read_text("utf-8")
    bare: dict[str, Any] = json.loads(text)
    return bare


class _Kinds(tuple["DestinationKind", ...]):
    """Kinds as what something was made of: those of a plugin may be objects that no dictionary takes."""

    __slots__ = ()

    def __hash__(self) -> int:
        return hash(tuple(map(id, self)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Kinds) and list(map(id, self)) == list(map(id, other))

    def __ne__(self, other: object) -> bool:
        return not self == other


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Rules:
    """What a document must keep to, as data, and as the fast validator has it."""

    data: dict[str, Any]
    fast: Callable[[Any], bool]


@functools.lru_cache(maxsize=4)  # a fleet has hundreds of files, and each would take longer for this than for the rest
def _rules(kinds: _Kinds) -> _Rules:
    # Only here, like the other one below, because --version and --help need neither.
    from jsonschema_rs import Draft202012Validator

    whole = schema(kinds)
    whole["properties"]["tokens"].pop("propertyNames")  # for editors; names.py says it better
    data: dict[str, Any] = _inlined(whole, whole["$defs"])
    return _Rules(data=data, fast=Draft202012Validator(data, validate_formats=False).is_valid)


def _surely_valid(data: Any, rules: _Rules) -> bool:
    try:
        return rules.fast(data)
    except ValueError:  # a text that is no Unicode, such as half a surrogate pair
        return False


def _validator(rules: _Rules) -> Validator:
    from jsonschema import Draft202012Validator, validators

    extend: Callable[..., type[Validator]] = validators.extend
    return extend(Draft202012Validator, {"uniqueItems": _unique_items})(rules.data)


def _inlined(node: Any, definitions: Mapping[str, Any]) -> Any:
    """The schema without references: following one costs the validator more than the check behind it."""
    if isinstance(node, list):
        return [_inlined(item, definitions) for item in node]
    if not isinstance(node, dict):
        return node
    name = str(node.get("$ref", "")).removeprefix("#/$defs/")
    merged = {**_inlined(definitions[name], definitions), **node} if name in definitions else node
    return {key: _inlined(value, definitions) for key, value in merged.items() if key not in {"$ref", "$defs"}}


def _unique_items(_: Validator, unique: bool, items: Any, __: Any) -> Iterator[ValidationError]:  # noqa: FBT001
    """Like the validator's own, but linear in time for every list, and each repeated item is an error of its own."""
    from jsonschema import ValidationError

    first: dict[str, int] = {}
    for index, item in enumerate(items if unique and isinstance(items, list) else ()):
        if isinstance(item, str) and first.setdefault(item, index) != index:
            yield ValidationError("twice", path=(index,), instance=item, cause=None, validator_value=first[item])

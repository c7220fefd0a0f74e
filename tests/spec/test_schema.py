"""The JSON Schema: valid itself, complete, and what the loader says fits it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from tests.spec import support
from tests.spec.support import KINDS, FileLike, told
from tooken_ci.base import scopes
from tooken_ci.spec.compose import compose
from tooken_ci.spec.schema import _Kinds, _rules, schema

if TYPE_CHECKING:
    from collections.abc import Mapping


def test_it_is_a_valid_schema() -> None:
    """The composed schema keeps the rules of its own dialect, which it names."""
    Draft202012Validator.check_schema(schema(KINDS))
    assert schema(KINDS)["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_every_mapping_is_closed_and_every_key_described() -> None:
    """An editor can complete every key, tell what it is for, and mark a wrong one."""

    def walk(node: dict[str, Any]) -> None:
        if node.get("type") == "object":
            assert "additionalProperties" in node
        for value in node.get("properties", {}).values():
            assert "$ref" in value or "description" in value
        for name in ("properties", "$defs"):
            for value in node.get(name, {}).values():
                walk(value)

    whole = schema(())
    walk(whole)
    assert whole["title"] == "a spec of tooken-ci"
    assert whole["$defs"]["scope"]["enum"] == list(scopes.ALL)


def test_the_kinds_stand_under_deliver() -> None:
    """Each kind brings its settings, and a second call is not changed by the first."""
    deliver = schema(KINDS)["$defs"]["token"]["properties"]["deliver"]["items"]
    assert deliver["properties"] == {"file": FileLike.schema}
    assert schema(())["$defs"]["token"]["properties"]["deliver"]["items"]["properties"] == {}


@pytest.mark.parametrize("path", sorted((Path(__file__).parent / "good").glob("*.yml")), ids=lambda path: path.stem)
def test_good_examples_fit_it(path: Path) -> None:
    """What the loader takes, an editor with the plain schema takes too."""
    document, _ = compose(path.read_text("utf-8"), path.name)
    assert [error.message for error in Draft202012Validator(schema(KINDS)).iter_errors(document.data)] == []


class Choosy:
    """A kind whose schema says more than most."""

    name = "choosy"
    schema: Mapping[str, Any] = {
        "type": "object",
        "required": ["mode", "tags"],
        "additionalProperties": False,
        "properties": {
            "mode": {"enum": ["fast", "safe"]},
            "where": {"oneOf": [{"type": "string", "pattern": "^[a-z]+$"}, {"type": "array", "minItems": 2}]},
            "tags": {"type": "array", "uniqueItems": True, "items": {"type": "string", "maxLength": 3}},
            "size": {"type": ["integer", "null"], "maximum": 9},
        },
    }
    parse = FileLike.parse


def test_errors_of_a_kinds_schema_are_plain_too(tmp_path: Path) -> None:
    """Whatever a kind's schema asks for, the message says it in words, never 'any of the given schemas'."""
    settings = "{mode: fsat, where: A1, tags: [a, abcd, a], size: 10}"
    document = f"version: 1\ntokens:\n  a:\n    scopes: [tokens:read]\n    deliver:\n      - choosy: {settings}\n"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(support, "KINDS", (Choosy(),))
        assert told(tmp_path, a=document) == [
            "a.yml:6:24: 'fsat' is not a value of 'mode'. Perhaps you meant 'fast'?",
            "a.yml:6:37: 'where' must be text; found 'A1'.",
            "a.yml:6:51: Item 2 of 'tags' has 4 characters; at most 3 are allowed.",
            "a.yml:6:57: 'a' stands twice in 'tags'; the first is at a.yml:6:48. Remove one.",
            "a.yml:6:67: 'size' must be a whole number or nothing; found the number 10.",
        ]


def test_nothing_heavy_is_imported_before_it_is_needed() -> None:
    """Modules that the command line imports at once pull in neither jsonschema nor yaml."""
    code = (
        "import sys, tooken_ci.spec.load, tooken_ci.spec.schema, tooken_ci.spec.policy\n"
        "print(sorted({'jsonschema', 'yaml', 'requests'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]
    )
    assert done.stdout.strip() == "[]"


def test_the_rules_are_made_once_for_the_same_kinds() -> None:
    """Every file of a fleet is held against the same rules; other kinds have others, also where they look alike."""
    first = _rules(_Kinds(KINDS))
    assert _rules(_Kinds(list(KINDS))) is first
    assert _rules(_Kinds([FileLike()])) is not first
    assert _Kinds(KINDS) != KINDS

"""The fast validator takes nothing that the other one refuses, so no error of a spec is ever lost to speed."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema_rs
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.spec.support import KINDS, told
from tooken_ci.base.errors import SpecError
from tooken_ci.spec import schema
from tooken_ci.spec.compose import compose
from tooken_ci.spec.load import load

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
GOOD = sorted((HERE / "good").glob("*.yml"))
EXAMPLES = [*GOOD, *sorted((HERE / "bad").glob("*.yml"))]
RULES = schema._rules(schema._Kinds(KINDS))
VALUES: st.SearchStrategy[Any] = st.sampled_from(
    [
        *(None, True, False, 0, 1, -1, 5, 1.0, 0.0, -0.0, 1.5, 1e308, float("inf"), float("nan"), 10**18, 10**30),
        *("", " ", "x", "x\n", "\x1f", "\x85", "\ufeff", "\u2028", "é", "\ud800", "90d", "90d\n", "٣d", "0", "0%"),
        *("00.0%", "33%", "100%", "101%", "tokens:read", "2027-01-01T00:00:00Z", "never"),
        *([], {}, [1, 1.0], ["tokens:read", "tokens:read"], [{}], {"path": "x"}, {"file": {"path": "x"}}),
    ]
)


def agree(data: Any) -> None:
    """What the fast one takes, the other takes too."""
    if schema._surely_valid(data, RULES):
        assert list(schema._validator(RULES).iter_errors(data)) == []


def read(path: Path) -> Any:
    try:
        return compose(path.read_text("utf-8"), path.name)[0].data
    except (SpecError, UnicodeDecodeError):
        return None


def patterns(rules: Any) -> Iterator[str]:
    inner = rules.values() if isinstance(rules, dict) else rules if isinstance(rules, list) else ()
    if isinstance(rules, dict) and isinstance(rules.get("pattern"), str):
        yield rules["pattern"]
    for part in inner:
        yield from patterns(part)


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_good_examples_need_the_fast_one_only(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A valid spec is loaded without the other validator, which is not even imported for it."""
    monkeypatch.setattr(schema, "_validator", None)
    load([str(path)], kinds=KINDS)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_they_agree_on_examples(path: Path) -> None:
    """The fast one takes no example that the other one refuses."""
    agree(read(path))


@given(st.sampled_from([data for data in map(read, EXAMPLES) if isinstance(data, dict)]), st.data())
@settings(max_examples=400, deadline=None)
def test_they_agree_on_changed_examples(example: dict[str, Any], data: st.DataObject) -> None:
    """One or two values of an example exchanged for anything, keys added and removed: never is more taken."""
    changed: Any = example
    for _ in range(data.draw(st.integers(1, 2))):
        changed = mutated(changed, data)
    agree(changed)


def mutated(node: Any, data: st.DataObject) -> Any:
    inner = list(node) if isinstance(node, dict) else list(range(len(node))) if isinstance(node, list) else []
    if not inner or data.draw(st.integers(0, 5)) == 0:
        return data.draw(VALUES)
    copied: Any = node.copy()
    key = data.draw(st.sampled_from(inner))
    how = data.draw(st.sampled_from(["deeper", "deeper", "deeper", "deeper", "removed", "added"]))
    if how == "removed":
        del copied[key]
    elif how == "added" and isinstance(copied, dict):
        copied[data.draw(st.sampled_from(["version", "scopes", "path", "overlap", "max_changes", "new"]))] = node[key]
    elif how == "added":
        copied.append(node[key])
    else:
        copied[key] = mutated(node[key], data)
    return copied


@pytest.mark.parametrize("pattern", sorted(set(patterns(RULES.data))))
def test_patterns_mean_the_same_to_both(pattern: str) -> None:
    """No pattern of the schema takes a character in the fast one's dialect that Python's refuses."""
    fast, slow = jsonschema_rs.Draft202012Validator({"pattern": pattern}), re.compile(pattern)
    space = [chr(code) for code in range(sys.maxunicode + 1) if chr(code).isspace() or chr(code).isdecimal()]
    for char in (*map(chr, range(0x300)), *space, "\u180e", "\u200b", "\ufeff"):
        for text in (char, f"a{char}", f"{char}a", f"a{char}a", f"1{char}", f"{char}d", f"9{char}d", f"1{char}%"):
            assert slow.search(text) or not fast.is_valid(text), repr(text)


@pytest.mark.parametrize("text", ['workspace: "\\x1F"', 'workspace: "a\\x1F"', 'prune: ["\\x1F"]', 'prune: ["\\N"]'])
def test_a_space_that_only_one_dialect_knows(text: str, tmp_path: Path) -> None:
    """What Python takes for a space is one in the spec, whatever the fast validator's patterns make of it."""
    assert len(told(tmp_path, a=f"version: 1\n{text}\n")) == 1


def test_half_a_character_is_judged_by_the_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without libyaml half a surrogate pair comes through; the fast validator cannot read it, and nothing breaks."""
    monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    lines = told(tmp_path, a='version: 1\nworkspace: "\\uD800"\nx: 1\n')
    assert [line.split(":")[1] for line in lines] == ["2", "3"] or lines[-1].startswith("a.yml:3:1: The key 'x'")


def test_the_plain_schema_is_not_worn_out_by_use() -> None:
    """The rules for validators are made anew; the schema for editors keeps what they leave out."""
    assert "propertyNames" in schema.schema(KINDS)["properties"]["tokens"]
    assert "propertyNames" not in RULES.data["properties"]["tokens"]

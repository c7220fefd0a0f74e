"""One key of a JSON secret is read and replaced; whatever stands beside it stays as it is, byte by byte."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tooken_ci.destinations.aws_json import value_of, with_value

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.text(max_size=8), VALUES, max_size=5)


@given(OBJECTS, st.text(max_size=8), st.text(min_size=1), st.sampled_from([None, 2, "\t"]))
def test_only_the_key_changes(content: dict[str, object], key: str, value: str, indent: int | str | None) -> None:
    """The key gets the value, and every other one keeps its own."""
    changed = with_value(json.dumps(content, indent=indent), key, value)
    assert json.loads(changed) == {**content, key: value}
    assert value_of(changed, key) == value


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("{}", '{"token": "new"}'),
        (" { } ", '{"token": "new"}'),
        ('{"a":1.10,"token":"old"}', '{"a":1.10,"token":"new"}'),
        ('{\n  "token": null,\n  "a": 1e3\n}\n', '{\n  "token": "new",\n  "a": 1e3\n}\n'),
        ('{"a": "\\u00e9"}', '{"a": "\\u00e9", "token": "new"}'),
        ('{"a": {"token": "x"}}', '{"a": {"token": "x"}, "token": "new"}'),
        ('{"tok\\u0065n": "old"}', '{"tok\\u0065n": "new"}'),
        (
            '{"token": ["old", {"a": 1}], "b": 12345678901234567890123}',
            '{"token": "new", "b": 12345678901234567890123}',
        ),
    ],
)
def test_the_form_is_kept(text: str, changed: str) -> None:
    """Numbers, escapes, order and white space are those of the owner."""
    assert with_value(text, "token", "new") == changed


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{}", None),
        ('{"token": null}', None),
        ('{"token": ""}', None),
        ('{"token": "old"}', "old"),
        ('{"token": 17}', "17"),
        ('{"token": {"a": [1, 2]}}', '{"a": [1, 2]}'),
    ],
)
def test_what_stands_at_a_key(text: str, value: str | None) -> None:
    """A string is read; null or nothing is no value; anything else is shown as it stands there."""
    assert value_of(text, "token") == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tok_secret_0123456789",
        "[]",
        '"token"',
        "17",
        "{",
        '{"token"',
        '{"token": "tok_secret_0123456789"',
        '{"token": "a",}',
        "{'token': 'a'}",
        '{1: "a"}',
        '{"token": "a"} tok_secret_0123456789',
        '{"a": 1 "token": 2}',
        '{"a": ' + "[" * 100_000,
    ],
)
def test_what_is_no_object(text: str) -> None:
    """Other text has no keys, and the error does not show what stands there."""
    with pytest.raises(ValueError, match=r"^it is not a JSON object$"):
        value_of(text, "token")
    with pytest.raises(ValueError, match=r"^it is not a JSON object$"):
        with_value(text, "token", "new")


def test_a_key_that_stands_there_twice() -> None:
    """Nobody knows which of two is read, so neither is written."""
    with pytest.raises(ValueError, match="a key twice"):
        with_value('{"token": "a", "b": 1, "token": "c"}', "token", "new")

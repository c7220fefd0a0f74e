"""Where in a file the secret stands, and that all else in it stays as it was."""

from __future__ import annotations

import json
import shlex
import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.destinations.support import OTHER, SECRET
from tooken_ci.destinations.file_format import FORMS, FormatError

if TYPE_CHECKING:
    from pathlib import Path

DOTENV, JSON = FORMS["dotenv"], FORMS["json"]

ENV = """# don't touch
export PATH_PREFIX=/srv
CERT="-----BEGIN
TOKEN=inside a value
-----END"
  EMPTY=
NAME = 'it is' # a name
TOKEN_2=other
"""


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("TOKEN=abc", "abc"),
        ("export TOKEN=abc", "abc"),
        ("  TOKEN = abc  ", "abc"),
        ("TOKEN=abc # note", "abc"),
        ("TOKEN=abc#def", "abc#def"),
        ("TOKEN=#abc", ""),
        ("TOKEN=", ""),
        ("TOKEN=a=b", "a=b"),
        ("TOKEN='a # b'", "a # b"),
        ("TOKEN='a\\b' # note", "a\\b"),
        ('TOKEN="a \\"b\\" c"', 'a "b" c'),
        ('TOKEN="two\nlines"', "two\nlines"),
        ("TOKEN=`a b`", "a b"),
        ("TOKEN='not closed", "'not closed"),
        ("TOKEN='a'b", "'a'b"),
        ("TOKEN=abc\r", "abc"),
        ("\ufeffTOKEN=abc", "abc"),
        ("TOKEN=first\nTOKEN=last", "last"),
        ("#TOKEN=abc", None),
        ("TOKENS=abc", None),
        ("MY_TOKEN=abc", None),
        ("token=abc", None),
        ("TOKEN", None),
        ('OTHER="\nTOKEN=abc\n"', None),
        ("", None),
    ],
)
def test_a_variable_is_found(line: str, value: str | None) -> None:
    """A variable has the value that its readers see, however its line was written."""
    assert DOTENV.get(line, "TOKEN") == value
    assert DOTENV.get(f"A=1\n{line}\nB=2\n", "TOKEN") == value


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", f"TOKEN={SECRET}\n"),
        ("A=1", f"A=1\nTOKEN={SECRET}\n"),
        (ENV, f"{ENV}TOKEN={SECRET}\n"),
        ("A=1\n TOKEN = 'old' # note\nB=2\n", f"A=1\n TOKEN={SECRET}\nB=2\n"),
        ("export TOKEN=old\r\nB=2\r\n", f"export TOKEN={SECRET}\r\nB=2\r\n"),
        ("TOKEN=one\nA=1\nTOKEN=two", f"TOKEN={SECRET}\nA=1\nTOKEN={SECRET}"),
    ],
)
def test_a_variable_is_set(before: str, after: str) -> None:
    """A variable is set on its line, or on a new one at the end, and no other line changes."""
    assert DOTENV.put(before, "TOKEN", SECRET) == after
    assert DOTENV.get(after, "TOKEN") == SECRET
    assert DOTENV.put(after, "TOKEN", OTHER) == after.replace(SECRET, OTHER)


@pytest.mark.parametrize("secret", [SECRET, "a b # c", 'say "hi"', "~/x:~y", "{a} & (b); c!", "ünï", "-_./+=@:,%"])
def test_a_shell_reads_what_was_written(tmp_path: Path, secret: str) -> None:
    """A line that was written gives a shell the very secret, whatever it is made of."""
    path = tmp_path / "env"
    path.write_text(DOTENV.put("", "TOKEN", secret), encoding="utf-8")
    script = f'. {shlex.quote(str(path))}; printf %s "$TOKEN"'
    assert subprocess.run(["sh", "-c", script], capture_output=True, check=True).stdout.decode() == secret


@pytest.mark.parametrize("char", ["\n", "\r", "\t", "\0", "'", "\\", "$", "`", "\u2028", "\udcff"])
def test_what_readers_do_not_agree_on(char: str) -> None:
    """A secret that some reader of dotenv files would read otherwise is refused, and not shown."""
    with pytest.raises(FormatError, match="do not agree on") as caught:
        DOTENV.put("", "TOKEN", f"{SECRET}{char}x")
    assert SECRET not in str(caught.value)


@given(st.text(alphabet="AB='\"\\`# \nx", max_size=40), st.sampled_from(["A", "B"]))
def test_the_other_variable_stays(text: str, name: str) -> None:
    """Whatever a file holds, a variable that is set is read back, and what is behind the other one stays."""
    other = "AB".replace(name, "")
    before = DOTENV.get(text, other)
    after = DOTENV.put(text, name, SECRET)
    assert DOTENV.get(after, name) == SECRET
    assert DOTENV.get(after, other) == before


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        (" \n", None),
        ("{}", None),
        ('{"token": null}', None),
        ('{"other": "x", "inner": {"token": "y"}}', None),
        ('{"token": "abc"}', "abc"),
        ('{"token": ""}', ""),
        ('{"t\\u006fken": "a\\"b"}', 'a"b'),
        ('{"token": {"a": [1, 2.50]}, "z": 1}', '{"a": [1, 2.50]}'),
        ('{"token": true}', "true"),
        ('{"token": "first", "token": "last"}', "last"),
    ],
)
def test_a_key_is_found(text: str, value: str | None) -> None:
    """Only a key at the top counts, and its value is what the object's readers see."""
    assert JSON.get(text, "token") == value


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", '{\n  "token": "NEW"\n}\n'),
        ("{ }\n", '{\n  "token": "NEW"\n}\n'),
        ('{"a":1}', '{"a":1,"token": "NEW"}'),
        ('{\n  "a": 1.50,\n  "b": {"token": 2}\n}\n', '{\n  "a": 1.50,\n  "b": {"token": 2},\n  "token": "NEW"\n}\n'),
        ('{\n\t"token" : "old" ,\n\t"z": [1e400]\n}', '{\n\t"token" : "NEW" ,\n\t"z": [1e400]\n}'),
        ('{"token": 1, "a": 2, "token": {}}', '{"token": "NEW", "a": 2, "token": "NEW"}'),
    ],
)
def test_a_key_is_set(before: str, after: str) -> None:
    """A key is set in its place, or as the last one in the same style, and no other character changes."""
    assert JSON.put(before, "token", "NEW") == after
    assert JSON.get(after, "token") == "NEW"


@pytest.mark.parametrize(
    "text", ["x", "[]", '"token"', "5", "{", '{"a": 1,}', '{"token": "x"} y', "{a: 1}", "[" * 9999]
)
def test_no_object(text: str) -> None:
    """A file that is no JSON object is neither read nor written."""
    with pytest.raises(FormatError, match="not a JSON object"):
        JSON.get(text, "token")
    with pytest.raises(FormatError, match="not a JSON object"):
        JSON.put(text, "token", SECRET)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.dictionaries(st.text(max_size=5), VALUES, max_size=5),
    st.text(min_size=1, max_size=5),
    st.text(),
    st.sampled_from([None, 0, 2, "\t"]),
)
def test_the_other_keys_stay(data: dict[str, object], key: str, secret: str, indent: int | str | None) -> None:
    """Whatever an object holds, one key is set and all others keep their values and their order."""
    after = JSON.put(json.dumps(data, indent=indent), key, secret)
    assert json.loads(after) == {**data, key: secret}
    assert list(json.loads(after)) == list({**data, key: secret})
    assert JSON.get(after, key) == secret

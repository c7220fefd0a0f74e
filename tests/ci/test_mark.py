"""The mark by which a comment is found again."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tooken_ci.ci.standing import begins_with, mark

NAMES = st.text(st.characters(), max_size=30)  # surrogates too: a path may hold bytes that are no text
SPECS = st.lists(NAMES, max_size=4)


@given(workspace=NAMES, specs=SPECS, body=NAMES)
def test_it_is_found_again(workspace: str, specs: list[str], body: str) -> None:
    """Whatever the names and the text, a comment under the mark is found by it, however the host ends its lines."""
    own = mark(workspace, specs)
    assert own == mark(workspace, [*reversed(specs), *specs])
    assert begins_with(own, f"{own}\n{body}")
    assert begins_with(own, f"{own}\r\n{body}")
    assert begins_with(own, own)
    assert own.isascii()
    assert own.isprintable()
    assert len(own) == len(mark("", []))
    assert own.startswith("<!-- ")
    assert own.index("-->") == len(own) - 3


@pytest.mark.parametrize("path", ["./specs/tooken.yml", "specs//tooken.yml", "specs/../specs/tooken.yml"])
def test_one_spec_has_one(path: str) -> None:
    """However the path of a spec is written, its comment is the same."""
    assert mark("production", [path]) == mark("production", ["specs/tooken.yml"])


@given(one=st.tuples(NAMES, st.sets(NAMES, max_size=3)), other=st.tuples(NAMES, st.sets(NAMES, max_size=3)))
def test_others_have_another(one: tuple[str, set[str]], other: tuple[str, set[str]]) -> None:
    """Another workspace, or another spec, has another mark."""
    same = one[0] == other[0] and set(map(os.path.normpath, one[1])) == set(map(os.path.normpath, other[1]))
    assert (mark(one[0], sorted(one[1])) == mark(other[0], sorted(other[1]))) == same


@pytest.mark.parametrize(
    "body",
    ["", " {}", "\n{}", "> {}", "`{}`", "{} and more", "{}{}", "\ufeff{}", "see\n\n{}\n", "{}\u2028text", "{}\x0btext"],
)
def test_what_only_looks_like_it(body: str) -> None:
    """A mark that is not the whole first line is a quotation of it, and no mark."""
    own = mark("w", ["tooken.yml"])
    assert not begins_with(own, body.format(own, own))

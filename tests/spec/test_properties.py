"""Order and split of a spec do not matter; a large one loads in time that grows with its length only."""

from __future__ import annotations

import dataclasses
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from tests.spec.support import loaded
from tooken_ci.base import scopes
from tooken_ci.base.position import Position

if TYPE_CHECKING:
    from tooken_ci.spec.model import Entry, Spec

NAMES = st.lists(st.text("abc-", min_size=1, max_size=6).filter(lambda name: name.strip("-")), unique=True, max_size=6)
NOWHERE = Position("", 1, 1)


def text_of(names: list[str]) -> str:
    lines = [
        f"  '{name}':\n    scopes: [{scopes.ALL[1 + len(name) % 6]}, {scopes.READ}]\n    expires_in: {len(name) + 9}d\n"
        f"    deliver: [file: {{path: 'out/{name}'}}]\n"
        for name in names
    ]
    return "version: 1\ntokens: {}\n" if not lines else "version: 1\ntokens:\n" + "".join(lines)


def placeless(spec: Spec) -> list[Entry]:
    return [
        dataclasses.replace(
            entry,
            position=NOWHERE,
            keys={},
            deliver=tuple(dataclasses.replace(target, position=NOWHERE) for target in entry.deliver),
        )
        for entry in spec.entries
    ]


@given(NAMES.flatmap(lambda names: st.tuples(st.just(names), st.permutations(names), st.integers(0, len(names)))))
def test_order_and_split_do_not_matter(case: tuple[list[str], list[str], int]) -> None:
    """The same entries in another order, or in two files, are the same spec."""
    names, shuffled, cut = case
    with tempfile.TemporaryDirectory() as folder:
        whole = loaded(Path(folder), whole=text_of(names))
        parts = loaded(Path(folder), one=text_of(shuffled[:cut]), two=text_of(shuffled[cut:]))
    assert placeless(parts) == placeless(whole)


def test_ten_thousand_entries(tmp_path: Path) -> None:
    """A very large spec loads in seconds."""
    begin = time.monotonic()
    spec = loaded(tmp_path, a=text_of([f"ci-{number}" for number in range(10_000)]))
    assert len(spec.entries) == 10_000
    assert time.monotonic() - begin < 30

"""The loader of the spec: any file is a spec, or has faults that people can read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given

from tests.fuzz.support import BATCH, changed, for_a_while
from tests.support.runner import commands, unprintable
from tooken_ci.base.errors import SpecError
from tooken_ci.destinations.interface import Surroundings
from tooken_ci.destinations.registry import Registry
from tooken_ci.spec.load import load
from tooken_ci.spec.policy import breaches

if TYPE_CHECKING:
    from tooken_ci.base.errors import Fault

SPECS = Path(__file__).parents[1] / "spec"
CORPUS = sorted((Path(__file__).parent / "corpus" / "spec").iterdir())
SEEDS = [path.read_bytes() for path in sorted([*SPECS.glob("good/*.yml"), *SPECS.glob("bad/*.yml"), *CORPUS])]
PIECES = [
    *(bytes([char]) for char in b"[]{}:,-?&*!|>'\"%@`#\t\n\r \\~<=0"),
    *b"\n  |: |- |&a |*a |!!str |!!binary |<<: |---\n|...\n|%YAML 1.1\n|? |null|true|.inf|1e999|2026-02-30".split(b"|"),
    *b"tokens:|deliver:|policy: |name_pattern: '(a+)+$'|expires_at: |expires_in: |rotation: |self: ".split(b"|"),
    *b"99999999999999999999d|-1d|0d|1h|33%|-5%|1e9%|max_changes: |previously: |- exec: {|- job: {".split(b"|"),
    *(text.encode() for text in ("\ufeff", "\u2028", "\x85", "\u202e", "é", "🚀", "\0")),
    b"\xff",
    b"\xc3",
    b"\xed\xa0\x80",
]


def _faults(path: Path, content: bytes) -> list[Fault]:
    path.write_bytes(content)
    kinds = Registry(Surroundings(in_ci=True)).kinds
    try:
        spec = load([str(path)], kinds=kinds)
    except SpecError as error:
        found = list(error.faults)
    else:
        return [*spec.warnings, *(breach.fault for breach in breaches(spec))]
    assert found
    return found


def _check(path: Path, content: bytes) -> None:
    for fault in _faults(path, content):
        told = str(fault)
        assert not unprintable(told), told
        assert not commands(told)
        assert fault.position.line >= 1
        assert fault.position.column >= 1
        assert len(told) < 5000


@pytest.mark.parametrize("case", CORPUS, ids=lambda path: path.name)
def test_what_was_found_before(case: Path, tmp_path: Path) -> None:
    """Each file of the corpus is a spec, or has faults."""
    _check(tmp_path / "tooken.yml", case.read_bytes())


def test_any_change_of_a_spec(tmp_path: Path) -> None:
    """A spec that was changed at random is a spec still, or has faults, each with a place and harmless words."""

    @given(changed(SEEDS, PIECES))
    @BATCH
    def batch(content: bytes) -> None:
        _check(tmp_path / "tooken.yml", content)

    for_a_while(batch)

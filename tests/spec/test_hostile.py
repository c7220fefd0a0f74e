"""Files that are no spec at all: too large, binary, bombs, broken text. Never a crash, never slow."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tests.spec.support import KINDS, faults, told
from tooken_ci.base.errors import SpecError
from tooken_ci.spec.build import build
from tooken_ci.spec.compose import compose
from tooken_ci.spec.files import MAX_BYTES
from tooken_ci.spec.limits import MOST_FAULTS

if TYPE_CHECKING:
    from pathlib import Path

BOMB = "version: 1\ntokens:\n  a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"  a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 30)
)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "1:1: The file is empty. Begin it with 'version: 1', then 'tokens:' and the tokens by name."),
        (b"version: 1\nworkspace: \xff\n", "2:12: The byte 0xFF is not UTF-8. Save the file as UTF-8."),
        ("version: 1\n".encode("utf-16"), "1:1: The byte 0xFF is not UTF-8. Save the file as UTF-8."),
        (
            b"version: 1\nworkspace: a\0b\n",
            (
                "2:13: The character U+0000 is not allowed in YAML. "
                "Remove it; is the file binary, or of another encoding than UTF-8?"
            ),
        ),
        (b"[" * 100_000, "1:41: This nests deeper than 40 levels; a spec needs fewer than ten."),
        (b"a: {" * 100_000, "1:160: This nests deeper than 40 levels; a spec needs fewer than ten."),
        (b"- " * 100_000, "1:81: This nests deeper than 40 levels; a spec needs fewer than ten."),
        (
            BOMB.encode(),
            (
                "8:37: Aliases make this file more than 4 MiB longer than it is. "
                "Write the values out, or put what entries share under 'defaults'."
            ),
        ),
        (
            b"#" * 5_000_000,
            (
                "1:1: The file has 5,000,000 bytes; a spec may have 4,194,304 (4 MiB) at most. "
                "Is it the right file? A spec can be split: --spec can be given several times."
            ),
        ),
    ],
    ids=["empty", "latin-1", "utf-16", "nul", "brackets", "braces", "dashes", "bomb", "5MB"],
)
def test_one_clear_fault_and_fast(content: bytes, expected: str, tmp_path: Path) -> None:
    """Such a file gives one fault with its place, at once."""
    path = tmp_path / "spec.yml"
    path.write_bytes(content)
    begin = time.monotonic()
    (fault,) = faults([str(path)])
    assert time.monotonic() - begin < 2
    assert str(fault) == f"{path}:{expected}"


def test_the_largest_file_is_read(tmp_path: Path) -> None:
    """A file of exactly the limit is looked into."""
    head = "versio: 1\n#"
    assert len(told(tmp_path, a=head + "x" * (MAX_BYTES - len(head)))) == 2


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path) -> None:
    """Editors on Windows put a mark before the first key."""
    assert told(tmp_path, a="\ufeffversion: 1\nx: 1\n")[0].startswith("a.yml:2:1: The key 'x' is unknown")


def test_a_huge_value_is_not_shown_whole(tmp_path: Path) -> None:
    """A message stays short, whatever stands in the file."""
    (line,) = told(tmp_path, a=f"version: {'9' * 100_000}\n")
    assert line == f"a.yml:1:10: 'version' must be the number 1; found '{'9' * 40}…'."


@pytest.mark.parametrize(
    "text",
    [
        f"version: 1\nabsent: [{'1, a, ' * 100_000}1]\n",
        "version: 1\n" * 100_000,
        "version: 1\ntokens:\n" + "".join(f" a{number}.g2: {{scopes: [tokens:read]}}\n" for number in range(5000)),
    ],
    ids=["schema", "yaml", "names"],
)
def test_the_number_of_faults_is_bounded(text: str, tmp_path: Path) -> None:
    """A file with countless faults ends with the word that there are more."""
    begin = time.monotonic()
    lines = told(tmp_path, a=text)
    assert time.monotonic() - begin < 10
    assert len(lines) <= MOST_FAULTS + 1
    assert "a.yml:1:1: There are more errors in this file than are listed here." in lines


def test_text_cannot_speak_to_the_runner(tmp_path: Path) -> None:
    """What a message repeats has no control characters."""
    (line,) = told(tmp_path, a='version: 1\n"a\\n::error::b": 1\n')
    assert "\n" not in line
    assert "'a\\x0a::error::b'" in line


def survives(text: str) -> None:
    try:
        document, _ = compose(text, "a.yml")
    except SpecError:
        return
    if isinstance(document.data, dict):
        build(document, KINDS)


YAML_PIECES = st.sampled_from(
    [
        *"[]{}:,-?&*!|>'\"%@`#\t\n \\",
        "\n  ",
        ": ",
        "- ",
        "&a ",
        "*a ",
        "!!str ",
        "<<: ",
        "---\n",
        "...\n",
        "%YAML 1.1\n",
        "version: 1\n",
        "tokens:\n",
        "  ci:\n",
        "    scopes: ",
        "tokens:read",
        "deliver:",
        "file:",
        "path",
        "90d",
        "0",
        "~",
        "policy: ",
        "name_pattern: ",
        "defaults: ",
        "rotation: {overlap: ",
        "absent: ",
        "expires_at: ",
        "\u2028",
        "\x85",
    ]
)


@given(st.one_of(st.text(), st.lists(YAML_PIECES, max_size=60).map("".join)))
def test_any_text_is_a_spec_or_has_faults(text: str) -> None:
    """No text whatever brings anything but faults."""
    survives(text)


def test_an_impossible_escape_without_libyaml(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The parser in Python fails on its own on such an escape; that is a fault like any other."""
    monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    assert told(tmp_path, a='"\\UFFFFFFFF"')[0].startswith("a.yml:1:1: This is not valid YAML: an escape names no")


@given(st.lists(YAML_PIECES, max_size=40).map("".join))
def test_any_text_without_libyaml(text: str) -> None:
    """The same holds where PyYAML comes without libyaml."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delattr(yaml, "CSafeLoader", raising=False)
        survives(text)


SOME: st.SearchStrategy[object] = st.sampled_from(
    [None, True, 0, -1, 1.5, "", "x", "90d", "0", "20%", "tokens:read", [], {}, "2027-01-01T00:00:00Z"]
)
KEYS = st.sampled_from(
    [
        "version",
        "workspace",
        "defaults",
        "policy",
        "tokens",
        "absent",
        "prune",
        "scopes",
        "expires_in",
        "expires_at",
        "renew_before",
        "runs_every",
        "rotation",
        "overlap",
        "deliver",
        "file",
        "path",
        "protected",
        "owner",
        "ci",
        "x.g2",
        "name_pattern",
        "max_changes",
        "max_lifetime",
        "forbidden_scopes",
    ]
)
TREES = st.recursive(SOME, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=6))


@given(st.dictionaries(KEYS, TREES, max_size=6))
def test_any_data_is_a_spec_or_has_faults(data: dict[str, object]) -> None:
    """Known keys in unknown places with any values bring nothing but faults."""
    survives(yaml.safe_dump({"version": 1, **data}))


def test_positions_do_not_depend_on_libyaml(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without libyaml the same faults are told at the same places."""
    text = "version: 1\ntokens:\n  é: &a\n    scopes: [tokens:raed, 'x']\n  b: *a\nabsent:\nprune: [{a: }]\n"
    with_libyaml = told(tmp_path, a=text)
    monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    assert told(tmp_path, a=text) == with_libyaml
    assert len(with_libyaml) == 6

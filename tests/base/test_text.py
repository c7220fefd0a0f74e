"""Text from outside is harmless once it passed ``safe``: to the terminal, to the log, and to the CI runner."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.runner import commands, sections
from tooken_ci.base.redact import redactor
from tooken_ci.base.secret import Secret
from tooken_ci.base.text import LIMIT, count, intact, masked, masked_data, quoted, safe, safe_lines

HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("ci-deploy", "ci-deploy"),
        ("grün 日本 🚀 a:b::c", "grün 日本 🚀 a:b::c"),
        ("a\nb\r\nc", "a\\x0ab\\x0d\\x0ac"),
        ("a\x00b\tc\x7f\x85", "a\\x00b\\x09c\\x7f\\x85"),
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("section_start:0:x\r\x1b[0K", "section_start:0:x\\x0d\\x1b[0K"),
        ("user\u202etxt.exe", "user\\u202etxt.exe"),
        ("\u2066a\u2069\u200b\ufeff", "\\u2066a\\u2069\\u200b\\ufeff"),
        ("a\u2028b\u2029c", "a\\u2028b\\u2029c"),
        ("\ue000\ud800", "\\ue000\\ud800"),
        ("\U000e0041", "\\U000e0041"),
        ("::error::x", "\\x3a:error::x"),
        ("  ::add-mask::x", "  \\x3a:add-mask::x"),
        ("\u00a0::x", "\u00a0\\x3a:x"),
        (":::x", "\\x3a::x"),
        (":x", ":x"),
        ("##[error]x", "\\x23#[error]x"),
        ("a ##[group]", "a \\x23#[group]"),
        ("###[x]", "#\\x23#[x]"),
        ("# [x] #[x]", "# [x] #[x]"),
        # the runner gives no weight to these, and would find its command all the same
        ("\u034f::error::x", "\\u034f::error::x"),
        (":\ufe0f:error::x", ":\\ufe0f:error::x"),
        (" \u0301\u0301::x", " \\u0301\\u0301::x"),
        ("a #\ufe0e#\u0489[error]", "a #\\ufe0e#\\u0489[error]"),
        ("e\u0301 \u0e01\u0e34 ❤\ufe0f", "e\u0301 \u0e01\u0e34 ❤\ufe0f"),
        ("\u3164name\u115f", "\\u3164name\\u115f"),
        ("", ""),
    ],
)
def test_safe(text: str, shown: str) -> None:
    """Control, format and line characters are shown as escapes, commands to a runner are broken, the rest stays."""
    assert safe(text) == shown


@given(st.text(st.characters() | st.sampled_from(":#[] \n\r\x1b\u202e\u034f\ufe0f\u0301"), max_size=60))
@settings(deadline=None, max_examples=300)
def test_nothing_gets_through(text: str) -> None:
    """Whatever the text, what is shown is one line of visible characters that no runner takes for a command."""
    shown = safe(text)
    assert not [char for char in shown if unicodedata.category(char) in HIDDEN]
    assert len(shown.splitlines()) <= 1
    assert not shown.lstrip().startswith("::")
    assert "##[" not in shown
    assert safe(shown, limit=4000) == shown


_BAITS = [
    "::error::",
    "##[error]",
    ":",
    "#",
    "error",
    " ",
    "\u00a0",
    "\u2003",
    "\u034f",
    "\ufe0f",
    "\u200b",
    "\x85",
    "é",
]


@given(st.lists(st.sampled_from(_BAITS), max_size=12).map("".join), st.sampled_from(["", "  ", "Error: ", "\u00a0"]))
@settings(deadline=None, max_examples=300)
def test_no_runner_finds_a_command(text: str, before: str) -> None:
    """However the pieces of a command are put together, and after whatever of ours, the runner finds none."""
    assert not commands(before + safe(text))
    assert not commands(safe(before + text))
    assert not sections(safe(text + "section_start:1:x\r\x1b[0K"))


def test_lines_of_ours() -> None:
    """Of several lines each is made safe for itself, and keeps its indentation."""
    assert safe_lines("one\n  ::error::x\n\ttwo\r\n") == "one\n  \\x3a:error::x\n\\x09two\\x0d\n"


def test_very_long() -> None:
    """Long text is cut at the limit and says so; text of just the limit is not."""
    assert safe("a" * LIMIT) == "a" * LIMIT
    assert safe("a" * (LIMIT + 1)) == "a" * LIMIT + "…"
    assert safe("abcdef", limit=3) == "abc…"
    assert len(safe("\U000e0041" * 1_000_000)) <= 10 * LIMIT + 1


def test_quoted() -> None:
    """A name inside a message stands in quotation marks, made safe, cut where asked."""
    assert quoted("a\nb") == "'a\\x0ab'"
    assert quoted("abcdef", limit=3) == "'abc…'"


@pytest.mark.parametrize(
    ("number", "noun", "shown"),
    [(1, "token", "1 token"), (0, "token", "0 tokens"), (2, "entry", "2 entries"), (1, "entry", "1 entry")],
)
def test_count(number: int, noun: str, shown: str) -> None:
    """A count agrees with its noun."""
    assert count(number, noun) == shown


def test_data() -> None:
    """Each text in plain data is masked, its keys and what is ours under them is not; the rest stays as it is."""
    Secret("plainly_fake")
    data = {"plainly_fake": ["a plainly_fake", {"kind": "plainly_fake", "number": 1}], "kind": ("plainly_fake",)}
    expected = {"plainly_fake": ["a ***", {"kind": "plainly_fake", "number": 1}], "kind": ["plainly_fake"]}
    assert masked_data(data, {"kind"}) == expected


def test_a_secret_that_was_escaped_twice() -> None:
    """Of a text that holds a secret under two layers of escapes nothing is shown."""
    Secret("plainly_fake")
    spelt = "".join(f"\\u{ord(char):04x}" for char in "plainly_fake")
    assert masked(f"a {spelt}") == "a ***"
    assert masked("a " + spelt.replace("\\", "\\\\")) == "***"
    assert masked("a \\\\ b") == "a \\\\ b"


def test_a_document_is_whole_or_none() -> None:
    """A document in which a secret is spelt is none to write; what merely stood in a store does it no harm."""
    redactor.add_read('"actions": ')
    assert intact('{"actions": []}') == '{"actions": []}'
    Secret('"results": ')
    with pytest.raises(OSError, match="spelt like a piece of it"):
        intact('{"results": []}')


@pytest.mark.parametrize("around", ["x" * LIMIT, "\u200b", "::"], ids=["cut", "a character escaped", "a command"])
def test_a_secret_in_what_is_changed(around: str) -> None:
    """A secret is masked before a text is cut or a character of it is escaped: afterwards nobody would know it."""
    secret = Secret("tok_plainly_fake_" + "0123456789" * 40)
    for text in (f"{around}{secret.reveal()}", f"{secret.reveal()}{around}", f"{secret.reveal()[:9]}"):
        assert secret.reveal()[:60] not in safe(text)
        assert secret.reveal()[-60:] not in safe(text)

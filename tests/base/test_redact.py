"""The redactor: no form of a secret passes, and nothing else is touched."""

from __future__ import annotations

import base64
import html
import json
import re
import shlex
import urllib.parse
import xml.sax.saxutils
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tooken_ci.base.forms import MARKUP, forms
from tooken_ci.base.redact import MASK, MINIMUM, Redactor

SECRET = "tok/s3cr3t+ü'?=\"a b\\"
KEY = "-----BEGIN KEY-----\nMIIEvQIBADAN\nshort\n-----END KEY-----\n"
WAYS = {
    "raw": str,
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64 without padding": lambda text: base64.b64encode(text.encode()).decode().rstrip("="),
    "base64 for addresses": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    "base64 for addresses without padding": lambda text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("="),
    "quoted for a query": lambda text: urllib.parse.quote(text, safe=""),
    "quoted for a path": urllib.parse.quote,
    "quoted for a form": urllib.parse.quote_plus,
    "JSON": lambda text: json.dumps({"token": text}),
    "JSON beyond ASCII": lambda text: json.dumps([text], ensure_ascii=False),
    "shell": shlex.quote,
    "hex": lambda text: text.encode().hex(),
    "hex in upper case": lambda text: text.encode().hex().upper(),
    "quoted in lower case": lambda text: re.sub("%..", lambda found: found[0].lower(), urllib.parse.quote(text)),
    "repr": repr,
    "ascii": ascii,
    "repr of bytes": lambda text: repr(text.encode()),
    "unicode escapes": lambda text: text.encode("unicode-escape").decode(),
    "every character escaped": lambda text: "".join(f"\\u{ord(character):04X}" for character in text),
    "every byte escaped": lambda text: "".join(f"\\x{byte:02x}" for byte in text.encode()),
    "HTML": html.escape,
    "XML": xml.sax.saxutils.escape,
    "an attribute in XML": xml.sax.saxutils.quoteattr,
    "Markdown of ours": lambda text: text.translate(MARKUP),
    "an attribute with all entities": lambda text: xml.sax.saxutils.escape(text, {'"': "&quot;", "'": "&apos;"}),
}


def knowing(*secrets: str) -> Redactor:
    cleaner = Redactor()
    for secret in secrets:
        cleaner.add(secret)
    return cleaner


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize(
    "secret", [SECRET, "tok_plain0123456789", "ends with equals=="], ids=["odd", "plain", "padded"]
)
def test_no_form_passes(way: object, secret: str) -> None:
    """A secret is masked in every form that a library writes it in, and its surroundings stay."""
    assert callable(way)
    written = way(secret)
    shown = knowing(secret).clean(f"before {written} after")
    assert MASK in shown
    assert shown.startswith("before ")
    assert shown.endswith(" after")
    assert not [form for form in forms(secret) if form in shown]


def test_mask_is_fixed() -> None:
    """The mask has the same length for every secret, so it tells nothing of it."""
    assert knowing("a" * 8, "b" * 500).clean(f"{'a' * 8}|{'b' * 500}") == "***|***"


@pytest.mark.parametrize("line", ["-----BEGIN KEY-----", "MIIEvQIBADAN"])
def test_lines_of_a_multi_line_secret(line: str) -> None:
    """Each line of at least eight characters is masked by itself; shorter ones would eat words."""
    assert knowing(KEY).clean(f"x {line} y") == "x *** y"
    assert knowing(KEY).clean("a short word") == "a short word"


def test_whole_goes_before_its_parts() -> None:
    """Where one form holds another, it is masked as a whole."""
    cleaner = knowing("abcdefgh", "abcdefghijkl")
    assert cleaner.clean("abcdefghijkl abcdefgh abcdefghij") == "*** *** ***ij"
    assert knowing(KEY).clean(KEY) == MASK


@pytest.mark.parametrize("before", ["", "k", "ke", "key"])
@pytest.mark.parametrize("after", ["", "v", "va", "value"])
def test_base64_at_any_alignment(before: str, after: str) -> None:
    """Inside a longer text that is written in base64, all that does not depend on its neighbours is masked."""
    written = base64.b64encode(f"{before}{SECRET}{after}".encode()).decode()
    shown = knowing(SECRET).clean(written)
    left = shown.split(MASK)
    assert len(left) == 2, shown
    assert len(left[0]) <= (len(before) * 4 + 2) // 3
    assert len(left[1]) <= (len(after) * 4 + 5) // 3 + 2


@pytest.mark.parametrize("value", ["production", "format_version", "12345678-1", "true, or false", "Workspace"])
def test_innocent_structure(value: str) -> None:
    """Where a secret is a word of innocent output, JSON stays JSON and a table stays a table."""
    data = {value: [{"name": f"{value}.g1", "why": f'because of {value!r}\n"{value}"'}], "format_version": 1}
    cleaner = knowing(value)
    shown = json.loads(cleaner.clean(json.dumps(data)))
    assert value not in str(shown)
    table = f"| a | {value} |\n|---|---|\n| {value}x | y |\n"
    assert [line.count("|") for line in cleaner.clean(table).splitlines()] == [3, 3, 3]


def test_adding_again() -> None:
    """A secret that is known already changes nothing, and one that is new does not displace the others."""
    cleaner = knowing("abcdefgh", "abcdefgh", "12345678")
    assert cleaner.clean("abcdefgh 12345678") == "*** ***"


@given(st.text())
@settings(deadline=None)
def test_other_text_is_untouched(text: str) -> None:
    """Text that holds no form of a secret comes out as it went in, whatever characters it has."""
    secret = "Zq7#Kp2!Wm9$"
    if not any(form in text for form in forms(secret)):
        assert knowing(secret).clean(text) == text
        shown, kept, covered = knowing(secret).split(text)
        assert (shown + kept, covered) == (text, 0)


@given(st.text(min_size=MINIMUM, alphabet=st.characters(exclude_categories=["Cs"])))
@settings(deadline=None)
def test_any_secret(secret: str) -> None:
    """Whatever a secret is made of, nothing of it is left in any form."""
    assert {knowing(secret).clean(form) for form in forms(secret)} == {MASK}


@given(
    secrets=st.lists(st.text("ab[]^-\\.\n", min_size=MINIMUM, max_size=MINIMUM + 2), min_size=1, max_size=4),
    pieces=st.lists(st.tuples(st.integers(0, 3), st.integers(1, 12), st.text("ab[]^-\\.\n", max_size=2))),
)
@settings(deadline=None)
def test_several_secrets(secrets: list[str], pieces: list[tuple[int, int, str]]) -> None:
    """Secrets that begin alike, of any characters, are masked as by a search for each at each place.

    Of one place the longest counts, and what overlaps is masked as one, so that no part of either is left.
    """
    text = "".join(secrets[index % len(secrets)][:length] + between for index, length, between in pieces)
    every = sorted({form for secret in secrets for form in forms(secret)}, key=len, reverse=True)
    expected, end = "", 0
    for at, character in enumerate(text):
        form = next((form for form in every if text.startswith(form, at)), "")
        if form and at >= end:
            expected += MASK
        end = max(end, at + len(form))
        if at >= end:
            expected += character
    assert knowing(*secrets).clean(text) == expected


@given(
    secrets=st.lists(st.text("ab[]^-\\.", min_size=MINIMUM, max_size=MINIMUM + 2), min_size=1, max_size=4),
    pieces=st.lists(st.tuples(st.integers(0, 3), st.integers(1, 12), st.text("ab[]^-\\.", max_size=2))),
)
@settings(deadline=None, max_examples=50)
def test_a_long_text(secrets: list[str], pieces: list[tuple[int, int, str]]) -> None:
    """In a long text the same is masked as in its short parts, also where secrets become known meanwhile."""
    part = "".join(secrets[index % len(secrets)][:length] + between for index, length, between in pieces)[:500]
    cleaner = Redactor()
    for secret in secrets:
        cleaner.add(secret)
        assert cleaner.clean(f"{part}|" * 10 + "_" * 5000) == f"{cleaner.clean(part)}|" * 10 + "_" * 5000


def test_many_threads() -> None:
    """Whatever other threads add meanwhile, a secret is masked from the moment it was added, in long texts too."""
    cleaner = Redactor()

    def shown(thread: int) -> list[str]:
        texts = []
        for number in range(60):
            secret = f"{number:03}-{thread}-secret"
            cleaner.add(secret)
            texts += [cleaner.clean(f"{secret} "), cleaner.clean(f"{secret} " * 400)]
        return texts

    with ThreadPoolExecutor(4) as pool:
        for texts in pool.map(shown, range(4)):
            assert not [text for text in texts if text.strip(f"{MASK} ")]


def test_knows_nothing() -> None:
    """A redactor that was told nothing lets everything pass."""
    assert Redactor().clean("tok_plain0123456789") == "tok_plain0123456789"
    assert Redactor().split("tok_plain0123456789") == ("tok_plain0123456789", "", 0)

"""The redactor against any secret, in any form, in any text, by any writes; the search is the tests' own."""

from __future__ import annotations

import io

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.e2e.leaks import forms, ways
from tooken_ci.base import forms as product
from tooken_ci.base.leaks import Search
from tooken_ci.base.redact import MASK, RedactingStream, Redactor

CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="*")
FORMS = sorted(ways("some secret"))


def _long(secret: str) -> str:
    """Repeats a secret up to the longest that is promised."""
    return (secret * (4096 // len(secret.encode()) + 1))[: max(8, 4096 // max(len(char.encode()) for char in secret))]


SHORT = st.one_of(
    st.text(CHARACTERS, min_size=8, max_size=60),
    st.text("ab+/=\\\n'\"&<% ", min_size=8, max_size=30),
    st.text("abcXYZ019_-", min_size=8, max_size=200).map("tok_{}".format),
)
SECRETS = st.one_of(SHORT, SHORT.map(_long))


@st.composite
def written(draw: st.DrawFn, way: str) -> tuple[str, list[str]]:
    """A secret, and a text with one of its forms in it, in the pieces in which it is written."""
    secret = draw(SECRETS)
    spellings = sorted(ways(secret)[way])
    assume(spellings)
    around = st.one_of(st.text(CHARACTERS, max_size=30), st.integers(0, len(secret)).map(lambda end: secret[:end]))
    text = draw(around) + draw(st.sampled_from(spellings)) + draw(around)
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=12)))
    return secret, [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]


@pytest.mark.timeout(180)
@pytest.mark.parametrize("way", FORMS)
@given(data=st.data())
@settings(deadline=None, max_examples=12)
def test_no_form_of_any_secret_passes(way: str, data: st.DataObject) -> None:
    """However a secret is spelled, surrounded and split over writes, no form of it can be seen at any moment."""
    secret, pieces = data.draw(written(way))
    cleaner = Redactor()
    cleaner.add(secret)
    below = io.StringIO()
    stream = RedactingStream(below, cleaner)
    wanted = forms(secret)

    def visible(shown: io.StringIO) -> list[bytes]:
        text = shown.getvalue().encode(errors="surrogatepass")
        return [form for form in wanted if form in text]

    for piece in pieces:
        stream.write(piece)
        assert not visible(below)
    stream.finish()
    shown = below.getvalue()
    assert MASK in shown
    assert not visible(below)
    assert shown == cleaner.clean("".join(pieces))
    assert Search(product.forms(secret)).finds("".join(pieces))
    assert not Search(product.forms(secret)).finds(shown)


@given(secret=SECRETS, text=st.text(max_size=300), cuts=st.lists(st.integers(0, 300), max_size=12))
@settings(deadline=None, max_examples=50)
def test_what_holds_no_form_is_untouched(secret: str, text: str, cuts: list[int]) -> None:
    """A text without any form comes out as it went in, byte for byte, however it is split over writes."""
    assume(not Search(product.forms(secret)).finds(text))
    cleaner = Redactor()
    cleaner.add(secret)
    below = io.StringIO(newline="")
    stream = RedactingStream(below, cleaner)
    ends = sorted(cuts)
    for start, end in zip([0, *ends], [*ends, len(text)], strict=True):
        stream.write(text[start:end])
    stream.finish()
    assert below.getvalue() == text


@given(value=st.one_of(SECRETS, st.text("abcXYZ019_.-", min_size=8, max_size=80)))
@settings(deadline=None, max_examples=60)
def test_forms_as_written(value: str) -> None:
    """Of a value that is only compared, the forms that texts take when they are written are known, and no others."""
    encoded = {"base64", "hex", "unicode", "bytes"}
    wanted = {text for way, spellings in ways(value).items() if way not in encoded for text in spellings}
    made = product.forms_as_written(value)
    assert {text for text in wanted if len(text) >= product.SHORTEST} <= made <= product.forms(value)


def test_what_was_compared_is_handed_on() -> None:
    """A secret that was only compared gets all its forms when it becomes one that is handed on; short ones are none."""
    cleaner = Redactor()
    secret = "tok_plainly_fake"
    cleaner.add_compared("short")
    assert not cleaner.knows_any
    cleaner.add_compared(secret)
    assert cleaner.clean(f"<{secret}>") == f"<{MASK}>"
    assert cleaner.every_form() == product.forms_as_written(secret)
    cleaner.add(secret)
    assert cleaner.every_form() == product.forms(secret)
    assert cleaner.clean(secret.encode().hex()) == MASK

"""The redactor against any secret, in any form, in any text, by any writes; the search is the tests' own."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.e2e.leaks import forms, ways
from tooken_ci.base import forms as product
from tooken_ci.base import redact
from tooken_ci.base.commands import workflow_command
from tooken_ci.base.leaks import Search
from tooken_ci.base.redact import MASK, RedactingStream, Redactor
from tooken_ci.base.text import safe
from tooken_ci.render.escaping import csv_cell, html_text, markdown
from tooken_ci.render.report import Report, as_json

if TYPE_CHECKING:
    from collections.abc import Callable

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
@settings(deadline=None, max_examples=25)
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
@settings(deadline=None, max_examples=100)
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
@settings(deadline=None, max_examples=200)
def test_forms_as_written(value: str) -> None:
    """Of a value that is only compared, the forms that texts take when they are written are known, and no others."""
    encoded = {"base64", "hex", "unicode", "bytes"}
    wanted = {text for way, spellings in ways(value).items() if way not in encoded for text in spellings}
    made = product.forms_as_written(value)
    assert {text for text in wanted if len(text) >= product.SHORTEST} <= made <= product.forms(value)


SPELT_ONCE_MORE: dict[str, Callable[[str], str]] = {
    "JSON": lambda text: as_json(Report(warnings=(text,))),
    "a command": lambda text: workflow_command("error", {"file": text}, text),
    "Markdown": markdown,
    "HTML": html_text,
    "CSV": csv_cell,
    "a line": safe,
}
UNDONE = {"\\\\": "\\", "\\u0023": "#", "%25": "%", "&amp;": "&", "&#92;": "\\", "&#37;": "%"}


@pytest.mark.parametrize("way", FORMS)
@given(secret=st.text("abcXYZ019_-+/=%#[", min_size=9, max_size=60), before=st.text(max_size=9))
@settings(deadline=None, max_examples=25)
def test_a_form_that_is_escaped_once_more(way: str, secret: str, before: str) -> None:
    """Whatever form a text from outside holds, no format that escapes it shows one, nor do its escapes undone."""
    redact.redactor.__dict__ = Redactor().__dict__
    redact.redactor.add(secret)
    wanted = {form.decode() for form in forms(secret)}
    for spelt in ways(secret)[way]:
        for write in SPELT_ONCE_MORE.values():
            shown = write(f"{before} {spelt} after")
            bare = re.sub("|".join(map(re.escape, UNDONE)), lambda found: UNDONE[found[0]], shown)
            assert not [form for form in wanted if form in shown or form in bare], shown


def test_what_was_read() -> None:
    """What merely stood in a store is masked in what comes from outside, and not in what is finished, nor searched."""
    cleaner = Redactor()
    cleaner.add_read("short")
    cleaner.add_read('"actions": [')
    assert not cleaner.knows_any
    assert not cleaner.every_form()
    assert cleaner.clean('{"actions": []} short') == "{***]} short"
    assert cleaner.finished('{"actions": []}') == '{"actions": []}'
    below = io.StringIO()
    stream = RedactingStream(below, cleaner)
    stream.write('{"act')
    stream.write('ions": []}')
    stream.finish()
    assert below.getvalue() == '{"actions": []}'


@pytest.mark.parametrize("learn", [Redactor.add, Redactor.add_compared], ids=["a secret", "compared"])
def test_what_was_read_is_ours(learn: Callable[[Redactor, str], None]) -> None:
    """As soon as it turns out to be ours it is masked everywhere, in every form, in whatever order that is told."""
    for first, second in ((Redactor.add_read, learn), (learn, Redactor.add_read)):
        cleaner = Redactor()
        first(cleaner, "tok_plainly_fake")
        second(cleaner, "tok_plainly_fake")
        assert cleaner.finished("<tok_plainly_fake>") == f"<{MASK}>"
        assert cleaner.every_form() == product.forms("tok_plainly_fake")


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

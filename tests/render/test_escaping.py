"""Each format's own rule for text from outside."""

from __future__ import annotations

import csv
import html
import io
from html.parser import HTMLParser

import pytest

from tests.support.hostile import HOSTILE
from tests.support.runner import unprintable
from tooken_ci.base.text import safe
from tooken_ci.render.escaping import csv_cell, html_text


class Read(HTMLParser):
    """What a browser reads: tags with their values, and text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, list[tuple[str, str | None]]]] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, attrs))

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_html(name: str) -> None:
    """In an element and in a value a name stays the text that it is, and opens nothing."""
    shown = html_text(name)
    assert not unprintable(shown)
    read = Read(f'<p title="{shown}">{shown}</p>')
    assert read.tags == [("p", [("title", safe(name, limit=2000))])]
    assert read.text == html.unescape(shown) == safe(name, limit=2000)


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_csv(name: str) -> None:
    """A name is one cell of one line, and no spreadsheet takes it for a formula."""
    written = io.StringIO()
    csv.writer(written).writerow([csv_cell(name), "next"])
    assert written.getvalue().count("\n") == 1
    ((cell, following),) = csv.reader(io.StringIO(written.getvalue()))
    assert following == "next"
    assert cell.removeprefix("'") == safe(name, limit=2000).removeprefix("'")
    assert not cell.lstrip().startswith(("=", "+", "-", "@", "\t", "\r"))


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        (" =1", "' =1"),
        ("\uff1d1", "'\uff1d1"),
        ("\t=1", "\\x09=1"),
        ("\r=1", "\\x0d=1"),
        ("ci-deploy", "ci-deploy"),
        ("a=1", "a=1"),
    ],
)
def test_formulas(text: str, cell: str) -> None:
    """What begins like a formula begins with an apostrophe; what does not stays as it is."""
    assert csv_cell(text) == cell

"""Whether a page in Markdown is whole: its tables, what is folded, its diagram; as text and as GitHub's HTML."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from tests.render.look import as_html
from tests.support.effects import effects

ALLOWED = frozenset(
    "blockquote br code details h2 h3 li p pre strong sub summary table tbody td th thead tr ul wbr".split()  # noqa: SIM905
)
"""All of them are among those that GitHub and GitLab leave in a page."""

_VOID = {"br", "wbr"}


class Tags(HTMLParser):
    """The tags of a page, each opened and closed in its turn, and how many cells each row has."""

    def __init__(self, markdown: str) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.attributes: set[str] = set()
        self.open: list[str] = []
        self.rows: list[int] = []
        self.feed(as_html(markdown, bare=True))
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.attributes |= {f"{name}={value}" for name, value in attrs}
        self.open += [tag] if tag not in _VOID else []
        if tag == "tr":
            self.rows.append(0)
        elif tag in {"td", "th"}:
            self.rows[-1] += 1

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def check(text: str) -> None:
    """Nothing of it is cut in the middle, and nothing in it acts but what is ours."""
    assert effects(text, "", "markdown") == []
    assert text.count("<details>") == text.count("</details>") == text.count("<details><summary>")
    fences = [line for line in text.split("\n") if line.startswith("```")]
    assert fences in ([], ["```mermaid", "```"])
    for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        head, line, *rows = table.splitlines()
        assert rows
        assert set(line) == set("| -")
        assert {row.count("|") for row in (line, *rows)} == {head.count("|")}


def check_html(text: str) -> None:
    """GitHub's Markdown makes of it what was meant, and nothing that it would take away again."""
    tags = Tags(text)
    assert tags.seen <= ALLOWED
    assert tags.attributes <= {"lang=mermaid"}
    assert set(tags.rows) <= {2, 3}

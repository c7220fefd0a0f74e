"""The pages as files: what changes in them is seen in a review, and they are what ``look`` shows in a browser."""

from __future__ import annotations

import difflib

import pytest

from tests.render.pages import COMMAND, GOLDEN, PAGES, SMALL
from tests.render.sound import check, check_html


@pytest.mark.parametrize("name", PAGES)
def test_golden(name: str) -> None:
    """A page is its golden file, byte for byte."""
    made, kept = PAGES[name](), (GOLDEN / f"{name}.md").read_bytes()
    if made.encode() != kept:
        lines = difflib.unified_diff(kept.decode().splitlines(), made.splitlines(), "golden", "made", lineterm="")
        pytest.fail("\n".join([f"If the new page of {name!r} is right: {COMMAND}", *lines]), pytrace=False)


def test_every_golden_file_is_a_page() -> None:
    """There is no file of a page that is made no more."""
    assert sorted(path.name for path in GOLDEN.iterdir()) == sorted(f"{name}.md" for name in PAGES)


@pytest.mark.parametrize("name", PAGES)
def test_golden_as_html(name: str) -> None:
    """GitHub's Markdown makes tables, lists and folded parts of it, and no tag that GitHub or GitLab would drop."""
    check(text := PAGES[name]())
    check_html(text)


def test_one_of_them_is_cut() -> None:
    """The page that has to be cut keeps its totals, and says what is left out and where it is."""
    text = PAGES["cut"]()
    assert SMALL * 0.9 < len(text) <= SMALL
    assert text.startswith("## tooken-ci: staging\n\n**60** to create; ")
    assert "> Left out here for its size: 16 of 60 actions, the scopes, ends and destinations. The JSON report" in text
    assert "\n\nAnd 16 more.\n\n</details>\n" in text

"""What becomes of a page for which there is too little room."""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.plan import builders
from tests.render import pages
from tests.render.sound import check, check_html
from tests.render.support import PRICE, outcome, plan
from tests.render.support import report as made_by_hand
from tests.support.hostile import HOSTILE
from tooken_ci.base.errors import NotTheApiError
from tooken_ci.plan.lifecycle import make_plan
from tooken_ci.plan.model import ActionKind, ProblemCode
from tooken_ci.render.fit import Page, Section, fit, in_bytes, whole
from tooken_ci.render.markdown import COMMENT, SUMMARY, as_comment, as_summary
from tooken_ci.render.report import Report

if TYPE_CHECKING:
    from collections.abc import Callable

SMALLEST = 2048
"""Totals, a code and what is left out always find this much room."""

MARGIN = 16 * 1024
WORDS = st.sampled_from(HOSTILE) | st.text(max_size=60)


def section(what: str, rank: int, count: int, *, is_whole: bool = False) -> Section:
    rows = (f"- {what} {number:04}\n" for number in range(count))
    return Section(
        what=what, rank=rank, rows=rows, count=count, head=f"<{what}>\n", tail=f"</{what}>\n", whole=is_whole
    )


def page(*sections: Section) -> Page:
    return Page(top="TOP\n", sections=sections, bottom="BOTTOM\n", where="Elsewhere.")


def test_what_fits_is_shown() -> None:
    """With room for all of it a page is whole, and says nothing of size."""
    assert fit(page(section("a", 1, 2), section("b", 2, 0)), 10_000, len) == (
        "TOP\n<a>\n- a 0000\n- a 0001\n</a>\nBOTTOM\n"
    )


def test_sections_go_before_rows() -> None:
    """What is whole or not at all goes first, although it would find room if a row of something else went."""
    text = fit(page(section("details", 9, 30, is_whole=True), section("rows", 1, 30)), 700, len)
    assert text.startswith("TOP\n> [!NOTE]\n> Left out here for its size: the details. Elsewhere.\n\n<rows>\n")
    assert text.endswith("- rows 0029\n</rows>\nBOTTOM\n")


def test_rows_go_from_the_end() -> None:
    """The first rows stay, and how many more there are stands where they would."""
    text = fit(page(section("rows", 1, 300)), 500, len)
    shown = text.count("- rows")
    assert 0 < shown < 300
    assert f"Left out here for its size: {300 - shown} of 300 rows. Elsewhere.\n" in text
    assert f"- rows {shown - 1:04}\n\nAnd {300 - shown} more.\n</rows>\nBOTTOM\n" in text
    assert len(text) > 450


def test_a_long_section_leaves_room_to_others() -> None:
    """What matters less is not crowded out by the rows of what matters most."""
    text = fit(page(section("few", 2, 5), section("many", 1, 1000)), 1000, len)
    assert text.count("- few") == 5
    assert text.count("- many") > 20


def test_rows_that_nobody_sees_are_not_made() -> None:
    """Of a hundred thousand rows those are made that find room, and one more."""
    made = itertools.count()
    rows = (f"- {next(made)}\n" for _ in range(100_000))
    fit(page(Section(what="rows", rank=1, rows=rows, count=100_000)), 500, len)
    assert next(made) < 100


@pytest.mark.parametrize(("limit", "text"), [(11, "TOP\nBOTTOM\n"), (50, "TOP\nBOTTOM\n"), (10, ""), (-1, "")])
def test_totals_or_nothing(limit: int, text: str) -> None:
    """Where only the top and the bottom find room they stand alone; where not even they do there is nothing."""
    assert fit(page(section("a", 1, 2)), limit, len) == text


def test_bytes_are_counted_as_such() -> None:
    """A limit in bytes holds for what has more bytes than characters."""
    rows = Section(what="rows", rank=1, rows=["- é\U0001f511\n"] * 300, count=300)
    assert SMALLEST - 20 < in_bytes(fit(page(rows), SMALLEST, in_bytes)) <= SMALLEST


@settings(max_examples=30, deadline=None)
@example(word="0@", copies=1, limit=SMALLEST, failed=False)  # with what stands behind it an address of e-mail
@given(word=WORDS, copies=st.integers(1, 60), limit=st.integers(SMALLEST, 80_000), failed=st.booleans())
def test_any_report(word: str, copies: int, limit: int, *, failed: bool) -> None:
    """Whatever a report holds and however little room there is: it fits, it is whole, its totals are there."""
    report = made_by_hand(word)
    assert report.plan is not None
    many = dataclasses.replace(report.plan, entries=report.plan.entries * copies)
    report = dataclasses.replace(report, plan=many, outcome=outcome(many, error=word))
    if failed:
        report = dataclasses.replace(report, error=NotTheApiError(word * 20, hint=word))
    text, summary = as_comment(report, limit=limit), as_summary(report, room=limit + MARGIN)
    assert SMALLEST // 2 < len(text) <= limit
    assert in_bytes(summary) <= limit
    for page in (text, summary):
        check(page)
        assert f"**{copies}** to create, **{copies}** to replace, " in page
        assert ("❌ **Failed** (api_unexpected)" in page) == failed
        assert page.endswith("Requests: 1 for the plan, 6 for apply (at most 21).</sub>\n")
    check_html(text)


@pytest.mark.parametrize("limit", [SMALLEST, 9_000, 30_000, COMMENT])
@pytest.mark.parametrize("start", range(0, len(HOSTILE), 20))
def test_hostile_names(start: int, limit: int) -> None:
    """Names that attack a page have no effect in it, wherever it is cut, and its diagram is drawn or left out."""
    check(text := as_comment(pages.hostile(HOSTILE[start : start + 20]), limit=limit))
    check_html(text)
    assert len(text) <= limit
    assert "## tooken-ci: " in text
    assert limit < COMMENT or "```mermaid" in text


@pytest.mark.parametrize("render", [as_comment, lambda report: as_summary(report, room=SUMMARY)])
def test_ten_thousand_actions(render: Callable[[Report], str]) -> None:
    """A plan of ten thousand actions fills the page up to its limit and no further, and shows the rare ones too."""
    one = plan(kinds=(ActionKind.REPLACE,), problems=(ProblemCode.CAP,), blocks=())
    many = dataclasses.replace(one, entries=one.entries * 10_000)
    text = render(Report(workspace="ci", plan=many, price=PRICE))
    limit = COMMENT if render is as_comment else SUMMARY - MARGIN
    assert limit * 0.9 < in_bytes(text)
    assert (len(text) if render is as_comment else in_bytes(text)) <= limit
    assert "**10000** to replace, **1** to revoke" in text
    assert "\n| revoke |" in text
    check(text)


def test_a_comment_need_not_be_changed() -> None:
    """Made again on the same day, of a workspace in which nothing has changed, a comment is the same."""
    spec = builders.spec(builders.entry("new"), builders.entry("old"), builders.endless("page"))
    tokens = (builders.token("old", age=builders.days(25)), builders.token("page", expires_at=None))

    def made(now: dt.datetime) -> str:
        looks = {place.place: builders.empty() for place in spec.entries[0].deliver}
        looks |= {
            one.deliver[0].place: builders.holds(token) for one, token in zip(spec.entries[1:], tokens, strict=True)
        }
        plan = make_plan(spec, tokens=tokens, looks=looks, facts={}, now=now, run=builders.RUN)
        return as_comment(Report(workspace="w", spec=spec, tokens=tokens, plan=plan, price=PRICE))

    assert made(builders.NOW) == made(builders.NOW + builders.hours(4))
    assert made(builders.NOW) != made(builders.NOW + builders.hours(5))


def test_without_a_limit_all_is_shown() -> None:
    """A page of its own, in a file or a pipe, has every row."""
    assert whole(page(section("rows", 1, 5000), section("details", 2, 5000, is_whole=True))).count("\n- ") == 10_000


def test_a_comment_that_need_not_be_changed() -> None:
    """A plan that is made again on the same day makes the same comment; the summary tells the hours."""
    later = pages.plan()
    assert later.plan is not None
    report = dataclasses.replace(
        later, plan=dataclasses.replace(later.plan, now=later.plan.now - dt.timedelta(hours=2))
    )
    assert report.plan is not None
    assert report.plan.now.date() == later.plan.now.date()
    assert as_comment(report) == as_comment(later)
    assert as_summary(report, room=SUMMARY) != as_summary(later, room=SUMMARY)

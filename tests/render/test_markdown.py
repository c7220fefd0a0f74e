from __future__ import annotations

import dataclasses
import html
import re

import pytest

from tests.render.support import PRICE, outcome, plan, report
from tests.render.test_text import HOSTILE
from tooken_ci.base.errors import NotTheApiError
from tooken_ci.plan.model import ActionKind, ProblemCode
from tooken_ci.render.markdown import MOST, as_markdown
from tooken_ci.render.report import Report

MARKUP = [
    "a|b|c",
    "a\\|b",
    "`code` | ``x``",
    "<script>alert(1)</script>",
    "<!-- hidden",
    "</table><h1>",
    "</code>",
    "[click](https://evil.test)",
    "![x](https://evil.test/pixel)",
    "https://evil.test",
    "www.evil.test",
    "@everyone",
    "#1",
    "**bold** _it_ ~~no~~",
    "&lt;b&gt;",
    "| --- |",
    "$x^2$",
    ":tada:",
    *HOSTILE,
]
TABLE = re.compile(r"\|.*\|")


def rows(text: str) -> list[list[str]]:
    """The cells of every line of every table."""
    return [line.strip("|").split("|") for line in text.split("\n") if TABLE.fullmatch(line)]


def shape(text: str) -> list[int]:
    return [len(cells) for cells in rows(text)]


def test_a_plan_as_a_reviewer_reads_it() -> None:
    """A plan is a heading, a line of counts, a table of actions, what waits, and the price."""
    made = plan(kinds=(ActionKind.CREATE, ActionKind.REPLACE), problems=(), blocks=())
    text = html.unescape(as_markdown(Report(workspace="ci", plan=made, price=PRICE)))
    assert text == (
        "## tooken-ci: ci\n\n"
        "**1** to create, **1** to replace, **1** to revoke; 3 unchanged, 7 unmanaged.\n\n"
        "- Warning: It was used.\n\n"
        "| Action | Token | Cause | Why | Destinations |\n"
        "| --- | --- | --- | --- | --- |\n"
        "| create | <code>ci</code> | spec | because of 'ci' | <code>file ci</code> |\n"
        "| replace | <code>ci</code> | spec | because of 'ci'<br>replaces <code>ci.old</code>, "
        "last used 2026-11-23T19:20:15Z; revoked not before 2026-11-24T19:20:15Z: its overlap has not passed "
        "| <code>file ci</code> |\n"
        "| revoke | <code>ci</code> | spec | because of 'ci'<br>last used 2026-11-23T19:20:15Z |  |\n\n"
        "| Waiting to be revoked | Not before | Held by | Last use |\n"
        "| --- | --- | --- | --- |\n"
        "| <code>ci</code> | 2026-11-24T19:20:15Z | its overlap has not passed | last used 2026-11-23T19:20:15Z |\n\n"
        "Requests: 1 for the plan, 6 for apply (at most 21).\n"
    )


def test_what_blocks_and_hinders() -> None:
    """Blocks and problems are told above the table."""
    text = html.unescape(as_markdown(Report(workspace="ci", plan=plan(), price=PRICE)))
    assert "- **Blocked by max_changes:** Too much. Raise it.\n" in text
    assert "- **cap** <code>ci</code>: It is as it is. Look at it.\n" in text


def test_a_blocked_plan_says_what_goes_on() -> None:
    """How much of a blocked plan is done all the same is told, and what is not is marked in its row."""
    made = plan(kinds=(ActionKind.ROTATE,), problems=(), blocks=("max_changes",))
    text = html.unescape(as_markdown(Report(workspace="ci", plan=made, price=PRICE)))
    assert "- Apply does none of the 2 actions: none is due or unfinished.\n" in text
    assert (
        "| rotate<br>blocked by max_changes | <code>ci</code> | spec | because of 'ci'<br>the old secret was last used "
        "2026-11-23T19:20:15Z; it dies as soon as the new one is made | <code>file ci</code> |\n"
    ) in text


def test_a_thousand_rows_are_cut() -> None:
    """Of each kind a hundred rows are shown and the rest is counted, so that it fits into a comment's page."""
    one = plan(kinds=(ActionKind.CREATE,), problems=(ProblemCode.CAP,), blocks=())
    many = dataclasses.replace(one, entries=one.entries * 1000)
    text = html.unescape(as_markdown(Report(workspace="ci", plan=many, price=PRICE)))
    assert text.count("| create<br>cap |") == MOST
    assert "And 900 more to create; the JSON output tells all.\n" in text
    assert "And 1900 more waiting; the JSON output tells all.\n" in text
    assert "- And 1800 more notices; the JSON output tells all.\n" in text
    assert "| revoke |" in text


def test_results() -> None:
    """An apply shows what became of each action, and why."""
    made = plan()
    text = html.unescape(as_markdown(Report(workspace="ci", plan=made, outcome=outcome(made), applying=True)))
    assert "| Result | Action | Token | Why |\n" in text
    assert "| failed | replace | <code>ci</code> | It said no. |\n" in text


def test_what_was_not_read_back() -> None:
    """A result names the destinations that took the secret on trust, behind its error where it has one."""
    made = plan()
    results = tuple(dataclasses.replace(one, unread=("env A", "env | B")) for one in outcome(made).results[:2])
    told = dataclasses.replace(outcome(made), results=results)
    text = html.unescape(as_markdown(Report(workspace="ci", plan=made, outcome=told, applying=True)))
    assert "| <code>ci</code> | accepted, not read back: env A, env | B |\n" in text
    assert "| It said no.; accepted, not read back: env A, env | B |\n" in text


def test_a_failure() -> None:
    """A failure before there was a plan is told, and there is no table."""
    text = html.unescape(as_markdown(Report(error=NotTheApiError("This is HTML.", hint="Check it."))))
    assert text == "## tooken-ci: no workspace\n\n**Failed:** This is HTML. Check it.\n"


@pytest.mark.parametrize("word", MARKUP)
def test_no_name_is_markup(word: str) -> None:
    """Whatever a name holds, the tables keep their shape, no tag or link appears, and no line speaks to the runner."""
    text = as_markdown(report(word))
    assert shape(text) == shape(as_markdown(report()))
    assert text.count("\n") == as_markdown(report()).count("\n")
    tags = set(re.findall(r"<[^>]*>", text))
    assert tags <= {"<code>", "</code>", "<br>"}
    assert text.count("<code>") == text.count("</code>")
    assert not re.search(r"https?://|www\.|\]\(|@|`|<!--", text)
    assert not any(line.lstrip().startswith("::") for line in text.split("\n"))
    assert all(char.isprintable() or char == "\n" for char in text)


@pytest.mark.parametrize("word", ["a|b", "<b>", "[x](y)", "ci-deploy.g2", "Données équipe 5"])
def test_names_are_still_read_as_they_are(word: str) -> None:
    """What a browser shows of a name is the name."""
    assert f"<code>{word}</code>" in html.unescape(as_markdown(report(word)))


@pytest.mark.parametrize("word", MARKUP)
def test_an_error_is_no_markup(word: str) -> None:
    """The words of an error are text, too."""
    text = as_markdown(Report(workspace=word, error=NotTheApiError(word)))
    assert text.count("\n") == 3
    assert set(re.findall(r"<[^>]*>", text)) <= {"<code>", "</code>"}
    assert text.count("<") == 2 * text.count("</code>")
    assert "|" not in text


@pytest.mark.parametrize("word", ["@everyone", "@acme/owners", "#1", "acme/shop#12", "GH-7"])
def test_an_error_mentions_nobody(word: str) -> None:
    """A mention or a reference stands as code, where GitHub leaves it alone; an address of an e-mail stays text."""
    text = html.unescape(as_markdown(Report(workspace="w", error=NotTheApiError(f"It said ({word}), to a@b.example."))))
    assert f"(<code>{word}</code>), to a@b.example" in text

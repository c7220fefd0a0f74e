from __future__ import annotations

import dataclasses
import html
import re
import time

import pytest

from tests.plan import builders
from tests.render.pages import leases
from tests.render.support import PRICE, action, outcome, plan, report
from tests.render.test_text import HOSTILE
from tooken_ci.base.errors import Fault, NotTheApiError, SavedPlanError, SpecError
from tooken_ci.base.position import Position
from tooken_ci.plan.model import ActionKind, Cause, EntryPlan, ProblemCode
from tooken_ci.render.escaping import markdown
from tooken_ci.render.markdown import as_markdown
from tooken_ci.render.report import Report

BUSY = ProblemCode.BUSY
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
    """A plan is a heading, a line of counts, a table of actions, what one may look up, and the price."""
    made = plan(kinds=(ActionKind.CREATE, ActionKind.REPLACE), problems=(), blocks=())
    text = html.unescape(as_markdown(Report(workspace="ci", plan=made, price=PRICE)))
    scopes = "<code>tokens:read</code>, <code>tokens:write</code>; expires in 24 hours"
    assert text == (
        "## tooken-ci: ci\n\n"
        "**1** to create, **1** to replace, **1** to revoke; 3 unchanged, 7 unmanaged.\n\n"
        "> [!WARNING]\n> - It was used.\n\n"
        "| Action | Token | Why |\n"
        "| --- | --- | --- |\n"
        "| create | <code>ci</code> | spec: because of 'ci' |\n"
        "| replace | <code>ci</code> | spec: because of 'ci'<br>replaces <code>ci.old</code>, last used just now |\n"
        "| revoke | <code>ci</code> | spec: because of 'ci'<br>last used just now |\n\n"
        "<details><summary>Scopes, ends and destinations of 2 tokens</summary>\n\n"
        f"- **create** <code>ci</code><br>{scopes}<br>to <code>file ci</code>\n"
        f"- **replace** <code>ci</code><br>{scopes}<br>to <code>file ci</code><br>the old one, <code>ci.old</code>, "
        "is revoked in 24 hours at the earliest: its overlap has not passed\n"
        "\n</details>\n\n"
        "<details><summary>1 older token waiting to be revoked</summary>\n\n"
        "| Waiting to be revoked | Not before | Held by |\n"
        "| --- | --- | --- |\n"
        "| <code>ci</code> | 2026-11-24 19:20 UTC (in 24 hours) | its overlap has not passed<br>last used just now |\n"
        "\n</details>\n\n"
        "<sub>As of 2026-11-23 19:20 UTC. Requests: 1 for the plan, 6 for apply (at most 21).</sub>\n"
    )


def test_what_blocks_and_hinders() -> None:
    """Blocks and problems are told above the table; a block with what was found and what is allowed."""
    text = html.unescape(as_markdown(Report(workspace="ci", plan=plan(), price=PRICE)))
    block = "> - **Blocked by <code>max_changes</code>: 12 found, 10 allowed.** Too much. Raise it.\n"
    problem = "- <code>ci</code> (**cap**): It is as it is. Look at it.\n"
    assert text.index("> [!CAUTION]\n") < text.index(block) < text.index(problem) < text.index("| Action |")


def test_a_blocked_plan_says_what_goes_on() -> None:
    """How much of a blocked plan is done all the same is told, and what is not is marked in its row."""
    made = plan(kinds=(ActionKind.ROTATE,), problems=(), blocks=("max_changes",))
    text = html.unescape(as_markdown(Report(workspace="ci", plan=made, price=PRICE)))
    assert "\n> Apply does none of the 2 actions: none is due or unfinished.\n" in text
    assert (
        "| rotate<br>blocked | <code>ci</code> | spec: because of 'ci'<br>the old secret was last used just now; "
        "it dies as soon as the new one is made |\n"
    ) in text


def test_what_stops_an_entry_is_told_in_its_row() -> None:
    """An action of an entry that is not served says why."""
    made = plan(kinds=(ActionKind.CREATE,), problems=(ProblemCode.CAP,), blocks=())
    assert "\n| create<br>cap | " in as_markdown(Report(workspace="ci", plan=made, price=PRICE))


def test_what_was_busy_is_not_told_of_the_plan_once_it_was_applied() -> None:
    """The plan's part of an outcome does not say busy, since apply waits for that; what else stops an entry it says."""
    busy, capped = (plan(kinds=(ActionKind.CREATE,), problems=(code,), blocks=()) for code in (BUSY, ProblemCode.CAP))
    assert "\n| create<br>busy | " in as_markdown(Report(workspace="ci", plan=busy, price=PRICE))
    for made, row in ((busy, "\n| create | "), (capped, "\n| create<br>cap | ")):
        assert row in as_markdown(Report(workspace="ci", plan=made, price=PRICE, outcome=outcome(made), applying=True))


@pytest.mark.parametrize(
    ("applied", "title"), [(False, "Not planned in full, or busy"), (True, "Not served, or only in part")]
)
def test_the_title_of_the_problems(*, applied: bool, title: str) -> None:
    """A plan serves nobody yet, so its page says what could not be planned."""
    made = plan(problems=(ProblemCode.CAP,), blocks=())
    text = as_markdown(Report(workspace="ci", plan=made, price=PRICE, outcome=outcome(made) if applied else None))
    assert re.findall("### (Not .*)", text) == [*(["Not done"] if applied else []), title]


def test_many_rows_are_folded_away() -> None:
    """The totals stay in view where the table is long; every row is in it."""
    one = plan(kinds=(ActionKind.CREATE,), problems=(ProblemCode.CAP,), blocks=())
    many = dataclasses.replace(one, entries=one.entries * 1000)
    text = html.unescape(as_markdown(Report(workspace="ci", plan=many, price=PRICE)))
    assert text.count("| create<br>cap |") == 1000
    for title in ("The plan: 1001 actions", "⚠️ 1000 warnings", "2000 older tokens waiting to be revoked"):
        assert f"<details><summary>{title}</summary>\n\n" in text
    assert "Left out" not in text


def test_results() -> None:
    """An apply shows first what was not done, and why; then what was, and its plan."""
    made = plan()
    text = html.unescape(as_markdown(Report(workspace="ci", plan=made, outcome=outcome(made), applying=True)))
    assert "\n\n**2** done, **2** failed, **1** busy, **1** skipped.<br>Planned: **1** to create, " in text
    failed = (
        "### Not done\n\n| Result | Token | Why |\n| --- | --- | --- |\n| ❌ failed: replace | <code>ci</code> | It"
    )
    assert (
        text.index(failed) < text.index("<details><summary>✅ 2 done</summary>") < text.index("| create<br>blocked |")
    )
    assert "| ✅ done: create | <code>ci</code> |\n" in text


def test_what_was_not_read_back() -> None:
    """A result names the destinations that took the secret on trust, behind its error where it has one."""
    made = plan()
    results = tuple(dataclasses.replace(one, unread=("env A", "env | B")) for one in outcome(made).results[:2])
    told = dataclasses.replace(outcome(made), results=results)
    text = html.unescape(as_markdown(Report(workspace="ci", plan=made, outcome=told, applying=True)))
    assert "| <code>ci</code> | accepted, not read back: env A, env | B |\n" in text
    assert "| It said no.; accepted, not read back: env A, env | B |\n" in text


def test_a_failure() -> None:
    """A failure before there was a plan is told with its code, as the output failure-reason has it, and what to do."""
    text = html.unescape(as_markdown(Report(error=NotTheApiError("This is HTML.", hint="Check it."))))
    assert text == (
        "## tooken-ci\n\n❌ **Failed** (api_unexpected).\n\n> [!CAUTION]\n> This is HTML.\n> \n> Check it.\n"
    )


def test_an_apply_that_did_not_begin() -> None:
    """Where a plan came to be but nothing of it was done, that is told."""
    error = SavedPlanError("It differs.", differences=["ci is new."], hint="Plan again.")
    text = html.unescape(as_markdown(Report(workspace="ci", plan=plan(), error=error, applying=True)))
    assert "❌ **Failed** (saved_plan). Apply did not begin.<br>Planned: " in text
    assert "> It differs.\n> - ci is new.\n> \n> Plan again.\n" in text


def test_faults_of_a_spec() -> None:
    """Each fault of a spec stands with its line."""
    fault = Fault(Position("tooken.yml", 3, 5), "There is no such key.", hint="Take it away.")
    text = html.unescape(as_markdown(Report(error=SpecError([fault]))))
    assert "> - <code>tooken.yml:3:5</code>: There is no such key. Take it away.\n" in text


def test_one_action_of_a_blocked_plan() -> None:
    """Of a single action it is told whether it is done, without counting."""
    due = dataclasses.replace(action(ActionKind.CREATE, "due"), cause=Cause.TIME)
    for one, told in (
        (due, "Apply does the one action all the same: it is due or unfinished."),
        (action(ActionKind.CREATE, "new"), "Apply does not do the one action: it is neither due nor unfinished."),
    ):
        made = plan(kinds=(), problems=(), blocks=("max_changes",))
        made = dataclasses.replace(made, entries=(EntryPlan(entry=one.entry, actions=(one,)),), removals=())
        assert f"\n> {told}\n" in html.unescape(as_markdown(Report(workspace="ci", plan=made, price=PRICE)))


def test_a_valid_spec() -> None:
    """What is only checked is told to be valid, above what is worth a look."""
    page = html.unescape(as_markdown(Report(workspace="ci", spec=builders.spec(), warnings=("Look at it.",))))
    assert page.startswith("## tooken-ci: ci\n\nThe spec is valid.\n\n> [!WARNING]\n")


def test_leases() -> None:
    """What became of leases is a small table, failures first, with when each ends if nobody releases it."""
    text = html.unescape(as_markdown(leases()))
    assert "Leases: **1** leased, **1** released, **1** failed.\n" in text
    named = [row[1] for row in map(str.split, re.findall(r"^\| [^-R].*", text, re.MULTILINE))]
    assert named == ["❌", "✅", "✅"]
    assert text.count("ends by itself 2026-11-23 20:20 UTC |") == 2


def test_tokens_that_fall_due_soon() -> None:
    """What the run after this one will see to is a warning."""
    spec = builders.spec(builders.entry("ci"))
    tokens = (builders.token("ci", age=builders.days(18.8)),)
    made = builders.plan(spec, tokens)
    assert not made.actions
    text = html.unescape(as_markdown(Report(workspace="ci", spec=spec, tokens=tokens, plan=made, price=PRICE)))
    assert "> [!WARNING]\n> - 'ci' falls due at 2026-11-2" in text


@pytest.mark.parametrize(
    ("number", "drawn", "folded"), [(12, True, False), (13, True, True), (50, True, True), (51, False, False)]
)
def test_when_tokens_end(number: int, *, drawn: bool, folded: bool) -> None:
    """Up to fifty tokens are drawn, and up to twelve in view."""
    tokens = tuple(builders.token(f"ci-{index}") for index in range(number))
    spec = builders.spec(*(builders.entry(one.name) for one in tokens))
    text = as_markdown(Report(workspace="ci", spec=spec, tokens=tokens, plan=builders.plan(spec, tokens), price=PRICE))
    assert ("```mermaid\n" in text) == drawn
    assert ("<details><summary>When the tokens end</summary>\n\n```mermaid\n" in text) == folded


@pytest.mark.parametrize("word", MARKUP)
def test_no_name_is_markup(word: str) -> None:
    """Whatever a name holds, the tables keep their shape, no tag or link appears, and no line speaks to the runner."""
    text = as_markdown(report(word))
    assert shape(text) == shape(as_markdown(report()))
    assert text.count("\n") == as_markdown(report()).count("\n")
    tags = set(re.findall(r"<[^>]*>", text))
    assert tags <= {f"<{end}{tag}>" for tag in ("code", "br", "details", "summary", "sub", "wbr") for end in ("", "/")}
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
    assert text.count("\n") == 6
    assert set(re.findall(r"<[^>]*>", text)) <= {"<code>", "</code>", "<wbr>"}
    assert text.count("<") - text.count("<wbr>") == 2 * text.count("</code>")
    assert "|" not in text


ON_GITHUB = ["@everyone", "@acme/owners", "#1", "acme/shop#12", "GH-7"]
ON_GITLAB = [
    "!42",
    "acme/shop!42",
    "$5",
    "shop$5",
    "&7",
    "acme&7",
    "~bug",
    "~123",
    '~"feature request"',
    "shop~priority::high",
    "%3",
    "%v1.23",
    '%"release candidate"',
    "acme/shop%3",
    "^alert#9",
    '*iteration:"Q3 of 2026"',
    "*iteration:12",
    "[vulnerability:1]",
    "[feature_flag:acme/shop/1]",
    "[work_item:acme/1]",
    "[epic:1]",
    '[cadence:"plan a"]',
    "[contact:somebody@example.com]",
    "[wiki_page:acme/shop:A page]",
    "[[A page]]",
    "acme/shop>",
    "acme/shop@9ba12248",
    "9ba12248",
    "GL-1",
    "SHOP-12",
    "https://gitlab.example.com/acme/shop/-/issues/1",
    "smb://host/share",
]


@pytest.mark.parametrize("word", [*ON_GITHUB, *ON_GITLAB])
def test_an_error_mentions_nobody(word: str) -> None:
    """A mention or a reference is code, which both leave alone; an address of an e-mail stays text, in two pieces."""
    text = html.unescape(
        as_markdown(Report(workspace="w", error=NotTheApiError(f"It said <{word} >, to a@b.example.")))
    )
    shown = word.replace("@", "@<wbr>")
    assert f"<<code>{shown}</code> >, to a@<wbr>b.example" in text


@pytest.mark.parametrize(
    "word", ["It's 50 % now!", "R&D", "~ 5", "$x^2$", "a * b", "[see below]", "ci-deploy.g2", "10 > 9"]
)
def test_other_signs_are_no_mention(word: str) -> None:
    """What neither takes for a reference stays text."""
    text = html.unescape(as_markdown(Report(workspace="w", error=NotTheApiError(f"It said {word}"))))
    assert f"It said {word}\n" in text


@pytest.mark.parametrize(
    "piece", ["a.b/", "a", "[a:", "[[", '~"', "%x ", "%x", "^alert", "x@", "a/b>", "abcdef", "A-", "a:"]
)
def test_long_texts_take_no_time(piece: str) -> None:
    """However a text is made, to look for references in it takes less than a second."""
    begun = time.process_time()
    markdown(piece * 2000)
    assert time.process_time() - begun < 1

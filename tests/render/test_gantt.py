"""The diagram of when tokens end."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.plan import builders
from tests.plan.builders import NOW, days, ending, endless, entry, hours, token
from tests.support.hostile import HOSTILE
from tooken_ci.plan.timeline import Life, LifeKind, timeline
from tooken_ci.render.gantt import gantt

NOTHING = builders.plan(builders.spec())
NAME = r"[^\W_]|[-./ …_]"
"""What may stand in a label; how a line begins and all behind the colon is ours."""

LINE = re.compile(
    rf"""
      %%\{{init:\ \{{"gantt":\ \{{"leftPadding":\ \d+,\ "rightPadding":\ 12\}}\}}\}}%%
    | gantt
    | \ {{4}}(
        accTitle:\ When\ the\ tokens\ end
      | dateFormat\ YYYY-MM-DD\ HH:mm
      | axisFormat\ [%a-zA-Z: ]+
      | tickInterval\ \d+[a-z]+
      | section\ (?!\ )({NAME})+
      | (current|retiring|planned)(\ ({NAME})+)?,\ (never\ ends|\d+\ \w+(\ \d+)?)\ :(crit,\ )?(done,\ |active,\ )?
        t\d+,\ [-\d]+\ [:\d]+,\ [-\d]+\ [:\d]+
      | due\ \d+\ \w+(\ \d+)?\ :milestone,\ t\d+d,\ [-\d]+\ [:\d]+,\ 0d
      )
    """,
    re.VERBOSE,
)


def life(name: str = "ci", *, kind: LifeKind = LifeKind.CURRENT, **changes: dt.datetime | None) -> Life:
    dates = {"starts": NOW - days(10), "ends": NOW + days(20), **changes}
    return Life(entry=name, token=name, kind=kind, **dates)  # type: ignore[arg-type]


def bars(*lives: Life) -> list[str]:
    """What is drawn, without the lines before the first section."""
    lines = [line.strip() for line in gantt(lives, NOTHING).splitlines()]
    return lines[next(index for index, line in enumerate(lines) if line.startswith("section")) :]


def test_lives() -> None:
    """Each token has a bar under its entry, of its own look, and a mark where it falls due."""
    spec = builders.spec(entry("ci"), endless("page"), ending(NOW + days(5), "fair"))
    tokens = [
        token("ci.g2", age=days(22)),
        token("ci", age=days(29), used=hours(1)),
        token("page", expires_at=None),
        token("fair", age=days(20), expires_at=NOW + days(5)),
    ]
    plan = builders.plan(spec, tokens)
    lines = [line.strip() for line in gantt(timeline(spec, tokens, plan, most=50), plan).splitlines()]
    assert lines[5:] == [
        "tickInterval 2week",
        "section ci",
        "retiring, 24 Nov :done, t0, 2026-10-25 00:00, 2026-11-24 00:00",
        "current g2, 1 Dec :t1, 2026-11-01 00:00, 2026-12-01 00:00",
        "due 21 Nov :milestone, t1d, 2026-11-21 00:00, 0d",
        "planned g3, 23 Dec :active, t2, 2026-11-23 00:00, 2026-12-23 00:00",
        "section page",
        "current, never ends :t3, 2026-11-20 00:00, 2026-12-24 00:00",
        "section fair",
        "current, 28 Nov :crit, t4, 2026-11-03 00:00, 2026-11-28 00:00",
    ]


@pytest.mark.parametrize(("ahead", "crit"), [(days(7), True), (days(7) + hours(1), False), (-hours(1), True)])
def test_what_ends_soon_stands_out(ahead: dt.timedelta, *, crit: bool) -> None:
    """What ends within seven days and is not replaced is drawn in red."""
    (_, bar) = bars(life(ends=NOW + ahead))
    assert (":crit, t0" in bar) == crit


def test_a_retiring_one_that_ends_soon_does_not() -> None:
    """That an older generation ends is what it is to do."""
    assert ":done, t0" in bars(life(kind=LifeKind.RETIRING, ends=NOW + hours(1)))[1]


def test_edges() -> None:
    """What ends beyond a year, or began long ago, is cut at the edges; when it ends is told in its label."""
    (_, bar, _, other) = bars(
        life("a", starts=NOW - days(4000), ends=NOW + days(4000)),
        life("b", starts=NOW - days(4000), ends=NOW + days(30), due=NOW + days(3000)),
    )
    assert bar == "current, 5 Nov 2037 :t0, 2025-11-22 00:00, 2027-12-02 00:00"
    assert other == "current, 23 Dec :t1, 2025-11-22 00:00, 2026-12-23 00:00"


def test_nothing_but_what_never_ends() -> None:
    """Bars that have no end are as long as the diagram, which has some width anyway."""
    assert bars(life(ends=None)) == ["section ci", "current, never ends :t0, 2026-11-21 19:00, 2026-11-25 20:00"]


@pytest.mark.parametrize(
    ("ahead", "axis"),
    [
        (hours(3), ["axisFormat %d %b", "tickInterval 1day"]),
        (days(5), ["axisFormat %d %b", "tickInterval 2day"]),
        (days(90), ["axisFormat %b %Y", "tickInterval 1month"]),
        (days(4000), ["axisFormat %b %Y", "tickInterval 6month"]),
    ],
)
def test_dates_below(ahead: dt.timedelta, axis: list[str]) -> None:
    """There are no more dates than a telephone has room for."""
    lives = [life(starts=NOW - days(4000), ends=NOW + ahead)]
    assert [line.strip() for line in gantt(lives, NOTHING).splitlines()[4:6]] == axis


def test_entries_keep_apart() -> None:
    """Names that look alike once they are cut get a number, since Mermaid would draw them as one."""
    names = ["a" * 40 + word + "a" * 40 for word in ("x", "y")]
    assert [line for line in bars(*map(life, names)) if line.startswith("section")] == [
        "section aaaaaaaaaaaa…aaaaaaaaaaa",
        "section aaaaaaaaaaaa…aaaaaaaaaaa no. 2",
    ]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("ci-deploy.g2/x_y", "ci-deploy.g2/x_y"),
        ("Données 日本", "Données 日本"),
        ("a:b;c#d,e", "a_b_c_d_e"),
        ("%%{init: {}}%%", "_init_ _"),
        ("__proto__", "_proto_"),
        ('<b>"x"</b>', "_b_x_/b_"),
        ("x\ny", "x_x0ay"),
        ("  ", "_"),
        ("", "_"),
    ],
)
def test_names(name: str, shown: str) -> None:
    """Letters, digits and a few signs stay; nothing that Mermaid could read as something else does."""
    assert bars(life(name))[0] == f"section {shown}"


WORDS = ("click evil", "gantt", "title x", "2026-01-01", 'href "x"', "call f()", "%%x", "todayMarker off", "```", "`")


@pytest.mark.parametrize("word", [*HOSTILE, *WORDS], ids=range(len(HOSTILE) + len(WORDS)))
def test_hostile_names(word: str) -> None:
    """Whatever a name holds, no line of the diagram is other than one of ours."""
    lives = [life(word), Life(entry="ci", token=word, kind=LifeKind.RETIRING, starts=NOW, ends=None)]
    lines = gantt(lives, NOTHING).splitlines()
    assert len(lines) == 10
    assert [line for line in lines if not LINE.fullmatch(line)] == []


INSTANTS = st.datetimes(dt.datetime(1970, 1, 1), dt.datetime(9000, 1, 1), timezones=st.just(dt.UTC))  # noqa: DTZ001


@settings(max_examples=100, deadline=None)
@given(name=st.text(max_size=120), starts=INSTANTS, ends=st.none() | INSTANTS, due=st.none() | INSTANTS)
def test_any_life(name: str, starts: dt.datetime, ends: dt.datetime | None, due: dt.datetime | None) -> None:
    """Any name and any dates make lines of ours, and no bar ends before it begins."""
    text = gantt([life(name, starts=starts, ends=ends, due=due)], NOTHING)
    assert [line for line in text.splitlines() if not LINE.fullmatch(line)] == []
    ((first, last),) = re.findall(r"t0, ([-\d]+ [:\d]+), ([-\d]+ [:\d]+)$", text, re.MULTILINE)
    assert first <= last


def test_the_most_urgent_has_a_width() -> None:
    """What ends within hours, beside what lives for months, is a bar that can be seen, and red."""
    urgent, _ = (line for line in bars(life("a", ends=NOW + hours(1)), life("b", ends=NOW + days(300))) if ":" in line)
    tags, mark, begins, ends = urgent.partition(" :")[2].split(", ")
    assert (tags, mark) == ("crit", "t0")
    assert begins < ends
    fresh, _ = (line for line in bars(life("a", starts=NOW, ends=NOW), life("b", ends=NOW + days(300))) if ":" in line)
    begins, ends = fresh.split(", ")[-2:]
    assert begins < ends

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.support.runner import values
from tooken_ci.base.position import Position
from tooken_ci.ci.github import annotated, write_outputs, write_state
from tooken_ci.plan.notices import Level, Notice

if TYPE_CHECKING:
    from pathlib import Path

PLACE = Position("specs/a,b:c.yml", 3, 5)


def notice(message: str, level: Level = Level.ERROR, position: Position | None = None) -> Notice:
    return Notice(level=level, code="code", message=message, position=position)


def test_a_notice_without_a_line() -> None:
    """It is one annotation with the whole message."""
    assert annotated([notice("There is no key. Set it.")]) == ["::error title=tooken-ci::There is no key. Set it."]


def test_notices_on_their_lines() -> None:
    """Each is an annotation on its line, with what a property must not hold escaped; errors come before warnings."""
    assert annotated(
        [
            notice("Look.", Level.WARNING, Position("b.yml", 1, 1)),
            notice("100% wrong.", position=PLACE),
            notice("Done.", Level.NOTICE),
        ]
    ) == [
        "::error file=specs/a%2Cb%3Ac.yml,line=3,col=5,title=tooken-ci::100%25 wrong.",
        "::warning file=b.yml,line=1,col=1,title=tooken-ci::Look.",
        "::notice title=tooken-ci::Done.",
    ]
    assert annotated([]) == []


@pytest.mark.parametrize("words", ["a\n::error::b", "a\r::error::b", "a\r\nb", "50%0A::error::b"])
def test_nothing_breaks_out_of_an_annotation(words: str) -> None:
    """A message with line ends or escapes in it stays one line and one command, and shows them as they are."""
    (plain,) = annotated([notice(words)])
    (placed,) = annotated([notice(words, position=Position(words, 1, 1))])
    escaped = words.replace("%", "%25").replace("\r", "\\x0d").replace("\n", "\\x0a")
    assert plain == f"::error title=tooken-ci::{escaped}"
    name = escaped.replace(":", "%3A")
    assert placed == f"::error file={name},line=1,col=1,title=tooken-ci::{escaped}"


@pytest.mark.parametrize("level", list(Level))
@pytest.mark.parametrize("number", [8, 9, 10, 11, 500])
def test_no_more_than_the_runner_shows(level: Level, number: int) -> None:
    """The runner drops the eleventh of a level in silence; the ninth tells how many more, one is kept free."""
    lines = annotated([notice(f"It is {index}.", level) for index in range(number)])
    assert len(lines) == min(number, 9)
    assert lines[0] == f"::{level} title=tooken-ci::It is 0."
    if number <= 9:
        assert lines[-1] == f"::{level} title=tooken-ci::It is {number - 1}."
    else:
        assert lines[-1].startswith(f"::{level} title=tooken-ci::{number - 8} more {level}s: ")


def test_each_level_is_counted_for_itself() -> None:
    """Many warnings keep no error from being shown."""
    many = [notice("Look.", Level.WARNING) for _ in range(30)]
    lines = annotated([*many, *(notice("No.") for _ in range(3))])
    assert [line.split(" ")[0] for line in lines] == ["::error"] * 3 + ["::warning"] * 9


def test_files_are_named_as_in_the_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path is told from the top of the repository, wherever the command runs; one outside stays as it is."""
    (tmp_path / "infra").mkdir()
    monkeypatch.chdir(tmp_path / "infra")
    for given, named in {
        f"{tmp_path}/specs/a.yml": "specs/a.yml",
        "tooken.yml": "infra/tooken.yml",
        "../b.yml": "b.yml",
        "/elsewhere/a.yml": "/elsewhere/a.yml",
    }.items():
        (line,) = annotated([notice("No.", position=Position(given, 1, 2))], root=tmp_path)
        assert line.startswith(f"::error file={named},line=1,")


def test_outputs_are_appended(tmp_path: Path) -> None:
    """Outputs are added to what other steps wrote, each between borders that nobody can foresee."""
    path = tmp_path / "output"
    path.write_text("before=1\n", encoding="utf-8")
    write_outputs(path, {"has-changes": True, "create": 3, "revoke": 0})
    write_outputs(path, {"has-changes": False})
    write_outputs(path, {"plan-file": "out/Plan\nhas-changes=true"})
    text = path.read_text(encoding="utf-8")
    counts = {"before": "1", "has-changes": "false", "create": "3", "revoke": "0"}
    assert values(text) == {**counts, "plan-file": "out/Plan\nhas-changes=true"}
    borders = re.findall(r"<<(tooken-[0-9a-f]{32})\n", text)
    assert len(set(borders)) == 5


def test_a_state_cannot_forge_another(tmp_path: Path) -> None:
    """A state that looks like the runner's own syntax comes back as it is."""
    path = tmp_path / "state"
    write_state(path, "leases", "a=b\nleases<<x\nno\nx")
    assert values(path.read_text(encoding="utf-8")) == {"leases": "a=b\nleases<<x\nno\nx"}

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.render.support import outcome, plan
from tests.support.runner import values
from tooken_ci.base.errors import Fault, SpecError, UsageError
from tooken_ci.base.position import Position
from tooken_ci.ci.github import error_annotations, run_annotations, warning_annotations, write_outputs, write_state
from tooken_ci.plan.model import ActionKind, ProblemCode

if TYPE_CHECKING:
    from pathlib import Path

WRONG = Fault(Position("specs/a,b:c.yml", 3, 5), "100% wrong.", hint="Mend it.")
BARE = Fault(Position("b.yml", 1, 1), "Also wrong.")


def test_an_error() -> None:
    """An error is one annotation with the whole message."""
    assert error_annotations(UsageError("There is no key.", hint="Set it.")) == [
        "::error title=tooken-ci::There is no key. Set it."
    ]


def test_a_spec_that_is_not_valid() -> None:
    """Each fault of a spec is an annotation on its line, with what a property must not hold escaped."""
    assert error_annotations(SpecError([WRONG, BARE])) == [
        "::error file=specs/a%2Cb%3Ac.yml,line=3,col=5,title=tooken-ci::100%25 wrong. Mend it.",
        "::error file=b.yml,line=1,col=1,title=tooken-ci::Also wrong.",
    ]


def test_warnings() -> None:
    """Each warning about the spec is an annotation on its line."""
    assert warning_annotations([BARE]) == ["::warning file=b.yml,line=1,col=1,title=tooken-ci::Also wrong."]
    assert warning_annotations([]) == []


@pytest.mark.parametrize("words", ["a\n::error::b", "a\r::error::b", "a\r\nb", "50%0A::error::b"])
def test_nothing_breaks_out_of_an_annotation(words: str) -> None:
    """A message with line ends or escapes in it stays one line and one command, and shows them as they are."""
    (plain,) = error_annotations(UsageError(words))
    (placed,) = error_annotations(SpecError([Fault(Position(words, 1, 1), words)]))
    escaped = words.replace("%", "%25").replace("\r", "\\x0d").replace("\n", "\\x0a")
    assert plain == f"::error title=tooken-ci::{escaped}"
    name = escaped.replace(":", "%3A")
    assert placed == f"::error file={name},line=1,col=1,title=tooken-ci::{escaped}"


def test_what_was_not_served() -> None:
    """A run tells each problem, each action that failed, and last why it failed as a whole."""
    made = plan(kinds=(ActionKind.CREATE, ActionKind.REPLACE), problems=(ProblemCode.CAP,), blocks=())
    lines = run_annotations(made, outcome(made), UsageError("All in all."))
    assert lines == [
        "::error title=tooken-ci::'ci' (cap): It is as it is. Look at it.",
        "::error title=tooken-ci::replace 'ci': It said no.",
        "::error title=tooken-ci::All in all.",
    ]


def test_a_run_that_went_well() -> None:
    """Where all is well nothing is annotated."""
    assert run_annotations(plan(problems=(), blocks=()), None, None) == []
    assert run_annotations(None, None, None) == []


def test_outputs_are_appended(tmp_path: Path) -> None:
    """Outputs are added to what other steps wrote, each between borders that nobody can foresee."""
    path = tmp_path / "output"
    path.write_text("before=1\n", encoding="utf-8")
    write_outputs(path, {"has-changes": True, "create": 3, "revoke": 0})
    write_outputs(path, {"has-changes": False})
    text = path.read_text(encoding="utf-8")
    assert values(text) == {"before": "1", "has-changes": "false", "create": "3", "revoke": "0"}
    borders = re.findall(r"<<(tooken-[0-9a-f]{32})\n", text)
    assert len(set(borders)) == 4


def test_a_state_cannot_forge_another(tmp_path: Path) -> None:
    """A state that looks like the runner's own syntax comes back as it is."""
    path = tmp_path / "state"
    write_state(path, "leases", "a=b\nleases<<x\nno\nx")
    assert values(path.read_text(encoding="utf-8")) == {"leases": "a=b\nleases<<x\nno\nx"}

"""Workers, reserve and deadline: a value that cannot be is refused with what is expected, before anything is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.project import entry, spec
from tooken_ci.cli import run

if TYPE_CHECKING:
    from tests.e2e.project import Project

ONE = spec({"ci": entry("ci")})
RANGE = ("1<=x<=64",)
SHARE = ("number of requests", "such as 100", "share", "10%")
DURATION = ("duration", "such as 90s, 30m or 2h")
WRONG = [
    *(("workers", value, RANGE) for value in ("0", "65", "-1")),
    *(("workers", value, ("integer range",)) for value in ("many", "1.5", "8 workers")),
    *(("reserve", value, SHARE) for value in ("many", "101%", "-1", "-1%", "1.5", "10 %", "%", "1e3", "\u0661")),
    *(("reserve", value, SHARE) for value in ("9999999999", "10.123%", "nan", "inf", "1_000", "+5")),
    *(("deadline", value, DURATION) for value in ("soon", "0s", "0m", "0", "90", "-5m", "1.5h", "2h 30m", "30 m")),
    *(("deadline", value, DURATION) for value in ("9999999999s", "99999999w", "1e3s", "30M", "inf", "\u0663s")),
]
RIGHT = [
    ("workers", "1"),
    ("workers", "64"),
    ("reserve", "0"),
    ("reserve", "12.5%"),
    ("reserve", "100%"),
    ("reserve", "999999999"),
    ("deadline", "90s"),
    ("deadline", "30m"),
    ("deadline", "2h"),
    ("deadline", "999999999s"),
    ("deadline", "36500d"),
]


@pytest.mark.parametrize(("option", "value", "expected"), WRONG)
def test_a_wrong_value(capsys: pytest.CaptureFixture[str], option: str, value: str, expected: tuple[str, ...]) -> None:
    """A wrong value ends with exit code 2, and the message names the option, the value and what is expected."""
    assert run(["plan", f"--{option}={value}"]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert [words for words in (f"'--{option}'", value, *expected) if words not in told.err] == []


@pytest.mark.parametrize(("option", "value"), RIGHT)
def test_a_right_value(capsys: pytest.CaptureFixture[str], option: str, value: str) -> None:
    """A value at the edge of what is allowed is taken: what is wrong here is only that there is no spec."""
    assert run(["plan", f"--{option}={value}", "--spec=missing.yml"]) == 2
    told = capsys.readouterr().err
    assert option not in told
    assert "missing.yml" in told


@pytest.mark.parametrize("command", ["plan", "apply"])
@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [("workers", "0", RANGE), ("reserve", "101%", SHARE), ("deadline", "soon", DURATION)],
)
def test_a_wrong_variable(
    still_project: Project, command: str, option: str, value: str, expected: tuple[str, ...]
) -> None:
    """A wrong value in the variable is refused in the same way and nobody is asked; the option goes before it."""
    still_project.write(ONE)
    variable = {f"TOOKEN_{option.upper()}": value}
    with still_project.unchanged():
        ended = still_project.run(command, code=2, env=variable)
        ended.says(f"--{option}", value, *expected)
        still_project.run("plan", f"--{option}=5{'m' * (option == 'deadline')}", env=variable)


def test_variables_that_are_empty(still_project: Project) -> None:
    """An empty variable, as a CI gives for an input that was left out, means the default."""
    still_project.write(ONE)
    still_project.run("plan", env={"TOOKEN_WORKERS": "", "TOOKEN_RESERVE": "", "TOOKEN_DEADLINE": ""})

"""In the action an error speaks of the inputs, which are all that its user has written."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.e2e.project import entry, spec
from tests.support.runner import values
from tooken_ci.base.errors import RunnerError, UnauthorizedError, UsageError
from tooken_ci.ci.inputs import INPUTS
from tooken_ci.cli import cli
from tooken_ci.cli.inputs import in_inputs
from tooken_ci.cli.program import run

if TYPE_CHECKING:
    from pathlib import Path


class Step(NamedTuple):
    """A step of the action, with what the runner reads of it."""

    folder: Path
    capsys: pytest.CaptureFixture[str]

    def told(self, *arguments: str, reason: str = "usage") -> str:
        """Runs the command, which fails by its usage; gives what people see, which the summary has too."""
        assert run([*arguments]) == 2
        told = self.capsys.readouterr().err
        assert values((self.folder / "outputs").read_text(encoding="utf-8"))["failure-reason"] == reason
        assert f"❌ **Failed** ({reason})." in (self.folder / "summary").read_text(encoding="utf-8")
        assert "::error title=tooken-ci::" in told
        return told


@pytest.fixture
def step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Step:
    """Gives a step in a folder with a spec, and without a key."""
    for name, value in {
        "GITHUB_ACTIONS": "true",
        "TOOKEN_CI_ACTION": "1",
        "GITHUB_WORKSPACE": str(tmp_path),
        "GITHUB_OUTPUT": str(tmp_path / "outputs"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    kept = {"file": {"path": "a", "persistent": True}}
    (tmp_path / "tooken.yml").write_text(str(spec({"a": {**entry("a"), "deliver": [kept]}})), encoding="utf-8")
    return Step(tmp_path, capsys)


def test_no_key(step: Step) -> None:
    """Where there is no key the input is named, and who gets no secrets."""
    told = step.told("plan", reason="no_key")
    assert "There is no API key: the input 'api-key' is empty." in told
    assert "from forks" in told
    assert "Dependabot" in told
    assert "TOOKEN_API_KEY" not in told


@pytest.mark.parametrize(
    ("command", "variables", "words"),
    [
        ("bogus", {}, "The input 'command': No such command 'bogus'. The commands are apply, lease, matrix, plan, "),
        ("lease", {}, "The input 'names' is empty: it tells what lease sees to, one to a line."),
        (
            "plan",
            {"TOOKEN_DETAILED_EXITCODE": "maybe"},
            "The input 'fail-on-changes': 'maybe' is neither true nor false.",
        ),
        ("plan", {"TOOKEN_DEADLINE": "soon"}, "The input 'deadline': 'soon' is no duration, such as 90s, 30m or 2h."),
        ("plan", {"TOOKEN_WORKERS": "many"}, "Invalid value for '--workers' (env var: 'TOOKEN_WORKERS'): 'many' "),
    ],
    ids=["command", "names", "true or false", "duration", "no input"],
)
def test_inputs(
    step: Step, monkeypatch: pytest.MonkeyPatch, command: str, variables: dict[str, str], words: str
) -> None:
    """An input that is missing or wrong is named as it stands in the workflow, wherever the error is told."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    told = step.told(command)
    assert f"Error: {words}" in told
    assert f"::error title=tooken-ci::{words}" in told
    assert "Usage:" not in told


def test_a_command_elsewhere(capsys: pytest.CaptureFixture[str]) -> None:
    """Outside of the action the commands are listed too, under their usage."""
    assert run(["bogus"]) == 2
    told = capsys.readouterr().err
    assert told.startswith("Usage: tooken-ci ")
    assert "Error: No such command 'bogus'. The commands are apply, lease, matrix, plan, " in told


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (UnauthorizedError("401.", hint="Set TOOKEN_API_KEY to another."), "401. Set the input 'api-key' to another."),
        (RunnerError("It is not there.", hint="Name another file with --out."), "the input 'plan-file'."),
        (UsageError("It was not made with this --only."), "It was not made with this input 'only'."),
        (UsageError("--spec and --ca-bundle lead nowhere."), "The input 'spec' and --ca-bundle lead nowhere."),
    ],
    ids=["key", "plan", "this", "first"],
)
def test_remedies(error: UsageError, message: str) -> None:
    """What an option or a variable is named for is told of its input; what has no input keeps its name."""
    in_inputs(error)
    assert str(error).endswith(message)
    in_inputs(error)
    assert str(error).endswith(message)


def test_every_option_of_an_input() -> None:
    """Each option that an input sets is told as that input."""
    named = {param.opts[0] for command in cli.commands.values() for param in command.params if param.envvar}
    for option in (option for option in named if option.startswith("--")):
        error = UsageError(f"Look at {option}.")
        in_inputs(error)
        has_input = {param.envvar for command in cli.commands.values() for param in command.params
                     if param.opts[0] == option} & set(INPUTS.values())  # fmt: skip
        assert ("the input" in error.message) is bool(has_input), option

"""One place that cannot be told keeps nothing from the others, and does not say how the run went."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

import pytest

from tests.e2e.project import entry, spec
from tests.support.runner import values
from tooken_ci.ci import comment as commenting
from tooken_ci.cli.commenting import comment
from tooken_ci.cli.output import Output
from tooken_ci.cli.program import run
from tooken_ci.render import markdown

if TYPE_CHECKING:
    from pathlib import Path

    from tooken_ci.cli.reporting import Reporting


class UnforeseenError(Exception):
    """What nobody foresaw."""


def _thrown(*_: object, **__: object) -> str:
    raise UnforeseenError


@pytest.fixture
def outputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Gives the file of the step's outputs, on a GitHub runner in a folder with a spec that breaks its policy."""
    for name, value in {
        "GITHUB_ACTIONS": "true",
        "GITHUB_OUTPUT": str(tmp_path / "outputs"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    text = spec({"a": {**entry("a"), "expires_in": "90d"}}, policy={"max_lifetime": "1d"})
    (tmp_path / "tooken.yml").write_text(json.dumps(text), encoding="utf-8")
    return tmp_path / "outputs"


def test_a_fault_in_the_summary(
    outputs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A run that failed for a reason of its own ends with that reason, in every other place too."""
    monkeypatch.setattr(markdown, "as_summary", _thrown)
    assert run(["validate", "--format", "json"]) == 5
    shown = capsys.readouterr()
    assert json.loads(shown.out)["error"]["code"] == "policy"
    assert values(outputs.read_text(encoding="utf-8"))["failure-reason"] == "policy"
    assert "Warning: This is a fault of tooken-ci itself (UnforeseenError)." in shown.err
    assert "::error file=tooken.yml,line=1," in shown.err
    assert "Error: The spec breaks its own policy" in shown.err


def test_a_fault_in_the_comment(
    outputs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What nobody foresaw in the comment is a warning after all else, and fails nothing."""
    monkeypatch.setattr(commenting, "publish", _thrown)
    monkeypatch.setenv("TOOKEN_API_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("TOOKEN_API_KEY", "tok_live_plainly_not_a_real_key")
    (outputs.parent / "tooken.yml").write_text("version: 1\ntokens: 3\n", encoding="utf-8")
    assert run(["plan", "--comment"]) == 2
    told = capsys.readouterr().err
    assert told.index("Error: The spec is not valid") < told.index("Warning: This is a fault of tooken-ci itself")
    assert told.splitlines()[-1].startswith("::warning title=tooken-ci::This is a fault")


def test_a_stopped_run_waits_for_no_comment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A signal while the comment is under way lets go of it at once; all else is told by then."""
    under_way, never = threading.Event(), threading.Event()

    class Stopped:
        """A run that somebody stops once its comment is under way."""

        output = Output(comment=True)

        def is_stopped(self) -> bool:
            return under_way.is_set()

    def hang(_: Reporting) -> str:
        under_way.set()
        never.wait(30)
        return ""

    monkeypatch.setattr("tooken_ci.cli.commenting._publish", hang)
    said: list[str] = []
    comment(Stopped(), said.append)  # type: ignore[arg-type]  # as much of a run as it looks at
    never.set()
    assert said == ["The comment was given up, since the run was stopped."]
    comment(Stopped(), said.append)  # type: ignore[arg-type]
    assert said[1:] == ["The comment was left as it is, since the run was stopped."]

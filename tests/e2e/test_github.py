"""On a GitHub runner: outputs for later steps, annotations on the lines of the spec, and stdout as everywhere."""

from __future__ import annotations

import html
import json
import os
import re
import stat
from typing import TYPE_CHECKING

import pytest

from tests.e2e.project import entry, spec
from tests.support.runner import values

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.project import Ended, Project

EARLIER = "earlier=kept\n"
NOTHING = {
    "has-changes": "false",
    "create": "0",
    "replace": "0",
    "rotate": "0",
    "redeliver": "0",
    "revoke": "0",
    "blocked-by": "",
    "failure-reason": "",
}


@pytest.fixture
def outputs(tmp_path: Path) -> dict[str, str]:
    """Gives the runner's environment; an earlier command of the step has written an output already."""
    file = tmp_path / "project" / "outputs"
    file.parent.mkdir(exist_ok=True)
    file.write_text(EARLIER, encoding="utf-8")
    return {"CI": "true", "GITHUB_ACTIONS": "true", "GITHUB_OUTPUT": str(file)}


def _written(project: Project) -> dict[str, str]:
    text = (project.folder / "outputs").read_text(encoding="utf-8")
    assert text.startswith(EARLIER)
    return values(text.removeprefix(EARLIER))


def _annotations(ended: Ended, level: str) -> list[str]:
    return [line for line in ended.err.splitlines() if line.startswith(f"::{level} ")]


def _kept(*paths: str, **more: object) -> dict[str, object]:
    """An entry whose files outlive the job."""
    return {**entry(), "deliver": [{"file": {"path": path, "persistent": True}} for path in paths], **more}


@pytest.mark.parametrize("command", ["plan", "apply"])
def test_outputs(project: Project, outputs: dict[str, str], command: str) -> None:
    """has-changes, create, replace and revoke are added to the step's outputs, and JSON stands alone on stdout."""
    project.write(spec({"a": _kept("a"), "b": _kept("b")}))
    project.run("apply")
    project.write(spec({"a": _kept("a", scopes=["audit:read"]), "b": _kept("b"), "c": _kept("c"), "d": _kept("d")}))
    ended = project.run(command, "--format", "json", env=outputs)
    assert ended.data["summary"]["create"] == 2
    assert _written(project) == {**NOTHING, "has-changes": "true", "create": "2", "replace": "1", "revoke": "1"}
    assert "::error" not in ended.err


def test_outputs_when_nothing_is_to_do(project: Project, outputs: dict[str, str]) -> None:
    """Without changes the outputs say so."""
    project.write(spec({"a": _kept("a")}))
    project.run("apply")
    project.run("plan", env=outputs)
    assert _written(project) == NOTHING


@pytest.mark.parametrize("form", ["text", "json", "markdown"])
def test_errors_of_the_spec(still_project: Project, outputs: dict[str, str], form: str) -> None:
    """Each error of the spec is an annotation on its line, and JSON stands alone on stdout."""
    still_project.write("version: 1\nworkspace: w\ntokens:\n  'a,b:%': {scopes: [x], colour: red}\n", "my spec.yml")
    ended = still_project.run("plan", "--spec", "my spec.yml", "--format", form, code=2, env=outputs)
    found = _annotations(ended, "error")
    assert [annotation.split("::")[1].split(",title")[0] for annotation in found] == [
        "error file=my spec.yml,line=4,col=22",
        "error file=my spec.yml,line=4,col=26",
    ]
    if form == "json":
        assert ended.data["error"]["code"] == "spec_invalid"
    assert _written(still_project) == {"failure-reason": "spec_invalid"}


def test_whose_spec_cannot_be_read(still_project: Project, outputs: dict[str, str]) -> None:
    """Of the twenty jobs of a fleet the page of the one that failed says which workspace it is."""
    still_project.write("version: 1\nworkspace: north\ntokens: {ci: {scopes: [tokens:reed]}}\n")
    summary = still_project.folder / "summary.md"
    ended = still_project.run("plan", "--format", "json", code=2, env={**outputs, "GITHUB_STEP_SUMMARY": str(summary)})
    assert ended.data["workspace"] == "north"
    assert summary.read_text(encoding="utf-8").startswith("\n## tooken-ci: north\n")


def test_errors_of_the_policy(still_project: Project, outputs: dict[str, str]) -> None:
    """A breach of the policy is an annotation on its line."""
    still_project.write(
        "version: 1\nworkspace: w\npolicy: {require_expiry: true}\ntokens:\n  a: {scopes: [tokens:read]}\n"
    )
    ended = still_project.run("validate", code=5, env=outputs)
    assert _annotations(ended, "error")[0].startswith("::error file=tooken.yml,line=5,col=3,")


def test_other_errors(still_project: Project, outputs: dict[str, str]) -> None:
    """A wrong key is one annotation that says what to look at."""
    still_project.write(spec({"a": _kept("a")}))
    still_project.key = "tok_live_wrong_" + "x" * 20
    ended = still_project.run("plan", "--format", "json", code=1, env=outputs)
    assert len(_annotations(ended, "error")) == 1
    assert "TOOKEN_API_KEY" in _annotations(ended, "error")[0]
    assert ended.data["error"]["code"] == "api_unauthorized"


def test_warnings(still_project: Project, outputs: dict[str, str]) -> None:
    """A file that would be lost with the runner is a warning on its line."""
    still_project.write(
        "version: 1\nworkspace: w\ntokens:\n  a:\n    scopes: [tokens:read]\n    deliver: [file: {path: a}]\n"
    )
    ended = still_project.run("plan", "--format", "json", env=outputs)
    assert _annotations(ended, "warning")[0].startswith("::warning file=tooken.yml,line=6,")
    assert "would be lost" in ended.data["warnings"][0]


def test_apply_in_the_action(project: Project, outputs: dict[str, str]) -> None:
    """In the action a file outside the workspace is refused: it would be gone with the container."""
    workspace = project.folder / "workspace"
    workspace.mkdir()
    project.write(spec({"a": _kept("outside")}))
    environment = {**outputs, "GITHUB_OUTPUT": "", "TOOKEN_CI_ACTION": "1", "GITHUB_WORKSPACE": str(workspace)}
    with project.unchanged():
        ended = project.run("apply", code=2, env=environment)
    ended.says("outside the workspace")
    project.write(spec({"a": _kept("workspace/inside")}))
    project.run("apply", env=environment)
    assert project.sandbox.authenticates(project.secret("workspace/inside"))


def test_the_log_has_groups(project: Project, outputs: dict[str, str]) -> None:
    """The plan's details and what apply does can be folded away; totals, warnings, the outcome and errors stay."""
    project.write(spec({"a": _kept("a"), "b": _kept("b")}))
    lines = project.run("apply", env=outputs).err.splitlines()
    first, second = (index for index, line in enumerate(lines) if line.startswith("::group::"))
    ends = [index for index, line in enumerate(lines) if line == "::endgroup::"]
    assert lines[first] == "::group::Workspace 'test': 2 to create; 0 unchanged, 0 unmanaged."
    assert lines[second] == "::group::Applying"
    assert first < ends[0] < second < ends[1]
    assert any("create a" in line for line in lines[first : ends[0]])
    assert sum(line.startswith("  done") for line in lines[second : ends[1]]) == 2
    assert "Applied: 2 done." in lines[ends[1] :]
    assert "::group::" in project.run("plan", env=outputs).err
    assert "::group::" not in project.run("plan").err


def test_the_summary(project: Project, outputs: dict[str, str]) -> None:
    """What people see on the page of the run is added to what is there, on failure too."""
    summary = project.folder / "summary.md"
    summary.write_text("Of an earlier step.\n", encoding="utf-8")
    environment = {**outputs, "GITHUB_STEP_SUMMARY": str(summary)}
    project.write(spec({"a": _kept("a")}))
    project.run("plan", env=environment)
    project.key = "tok_live_wrong_" + "x" * 20
    project.run("plan", code=1, env=environment)
    text = summary.read_text(encoding="utf-8")
    assert text.startswith("Of an earlier step.\n")
    assert "**1** to create" in text
    assert "TOOKEN" in text.split("**1** to create")[1]


def test_a_summary_without_room(project: Project, outputs: dict[str, str]) -> None:
    """Where an earlier command of the step left no room, nothing is added: GitHub would drop all of it."""
    summary = project.folder / "summary.md"
    summary.write_text("x" * 1024 * 1023, encoding="utf-8")
    project.write(spec({"a": _kept("a")}))
    project.run("plan", env={**outputs, "GITHUB_STEP_SUMMARY": str(summary)})
    assert summary.stat().st_size == 1024 * 1023


def test_changes_fail_only_if_asked_for(project: Project, outputs: dict[str, str]) -> None:
    """A check for drift fails on changes; the command gives the sign and says nothing, the action says why it fails."""
    project.write(spec({"a": _kept("a")}))
    summary = project.folder / "summary.md"
    environment = {**outputs, "GITHUB_STEP_SUMMARY": str(summary)}
    asked = {**environment, "TOOKEN_DETAILED_EXITCODE": "true"}
    project.run("plan", env=environment)
    assert _written(project)["failure-reason"] == ""
    quiet = project.run("plan", code=4, env=asked)
    assert _written(project)["failure-reason"] == "changes"
    assert _annotations(quiet, "error") == []
    assert "Error:" not in quiet.err
    assert "Failed" not in summary.read_text(encoding="utf-8")

    summary.unlink()
    action = {"TOOKEN_CI_ACTION": "1", "GITHUB_WORKSPACE": str(project.folder)}
    told = project.run("plan", "--format", "json", code=4, env={**asked, **action})
    said, hint = "There are changes, and fail-on-changes is true.", "Apply them, or see who made them."
    assert _annotations(told, "error") == [f"::error title=tooken-ci::{said} {hint}"]
    assert told.err.endswith(f"\nError: {said}\n  {hint}\n")
    assert told.data["error"] == {"code": _written(project)["failure-reason"], "message": f"{said} {hint}"}
    assert told.data["error"]["code"] == "changes"
    page = html.unescape(summary.read_text(encoding="utf-8"))
    assert "❌ **Failed** (changes).<br>Planned: **1** to create" in page
    assert hint in page
    project.run("apply", env={**environment, **action})
    project.run("plan", env={**asked, **action})


def test_files_that_were_written(project: Project, outputs: dict[str, str]) -> None:
    """The outputs name the saved plan and the report, which is the JSON of the run, readable for who uploads it."""
    project.write(spec({"a": _kept("a")}))
    ended = project.run("plan", "--out", "the.plan", "--report-file", "report.json", "--format", "json", env=outputs)
    written = _written(project)
    assert (written["plan-file"], written["report-file"]) == ("the.plan", "report.json")
    report = project.folder / "report.json"
    assert report.read_text(encoding="utf-8") == ended.out
    assert report.stat().st_mode & 0o777 == 0o644


def test_the_report_of_a_failure(still_project: Project, outputs: dict[str, str]) -> None:
    """A spec that is not valid is told in the file, too."""
    still_project.write("version: 1\ntokens: 3\n")
    still_project.run("validate", "--report-file", "report.json", code=2, env=outputs)
    report = json.loads((still_project.folder / "report.json").read_text(encoding="utf-8"))
    assert report["error"]["code"] == _written(still_project)["failure-reason"] == "spec_invalid"


@pytest.mark.parametrize("path", ["tooken.yml", "key", "", "the.plan"])
def test_a_report_over_what_the_run_reads(still_project: Project, outputs: dict[str, str], path: str) -> None:
    """It is refused before anything is done, and nothing is written there."""
    still_project.write(spec({"a": _kept("a")}))
    key = still_project.folder / "key"
    key.write_text(still_project.sandbox.api_key, encoding="utf-8")
    key.chmod(0o600)
    still_project.delivers("key")
    with still_project.unchanged():
        still_project.run(
            *("plan", "--api-key-file", "key", "--out", "the.plan", "--report-file", path),
            code=2,
            env={**outputs, "GITHUB_OUTPUT": ""},
        ).says("--report-file")


def test_nothing_is_delivered_over_the_report(project: Project) -> None:
    """A file destination that is the report's file would have its secret overwritten; it is refused."""
    project.write(spec({"a": _kept("report.json")}))
    ended = project.run("apply", "--report-file", "report.json", code=2)
    ended.says("report.json", "a report of this run")
    assert project.sandbox.tokens() == []
    assert json.loads((project.folder / "report.json").read_text(encoding="utf-8"))["error"]["code"] == "spec_invalid"


def test_tokens_due_before_the_next_run(project: Project, outputs: dict[str, str]) -> None:
    """A token that the run after this one will replace is a warning on the line of its entry."""
    project.write(spec({"a": _kept("a", expires_in="10d", renew_before="3d"), "b": _kept("b")}))
    project.run("apply")
    project.sandbox.advance(6.25 * 86400)
    ended = project.run("plan", env=outputs)
    (warning,) = _annotations(ended, "warning")
    assert re.match(r"::warning file=tooken.yml,line=\d+,col=3,title=tooken-ci::'a' falls due at ", warning)
    project.sandbox.advance(86400)
    assert _annotations(project.run("plan", env=outputs), "warning") == []


@pytest.mark.parametrize("option", ["--report-file", "--terraform-report", "--codequality-report"])
def test_a_delivered_secret_is_never_overwritten_by_a_report(project: Project, option: str) -> None:
    """A file that is no report stays as it is, whether or not the spec that names it can be read."""
    project.write(spec({"a": _kept("a")}))
    project.run("apply")
    secret = project.secret("a")
    project.run("validate", option, "a", code=2).says("'a'", "Choose another path")
    project.delivers("a")
    project.write("version: 1\ntokens: [\n")
    project.run("validate", option, "a", code=2).says("Warning", "no report of tooken-ci", option)
    assert project.secret("a") == secret


def test_a_report_is_written_over_an_older_one(still_project: Project) -> None:
    """What a run left is replaced by the next; an empty file is, too."""
    still_project.write(spec({"a": _kept("a")}))
    (still_project.folder / "r.json").touch()
    reports = ("--report-file", "r.json", "--terraform-report", "t.json", "--codequality-report", "q.json")
    for _ in range(2):
        still_project.run("plan", *reports)
    still_project.write("version: 1\ntokens: 3\n")
    for _ in range(2):
        still_project.run("plan", *reports, code=2)
    assert json.loads((still_project.folder / "t.json").read_text(encoding="utf-8")) == {"failure": "spec_invalid"}
    assert len(json.loads((still_project.folder / "q.json").read_text(encoding="utf-8"))) == 1


def test_every_file_that_cannot_be_written_is_told(still_project: Project, outputs: dict[str, str]) -> None:
    """The first fails a run that went well, and the outputs say so; others, and those of a failed run, are told."""
    still_project.write(spec({"a": _kept("a")}))
    lost = {**outputs, "GITHUB_STEP_SUMMARY": "/nowhere/summary"}
    ended = still_project.run("plan", "--report-file", "missing/r.json", code=1, env=lost)
    ended.says("Error: The report could not be written to 'missing/r.json'", "Warning: The step's summary could not")
    assert _written(still_project)["failure-reason"] == "output"
    still_project.write("version: 1\ntokens: 3\n")
    ended = still_project.run("plan", "--report-file", "missing/r.json", code=2, env=outputs)
    ended.says("Warning: The report could not be written to 'missing/r.json'", "tokens")
    assert _written(still_project)["failure-reason"] == "spec_invalid"


def test_annotations_from_a_folder_below(still_project: Project, outputs: dict[str, str]) -> None:
    """Where the step works in a folder of its own, the file is named from the top of the repository."""
    still_project.write("version: 1\ntokens: 3\n")
    environment = {**outputs, "GITHUB_WORKSPACE": str(still_project.folder.parent)}
    ended = still_project.run("validate", code=2, env=environment)
    assert _annotations(ended, "error")[0].startswith(f"::error file={still_project.folder.name}/tooken.yml,line=2,")


def test_a_report_to_what_is_no_file(still_project: Project) -> None:
    """A folder and a pipe stay what they are; a link stays, and what it leads to is written."""
    still_project.write(spec({"a": _kept("a")}))
    (still_project.folder / "folder").mkdir()
    os.mkfifo(still_project.folder / "pipe")
    for path in ("folder", "pipe"):
        still_project.run("plan", "--report-file", path, code=1).says(f"'{path}': it is no file", "--report-file")
    assert stat.S_ISFIFO((still_project.folder / "pipe").stat().st_mode)
    (still_project.folder / "pipe").unlink()
    (still_project.folder / "link").symlink_to("there.json")
    still_project.run("plan", "--report-file", "link")
    assert (still_project.folder / "link").is_symlink()
    assert (still_project.folder / "there.json").is_file()


def test_a_wrong_option(still_project: Project, outputs: dict[str, str]) -> None:
    """A command line that is not understood is annotated, and the outputs say that it was the usage."""
    ended = still_project.run("plan", "--workers", "many", code=2, env=outputs)
    (annotation,) = _annotations(ended, "error")
    assert "--workers" in annotation
    assert _written(still_project) == {"failure-reason": "usage"}


def test_outputs_that_cannot_be_written(still_project: Project, outputs: dict[str, str]) -> None:
    """A device in place of the runner's file fails the run, and is not read back for ever by the leak check."""
    still_project.write(spec({"a": _kept("a")}))
    still_project.run("plan", code=1, env={**outputs, "GITHUB_OUTPUT": "/dev/full"}).says("GITHUB_OUTPUT", "No space")

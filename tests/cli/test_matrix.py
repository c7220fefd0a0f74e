"""The command ``matrix``, run as a whole in this process."""

from __future__ import annotations

import dataclasses
import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.repository import Repository
from tooken_ci.ci import matrix
from tooken_ci.cli import run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SPEC = """\
version: 1
workspace: {}
tokens: {{ci: {{scopes: [tokens:read], expires_in: 90d, deliver: [file: {{path: ci}}]}}}}
"""
MANY = 500


@pytest.fixture
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """Gives a repository with three workspaces under 'fleet', and makes it the working directory."""
    for name in ("eu", "us/tooken", "asia"):
        path = tmp_path / "fleet" / f"{name}.yml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(SPEC.format(name.partition("/")[0]), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return Repository(tmp_path)


@pytest.fixture
def listed(capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """Gives a function that runs the command, and gives its list."""

    def listed(*arguments: str) -> Any:
        assert run(["matrix", *arguments]) == 0
        return json.loads(capsys.readouterr().out)

    return listed


def test_the_list(fleet: Repository, listed: Callable[..., Any]) -> None:
    """Each workspace has its name and the path of its spec; GitHub's form is the usual one."""
    rows = [("asia", "fleet/asia.yml"), ("eu", "fleet/eu.yml"), ("us", "fleet/us")]
    assert listed("fleet") == {"include": [{"workspace": name, "spec": path} for name, path in rows]}
    assert listed("fleet/", "--for", "github") == listed("fleet")


def test_in_gitlab(fleet: Repository, listed: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """A job of GitLab's gets GitLab's form, unless it asks for the other."""
    monkeypatch.setenv("GITLAB_CI", "true")
    assert listed("fleet")[0] == {"WORKSPACE": "asia", "TOOKEN_SPEC": "fleet/asia.yml"}
    assert listed("fleet", "--for", "github")["include"][0]["workspace"] == "asia"


def test_what_changed(fleet: Repository, listed: Callable[..., Any]) -> None:
    """Of the list is left what changed, and nothing where nothing did."""
    assert listed("fleet", "--changed-since", "main") == {"include": []}
    fleet.write("fleet/us/more.yml", "version: 1\ntokens: {}\n")
    fleet.git("mv", "fleet/eu.yml", "fleet/europe.yml")
    fleet.commit()
    rows = listed("fleet", "--changed-since", fleet.first)["include"]
    assert [row["spec"] for row in rows] == ["fleet/europe.yml", "fleet/us"]
    fleet.git("rm", "-q", "fleet/us/more.yml")
    last = fleet.git("rev-parse", "HEAD")
    fleet.commit()
    assert [row["workspace"] for row in listed("fleet", "--changed-since", last)["include"]] == ["us"]
    assert len(listed("fleet", "--changed-since", "0" * 40)["include"]) == 3


def test_parts(fleet: Repository, listed: Callable[..., Any]) -> None:
    """The parts of what changed are parts of that alone."""
    parts = [listed("fleet", "--for", "gitlab", "--part", f"{number}/2") for number in (1, 2)]
    assert [row["WORKSPACE"] for part in parts for row in part] == ["asia", "eu", "us"]
    assert listed("fleet", "--part", "2/2", "--changed-since", "main")["include"] == []


@pytest.mark.parametrize("part", ["0/1", "2/1", "1", "1/", "/1", "-1/2", "1/0", "a/b", "1/2/3", "1.0/2"])
def test_a_part_that_cannot_be(fleet: Repository, capsys: pytest.CaptureFixture[str], part: str) -> None:
    """Exit 2, with what is expected."""
    assert run(["matrix", "fleet", f"--part={part}"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "such as 2/3" in captured.err


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("version: 1\ntokens: []\n", ("fleet/new.yml:2",)),
        (SPEC.format("eu"), ("fleet/new.yml:1:1", "'fleet/eu.yml'")),
    ],
    ids=["not valid", "of a label that there is"],
)
def test_a_spec_that_cannot_be_listed(
    fleet: Repository, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, spec: str, words: list[str]
) -> None:
    """One of them is enough: nothing is printed, every file is named, on GitHub on its line, and the exit code is 2."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    fleet.write("fleet/new.yml", spec)
    assert run(["matrix", "fleet", "--changed-since", "main"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert all(word in captured.err for word in words)
    assert "::error file=fleet/new.yml,line=" in captured.err


@pytest.mark.usefixtures("fleet")
def test_too_many_workspaces_at_github(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A list that the system does not take as a whole is a warning on the page of a run at GitHub."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    system = matrix.SYSTEMS["github"]
    monkeypatch.setattr(matrix, "SYSTEMS", {"github": dataclasses.replace(system, most=2)})
    assert run(["matrix", "fleet", "--for", "github"]) == 0
    told = "3 workspaces are more than the 2 jobs that"
    assert f"::warning title=tooken-ci::{told}" in capsys.readouterr().err


def test_nothing_but_the_list(
    fleet: Repository, listed: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On GitHub the step's outputs are the workflow's own to write, and there is no plan to sum up."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"):
        monkeypatch.setenv(name, str(tmp_path / name))
    assert len(listed("fleet")["include"]) == 3
    assert not list(tmp_path.glob("GITHUB*"))


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(["nowhere"], 2), ([], 2), (["fleet", "--changed-since", "--output=x"], 2), (["fleet", "--for", "jenkins"], 2)],
)
def test_wrong_usage(fleet: Repository, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int) -> None:
    """Nothing is printed where a list would be expected."""
    assert run(["matrix", *arguments]) == code
    assert capsys.readouterr().out == ""


def test_the_list_cannot_be_written(fleet: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """A list that nobody got is a failure, since the jobs that it asks for would be missing."""

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("click.echo", lambda *args, err=False, **options: None if err else full())
    assert run(["matrix", "fleet"]) == 1


def test_five_hundred_workspaces(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], record_property: Callable[[str, object], None]
) -> None:
    """A fleet of 500 is more than either system takes at once: that is told, and the parts that it names are all."""
    for number in range(MANY):
        folder = tmp_path / f"{number % 10}" / f"{number:03}"
        folder.mkdir(parents=True)
        (folder / "tooken.yml").write_text(SPEC.format(f"w{number:03}"), encoding="utf-8")
    begun = time.monotonic()
    assert run(["matrix", str(tmp_path)]) == 0
    record_property("seconds for 500 workspaces", round(time.monotonic() - begun, 2))
    captured = capsys.readouterr()
    assert len(json.loads(captured.out)["include"]) == MANY
    assert "500 workspaces are more than the 256 jobs that GitHub makes of one list" in captured.err
    assert "--part 1/2 to --part 2/2" in captured.err
    names = []
    for number in (1, 2, 3):
        assert run(["matrix", str(tmp_path), "--for", "gitlab", "--part", f"{number}/3"]) == 0
        captured = capsys.readouterr()
        assert "more than" not in captured.err
        names += [row["WORKSPACE"] for row in json.loads(captured.out)]
    assert names == [f"w{number:03}" for number in range(MANY)]

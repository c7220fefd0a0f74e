from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from tests.plan.builders import CI, READ, WRITE, entry, holds, plan, spec, token
from tooken_ci.base.position import Position
from tooken_ci.ci import gitlab_reports
from tooken_ci.ci.gitlab_reports import codequality, terraform
from tooken_ci.plan.model import ActionKind
from tooken_ci.plan.notices import Level, Notice
from tooken_ci.spec.model import Policy

if TYPE_CHECKING:
    from pathlib import Path

DOCUMENTED = Draft202012Validator(
    {
        "type": "array",
        "items": {
            "type": "object",
            "required": ["description", "check_name", "fingerprint", "severity", "location"],
            "additionalProperties": False,
            "properties": {
                "description": {"type": "string", "minLength": 1},
                "check_name": {"type": "string", "minLength": 1},
                "fingerprint": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
                "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
                "location": {
                    "type": "object",
                    "required": ["path", "lines"],
                    "additionalProperties": False,
                    "properties": {
                        "path": {"type": "string", "pattern": r"^(?!\.?\.?/)."},
                        "lines": {
                            "type": "object",
                            "required": ["begin"],
                            "additionalProperties": False,
                            "properties": {"begin": {"type": "integer", "minimum": 1}},
                        },
                    },
                },
            },
        },
    }
)
"""Every property that GitLab's documentation of the Code Quality report's format lists, and no other."""

PLACE = Position("teams/tooken.yml", 3, 5)


def notice(message: str = "It is wrong.", **more: Any) -> Notice:
    return Notice(**{"level": Level.ERROR, "code": "policy", "message": message, "position": PLACE, **more})


def found(*notices: Notice, root: Path) -> list[dict[str, Any]]:
    data = json.loads(codequality(notices, root=root))
    DOCUMENTED.validate(data)
    findings: list[dict[str, Any]] = data
    return findings


@pytest.fixture(autouse=True)
def top(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Gives the folder of a repository, in which the command runs."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_counts_of_a_plan() -> None:
    """A creation adds, a replacement changes, and a revocation deletes."""
    old = token("old")
    wanted = spec(entry("new"), entry(CI, scopes=frozenset({READ, WRITE})), absent=["old"])
    made = plan(wanted, [token(), old], {f"file out/{CI}": holds(token())})
    assert json.loads(terraform(made)) == {"create": 1, "update": 1, "delete": 1}
    assert json.loads(terraform(plan(entry(), [token()], holds(token())))) == {"create": 0, "update": 0, "delete": 0}


def test_every_action_is_counted_once() -> None:
    """Whatever kind of action a plan has, one of the widget's numbers tells of it."""
    assert sorted(kind for kinds in gitlab_reports._COUNTED.values() for kind in kinds) == sorted(ActionKind)


def test_no_plan_has_no_counts() -> None:
    """Without a plan the file is JSON that lacks the numbers, so that the widget tells of a failure, not of zeros."""
    data = json.loads(terraform(None, failure="spec_invalid"))
    assert data == {"failure": "spec_invalid"}
    assert json.loads(terraform(None)) == {"failure": "no_plan"}


def test_entries_that_were_not_planned_are_not_called_unchanged() -> None:
    """Where entries were left out and no action remains, the widget tells of a failure, not of nothing to do."""
    breach = spec(entry(), policy=Policy(forbidden_scopes=frozenset({READ})))
    assert json.loads(terraform(plan(breach), failure="blocked")) == {"failure": "blocked"}
    others = spec(entry(), entry("web", scopes=frozenset({WRITE})), policy=breach.policy)
    assert json.loads(terraform(plan(others), failure="blocked")) == {"create": 1, "update": 0, "delete": 0}


def test_nothing_found(top: Path) -> None:
    """Where nothing is wrong, the report is an empty list."""
    assert codequality([], root=top) == "[]\n"


def test_a_finding(top: Path) -> None:
    """It has all that GitLab documents, on its line of the file as the repository names it."""
    (one,) = found(notice(), root=top)
    assert one == {
        "description": "It is wrong.",
        "check_name": "tooken-ci/policy",
        "fingerprint": one["fingerprint"],
        "severity": "critical",
        "location": {"path": "teams/tooken.yml", "lines": {"begin": 3}},
    }
    assert found(notice(level=Level.WARNING, code="spec"), root=top)[0]["severity"] == "minor"


@pytest.mark.parametrize("file", ["./tooken.yml", "{top}/shop/tooken.yml", "../shop/tooken.yml"])
def test_the_path_is_the_repositorys(top: Path, monkeypatch: pytest.MonkeyPatch, file: str) -> None:
    """Run from a folder of the repository, and told of a file in whatever way, it names it from the top."""
    (top / "shop").mkdir()
    monkeypatch.chdir(top / "shop")
    place = Position(file.format(top=top), 1, 1)
    assert found(notice(position=place), root=top)[0]["location"]["path"] == "shop/tooken.yml"


def test_a_repository_behind_a_link(top: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder that the runner names may be a link to where the command finds itself."""
    (top / "builds").mkdir()
    (top / "link").symlink_to("builds")
    monkeypatch.chdir(top / "link")
    assert found(notice(), root=top / "link")[0]["location"]["path"] == "teams/tooken.yml"


def test_what_has_no_line_in_the_repository_is_left_out(top: Path) -> None:
    """A failure without a line, and a file outside, are told elsewhere."""
    outside = notice(position=Position("/etc/tooken.yml", 1, 1))
    assert found(notice(position=None), outside, notice(position=Position("../x.yml", 1, 1)), root=top) == []


@pytest.mark.parametrize("code", ["due_soon", "warning", "failed", "busy", "missing", "unknown"])
def test_what_comes_with_time_is_left_out(top: Path, code: str) -> None:
    """What changes without the spec would look like the merge request's doing."""
    assert found(notice(code=code), root=top) == []


def test_a_fingerprint_stays(top: Path) -> None:
    """A finding that moves to another line, with other lines and times in its words, is still the same."""
    before = notice("'ci' stands at tooken.yml:3:5 too, until 2026-11-23T19:20:15Z.")
    moved = Position(PLACE.file, 9, 1)
    after = notice("'ci' stands at tooken.yml:13:7 too, until 2027-01-01T00:00:00Z.", position=moved)
    assert found(before, root=top)[0]["fingerprint"] == found(after, root=top)[0]["fingerprint"]


def test_a_fingerprint_tells_findings_apart(top: Path) -> None:
    """Another code, entry, file or message is another finding; and so is the same one a second time."""
    elsewhere = Position("other.yml", 3, 5)
    many = [
        notice(),
        notice(code="spec_invalid"),
        notice(entry="ci"),
        notice(position=elsewhere),
        notice("'ci-1' is wrong."),
        notice("'ci-2' is wrong."),
        notice(),
    ]
    assert len({finding["fingerprint"] for finding in found(*many, root=top)}) == len(many)


def test_hostile_words(top: Path) -> None:
    """The report is plain ASCII, and a message stays one harmless line."""
    text = codequality([notice("a\n::error::b \x1b[31m\u202e", position=Position("a\u202e.yml", 1, 1))], root=top)
    assert text.isascii()
    (finding,) = json.loads(text)
    assert finding["description"].isprintable()
    assert finding["location"]["path"].isprintable()

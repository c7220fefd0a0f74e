"""What a machine reads: one JSON object that stands alone, schemas that are schemas, exit codes that mean one thing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from jsonschema import Draft202012Validator

from tests.e2e.project import entry, plan_schema, spec

if TYPE_CHECKING:
    from tests.e2e.project import Project

ONE = spec({"ci": entry("ci")})
GOOD = [
    file
    for file in sorted((Path(__file__).parents[1] / "spec" / "good").glob("*.yml"))
    if not file.stem.startswith("words_that_yaml")  # read the product's way only
]


class _Loader(yaml.SafeLoader):
    """YAML as editors read it: dates are text."""


_Loader.yaml_implicit_resolvers = {
    char: [(tag, pattern) for tag, pattern in found if not tag.endswith(":timestamp")]
    for char, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def test_a_plan_as_json(still_project: Project) -> None:
    """A plan is one object on stdout with all that the format promises, and no text beside it on stderr."""
    still_project.write(ONE)
    ended = still_project.run("plan", "--format", "json")
    assert ended.err == ""
    data = ended.data
    assert data["format_version"] == "1.2"
    assert data["workspace"] == "test"
    assert data["blocked_by"] == data["waiting"] == []
    assert data["summary"] == {
        "create": 1, "replace": 0, "rotate": 0, "redeliver": 0, "revoke": 0, "unchanged": 0, "unmanaged": 0,
    }  # fmt: skip
    action = data["actions"][0]
    assert (action["action"], action["entry"], action["token"], action["id"]) == ("create", "ci", "ci", None)
    assert (action["cause"], action["scopes"], action["revoke_after"]) == ("spec", ["tokens:read"], None)
    assert action["destinations"] == ["file ci"]
    assert data["requests"]["spent"] == 1
    assert not {"results", "error"} & data.keys()


def test_an_apply_as_json(project: Project) -> None:
    """An apply is the same object with what became of each action; text about its progress stays on stderr."""
    project.write(ONE)
    ended = project.run("apply", "--format", "json")
    result = ended.data["results"][0]
    made = project.sandbox.active_tokens()[0]
    assert result == {
        "action": "create", "entry": "ci", "token": "ci", "id": made["id"], "status": "done", "error": None,
        "unread": [],
    }  # fmt: skip
    ended.says("done", "create ci")


@pytest.mark.parametrize("command", ["plan", "apply"])
def test_json_on_failure(still_project: Project, command: str) -> None:
    """The object is printed when the run fails too, and says why; standard error tells it to people."""
    ended = still_project.run(command, "--format", "json", code=2)
    assert ended.data["error"]["code"] == "usage"
    assert ended.data["error"]["message"].startswith("There is no spec")
    assert ended.data["workspace"] is None
    ended.says("There is no spec")


def test_json_when_one_entry_fails(project: Project) -> None:
    """Where one entry's destination cannot be written the object tells it there, and the other entry is done."""
    (project.folder / "blocked").write_text("a file where a folder should be", encoding="utf-8")
    project.write(spec({"ci": entry("ci"), "blocked": entry("blocked/file")}))
    ended = project.run("apply", "--format", "json", code=3)
    results = {result["entry"]: result for result in ended.data["results"]}
    assert results["ci"]["status"] == "done"
    assert (results["blocked"]["status"], results["blocked"]["id"]) == ("failed", None)
    assert "blocked/file" in results["blocked"]["error"]
    assert [token["name"] for token in project.sandbox.tokens()] == ["ci"]
    project.run("apply", code=1).says("failed", "blocked/file")


def test_the_exit_codes(project: Project) -> None:
    """Each exit code means what the table says: 0, 1, 2, 3, 4 and 5."""
    project.write(ONE)
    project.run("plan", code=0)
    project.run("plan", "--detailed-exitcode", code=4)
    project.run("apply", code=0)
    project.run("plan", "--detailed-exitcode", code=0)
    project.run("plan", "--nonsense", code=2).says("no such option")
    project.run("nonsense", code=2).says("no such command")
    project.run("plan", "--format", "xml", code=2).says("xml", "json")
    project.write(spec({"ci": entry("ci"), "new": entry("new")}, policy={"name_pattern": "^n"}))
    project.run("plan", "--detailed-exitcode", code=5)
    project.run("apply", code=5)
    project.sandbox.set_faults([{"do": "429", "retry_after": 4000}])
    project.run("plan", code=1).says("rate limit")


def test_the_schema_of_the_spec(still_project: Project) -> None:
    """``schema`` prints a JSON Schema 2020-12 that takes every good example and the specs of these tests."""
    schema = json.loads(still_project.run("schema").out)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    assert GOOD
    for data in (ONE, *(yaml.load(file.read_text(encoding="utf-8"), Loader=_Loader) for file in GOOD)):  # noqa: S506
        validator.validate(data)
    assert not validator.is_valid({**ONE, "tokns": {}})


def test_the_schema_of_the_plan(still_project: Project) -> None:
    """``schema --plan`` prints a JSON Schema 2020-12, by which every JSON output of these tests is checked."""
    schema = json.loads(still_project.run("schema", "--plan").out)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(schema)
    assert schema == plan_schema().schema


def test_markdown_stands_on_stdout(still_project: Project) -> None:
    """With --format markdown the report is on stdout, for a summary or a comment."""
    still_project.write(ONE)
    ended = still_project.run("plan", "--format", "markdown")
    assert ended.out.startswith("## tooken-ci: test\n")
    assert "| create |" in ended.out


def test_text_stands_on_stderr(project: Project) -> None:
    """Text is for people: all of it goes to stderr, and stdout stays empty."""
    project.write(ONE)
    for command in ("validate", "plan", "apply"):
        ended = project.run(command)
        assert ended.out == ""
        assert ended.err
    ended.says("create ci", "Applied: 1 done")

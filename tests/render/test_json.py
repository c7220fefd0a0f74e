from __future__ import annotations

import dataclasses
import json
from importlib import resources
from typing import Any

import jsonschema
import pytest

from tests.render.support import PRICE, action, outcome, plan, report
from tooken_ci import __version__
from tooken_ci.base.errors import Fault, NotTheApiError, PolicyError, SavedPlanError, SpecError, UsageError
from tooken_ci.base.position import Position
from tooken_ci.plan.model import ActionKind, ProblemCode
from tooken_ci.render.report import Report, as_data, as_json, summary

FAULT = Fault(Position("tooken.yml", 3, 5), "It is wrong.", hint="Mend it.")
EMPTY = plan(kinds=(), problems=(), blocks=())

REPORTS = {
    "nothing at all": Report(),
    "a plan": Report(workspace="w", plan=plan(), price=PRICE),
    "an empty plan": Report(workspace="w", plan=EMPTY, price=PRICE),
    "an apply": report(),
    "an apply that did not begin": Report(workspace="w", plan=plan(), price=PRICE, applying=True),
    "a failed apply": Report(
        workspace="w", plan=plan(), price=PRICE, applying=True, error=UsageError("No.", hint="Do.")
    ),
    "no key": Report(workspace="w", error=UsageError("There is no key.")),
    "not the api": Report(workspace="w", spent=3, error=NotTheApiError("HTML.", status=200)),
    "a bad spec": Report(error=SpecError([FAULT, FAULT])),
    "a saved plan that does not fit": Report(error=SavedPlanError("No.", differences=["'ci': a", "'ci': b"])),
    "a breach": Report(workspace="w", error=PolicyError([FAULT])),
    "hostile": report('\n::error::"<script>|`\x1b[31m\ud800\u202e'),
}


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    text = resources.files("tooken_ci.render").joinpath("plan.schema.json").read_text(encoding="utf-8")
    schema = json.loads(text)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize("made", REPORTS.values(), ids=REPORTS)
def test_it_keeps_its_schema(validator: jsonschema.Draft202012Validator, made: Report) -> None:
    """Whatever a run came to, its JSON keeps the schema that the package ships."""
    validator.validate(json.loads(as_json(made)))


@pytest.mark.parametrize("made", REPORTS.values(), ids=REPORTS)
def test_it_is_plain_ascii(made: Report) -> None:
    """JSON speaks to no terminal: it is ASCII without control characters, and ends with a line end."""
    text = as_json(made)
    assert text.isascii()
    assert text.endswith("}\n")
    assert all(char.isprintable() or char == "\n" for char in text)
    assert not any(line.lstrip().startswith("::") for line in text.splitlines())


@pytest.mark.parametrize(
    "change",
    [
        {"format_version": "2.0"},
        {"colour": "blue"},
        {"summary": {"create": 1}},
        {"blocked_by": ["mood"]},
        {"results": [{"status": "maybe"}]},
        {"error": {"code": "x"}},
        {"requests": {"spent": -1, "apply": 0, "at_most": 0, "seconds": 0}},
    ],
)
def test_the_schema_is_no_formality(validator: jsonschema.Draft202012Validator, change: dict[str, Any]) -> None:
    """The schema refuses what a report never holds."""
    assert not validator.is_valid(as_data(report()) | change)


def test_a_plan_in_full() -> None:
    """The data of a plan is the documented one, key by key."""
    data = as_data(Report(workspace="w", plan=plan(problems=(), blocks=()), price=PRICE))
    assert list(data) == [
        "format_version",
        "tool_version",
        "workspace",
        "blocked_by",
        "summary",
        "actions",
        "waiting",
        "problems",
        "warnings",
        "requests",
    ]
    assert (data["format_version"], data["tool_version"], data["workspace"]) == ("1.2", __version__, "w")
    assert data["summary"] == {
        "create": 1,
        "replace": 1,
        "rotate": 1,
        "redeliver": 1,
        "revoke": 2,
        "unchanged": 3,
        "unmanaged": 7,
    }
    assert data["actions"][1] == {
        "action": "replace",
        "entry": "ci",
        "token": "ci",
        "id": "tok_ci",
        "cause": "spec",
        "reasons": ["because of 'ci'"],
        "scopes": ["tokens:read", "tokens:write"],
        "expires_at": "2026-11-24T19:20:15Z",
        "expires_in": 86400,
        "replaces": "ci.old",
        "last_used_at": "2026-11-23T19:20:15Z",
        "revoke_after": "2026-11-24T19:20:15Z",
        "held_by": "its overlap has not passed",
        "destinations": ["file ci"],
        "permitted": True,
    }
    assert data["actions"][0]["replaces"] is data["actions"][0]["held_by"] is data["actions"][0]["last_used_at"] is None
    assert data["waiting"][0] == {
        "entry": "ci",
        "token": "ci",
        "id": "tok_ci",
        "revoke_after": "2026-11-24T19:20:15Z",
        "held_by": "its overlap has not passed",
        "last_used_at": None,
    }
    assert data["waiting"][1]["last_used_at"] == "2026-11-23T19:20:15Z"
    assert data["requests"] == {"spent": 1, "apply": 6, "at_most": 21, "seconds": 0}
    assert data["warnings"] == ["It was used."]


def test_what_blocks_and_what_hinders() -> None:
    """Blocks and problems stand in one list, a block without an entry; what forbids is named once each."""
    data = as_data(Report(workspace="w", plan=plan(problems=(ProblemCode.RECORD, ProblemCode.CAP), blocks=("policy",))))
    assert data["blocked_by"] == ["policy", "record"]
    assert [(problem["code"], problem["entry"]) for problem in data["problems"]] == [
        ("policy", None),
        ("record", "ci"),
        ("cap", "ci"),
    ]
    assert data["problems"][0] == {
        "code": "policy",
        "entry": None,
        "message": "Too much. Raise it.",
        "found": 12,
        "allowed": 10,
    }
    assert {action["permitted"] for action in data["actions"]} == {False}


def test_an_apply_tells_results() -> None:
    """An apply has a result for each action, with null where there is no error; a plan has none."""
    made = plan(problems=(), blocks=())
    data = as_data(Report(workspace="w", plan=made, price=PRICE, outcome=outcome(made), applying=True))
    assert len(data["results"]) == len(made.actions)
    first = {"action": "create", "entry": "ci", "token": "ci", "id": None, "status": "done", "error": None}
    assert data["results"][0] == {**first, "unread": []}
    assert data["results"][1]["error"] == "It said no."
    assert "results" not in as_data(Report(plan=made))
    assert as_data(Report(applying=True))["results"] == []


def test_a_result_names_what_was_not_read_back() -> None:
    """A result lists the destinations that accepted the secret and cannot be read back."""
    made = plan(problems=(), blocks=())
    told = dataclasses.replace(outcome(made), results=(dataclasses.replace(outcome(made).results[0], unread=("a b",)),))
    data = as_data(Report(workspace="w", plan=made, price=PRICE, outcome=told, applying=True))
    assert [result["unread"] for result in data["results"]] == [["a b"]]


def test_a_failure_tells_code_and_message() -> None:
    """A failure has a code for machines and the whole message for people, and tells the requests that it cost."""
    data = as_data(Report(spent=4, error=SpecError([FAULT])))
    assert data["error"]["code"] == "spec_invalid"
    assert "tooken.yml:3:5: It is wrong. Mend it." in data["error"]["message"]
    assert data["requests"]["spent"] == 4
    assert data["workspace"] is None
    assert set(data["summary"].values()) == {0}


def test_differences_are_a_list() -> None:
    """What a saved plan differs in is a list for machines, and stands in the message for people."""
    error = SavedPlanError("It does not fit:", differences=["'ci': a.", "'ci': b."], hint="Plan again.")
    assert as_data(Report(error=error))["error"] == {
        "code": "saved_plan",
        "message": "It does not fit: 'ci': a. 'ci': b. Plan again.",
        "differences": ["'ci': a.", "'ci': b."],
    }


def test_warnings_of_spec_and_plan() -> None:
    """The spec's warnings come before the plan's."""
    assert as_data(report())["warnings"] == ["tooken.yml:3:5: It is short.", "It was used."]


def test_the_summary_counts() -> None:
    """The summary of no plan is all zeros, and that of a plan counts each kind."""
    assert set(summary(None).values()) == {0}
    assert summary(EMPTY) == summary(None) | {"revoke": 1, "unchanged": 3, "unmanaged": 7}
    assert action(ActionKind.REDELIVER).mints is False

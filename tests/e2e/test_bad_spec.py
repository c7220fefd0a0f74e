"""Specs that cannot be used: each has its own clear message and exit code 2, and nothing is changed."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from tests.e2e.project import Project, entry, spec
from tests.support.sandbox import RunningSandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

ONE = spec({"ci": entry("out/ci")})
LAUGHS = "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12))

BAD: dict[str, tuple[str, list[str]]] = {
    "empty": ("", ["bad.yml:1:1", "empty", "version: 1"]),
    "only a comment": ("# to be written\n", ["bad.yml", "empty"]),
    "a list": ("- version: 1\n", ["bad.yml:1:1", "mapping"]),
    "a text": ("hello", ["bad.yml:1:1", "mapping", "hello"]),
    "a number": ("42", ["bad.yml:1:1", "mapping", "42"]),
    "tokens is no mapping": ("version: 1\nworkspace: w\ntokens: [a]\n", ["bad.yml:3:9", "mapping"]),
    "five megabytes": ("#" * 1023 + "\n" + ("#" * 1023 + "\n") * 5119, ["bad.yml", "5,242,880", "4 mib"]),
    "a billion laughs": (f"version: 1\nworkspace: w\na0: &a0 lol\n{LAUGHS}tokens: {{}}\n", ["bad.yml:", "alias"]),
    "a name of 101 characters": (
        json.dumps(spec({"n" * 101: entry("n")})),
        ["bad.yml:1:", "101 characters", "at most 90"],
    ),
    "two entries, one file": (
        json.dumps(spec({"a": entry("out/x"), "b": entry("out/../out/x")}), indent=1),
        ["bad.yml:", "out/x", "'a'", "'b'"],
    ),
    "a file that is another's record": (
        json.dumps(spec({"a": entry("out/x"), "b": entry("out/x.tooken")}), indent=1),
        ["bad.yml:", "out/x.tooken", "'a'"],
    ),
    "a life that is too short": (
        json.dumps(spec({"a": entry("x", expires_in="3d", renew_before="3d")})),
        ["bad.yml:1:", "life of 3d is too short", "renew_before 3d + runs_every 1d"],
    ),
    "a life too short for the runs": (
        json.dumps(spec({"a": entry("x", expires_in="72h")})),
        ["bad.yml:1:", "too short", "at least", "runs_every"],
    ),
    "a duplicate token": (
        "version: 1\nworkspace: w\ntokens:\n  a: {scopes: ['tokens:read']}\n  a: {scopes: ['tokens:read']}\n",
        ["bad.yml:5:3", "'a'", "bad.yml:4:3"],
    ),
    "a misspelt scope": (
        "version: 1\nworkspace: w\ntokens:\n  a: {scopes: ['tokens:raed']}\n",
        ["bad.yml:4:16", "tokens:raed", "tokens:read"],
    ),
    "a misspelt key": ("version: 1\nworkspace: w\ntokns: {}\n", ["bad.yml:3:1", "tokns", "tokens"]),
    "not utf-8 but binary": ("version: 1\n\x00", ["bad.yml:2:1", "U+0000"]),
}


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """Gives a project that was applied; nothing in this module may change it."""
    with RunningSandbox(seed=3) as sandbox:
        project = Project(tmp_path_factory.mktemp("settled"), sandbox)
        project.write(ONE)
        project.apply()
        yield project


@pytest.mark.parametrize("case", BAD)
def test_bad_spec(settled: Project, case: str) -> None:
    """A spec that cannot be used is refused by validate and apply alike, at once and with the place in it."""
    text, words = BAD[case]
    settled.write(text, "bad.yml")
    try:
        with settled.unchanged():
            started = time.monotonic()
            ended = settled.run("validate", "--spec", "bad.yml", code=2)
            ended.says(*words)
            ended = settled.run("apply", "--spec", "bad.yml", "--format", "json", code=2)
            ended.says(*words)
            assert ended.data["error"]["code"] == "spec_invalid"
            assert ended.data["requests"]["spent"] == 0
            assert time.monotonic() - started < 15
    finally:
        (settled.folder / "bad.yml").unlink()


@pytest.mark.parametrize("command", ["validate", "plan", "apply"])
def test_no_spec(settled: Project, command: str) -> None:
    """Where there is no spec the message says where it was looked for and how to name another."""
    with settled.unchanged():
        ended = settled.run(command, "--spec", "nowhere.yml", "--format", "json", code=2)
    ended.says("no spec at 'nowhere.yml'", "--spec")


def test_no_spec_by_default(still_project: Project) -> None:
    """Without --spec, tooken.yml in the working directory is looked for."""
    with still_project.unchanged():
        still_project.run("plan", code=2).says("tooken.yml", str(still_project.folder), "--spec")


def test_all_errors_at_once(settled: Project) -> None:
    """All errors of all files are told in one run, each on a line of its own that begins with its place."""
    settled.write("version: 1\nworkspace: w\ntokens:\n  a: {scopes: [x, y], colour: red}\n", "one.yml")
    settled.write("version: 2\n", "two.yml")
    try:
        ended = settled.run("validate", "--spec", "one.yml", "--spec", "two.yml", code=2)
    finally:
        (settled.folder / "one.yml").unlink()
        (settled.folder / "two.yml").unlink()
    places = [line.strip().split(" ")[0] for line in ended.err.splitlines() if line.startswith("  ")]
    assert [place for place in places if place.startswith("one.yml:4:")] == [
        "one.yml:4:16:",
        "one.yml:4:19:",
        "one.yml:4:23:",
    ]
    assert any(place.startswith("two.yml:1:") for place in places)


@pytest.mark.parametrize("unmanaged", [1, 4])
def test_empty_tokens_with_prune(project: Project, unmanaged: int) -> None:
    """A spec without tokens does not wipe the workspace by its prune, however small the workspace is."""
    for number in range(unmanaged):
        project.sandbox.create(f"bot-{number}")
    project.write(spec({}, prune=["*"]))
    with project.unchanged():
        data = project.plan(code=5)
        assert "empty_tokens" in data["blocked_by"]
        assert data["summary"]["revoke"] == unmanaged
        assert {result["status"] for result in project.apply(code=5)["results"]} <= {"skipped"}
    project.run("apply", code=5).says("empty_tokens", "--allow-empty")


def test_an_expiry_in_the_past(project: Project) -> None:
    """An entry whose absolute expiry is past fails alone and says so; the others are done."""
    tokens = {
        "late": {"scopes": ["tokens:read"], "expires_at": "2020-01-01T00:00:00Z", "deliver": entry("late")["deliver"]},
        "good": entry("good"),
    }
    project.write(spec(tokens))
    assert project.plan(code=1)["summary"]["create"] == 1
    data = project.apply(code=3)
    assert [(problem["entry"], problem["code"]) for problem in data["problems"]] == [("late", "expired")]
    assert "2020-01-01T00:00:00Z" in data["problems"][0]["message"]
    assert [token["name"] for token in project.sandbox.tokens()] == ["good"]
    assert project.sandbox.authenticates(project.secret("good"))
    assert not (project.folder / "late").exists()
    with project.unchanged():
        project.run("apply", code=1).says("'late' (expired)", "has passed")

"""Names that attack whoever reads them: shown in every format, and harmless in each."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

import pytest

from tests.e2e.project import entry, spec
from tests.support.effects import effects
from tests.support.hostile import HOSTILE
from tooken_ci.base.text import safe

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.project import Ended, Project

RUNNER = {"CI": "true", "GITHUB_ACTIONS": "true", "GITLAB_CI": "true"}
OURS = (
    "## tooken-ci: ",
    "### ",
    "**",
    "- ",
    "|",
    "> ",
    "<details><summary>",
    "</details>",
    "```",
    "    ",
    "<sub>",
    "%%",
    "gantt",
)
"""How the lines of a page begin."""

FORMS = ("text", "markdown", "json")
PRUNING = spec({"ci": entry("ci")}, prune=["*"], policy={"max_revocations": "100%"})
WHY = "spec: no entry declares it and the prune pattern '*' matches it"
A_PAGE = 40
"""How many actions of a kind a plan shows as text."""

PARTS = [HOSTILE[start : start + A_PAGE] for start in range(0, len(HOSTILE), A_PAGE)]


@pytest.fixture
def seeded(make_project: Callable[..., Project]) -> Callable[..., Project]:
    """Gives a function that makes a workspace full of tokens with these names, all of which are to be pruned."""

    def make(names: tuple[str, ...]) -> Project:
        created = {"scopes": ["tokens:read"], "created_by": "::error::evil\n\x1b[31m"}
        project = make_project(seed=[{"name": name, **created} for name in names])
        project.write(PRUNING)
        return project

    return make


def _check(ended: Ended, form: str = "text") -> None:
    """Nothing of it can speak to a terminal, a runner or a browser; what is annotated is annotated by us."""
    assert effects(ended.out, ended.err, form) == []


def test_there_is_much_that_one_could_try() -> None:
    """The collection is no shorter than it must be, and each of it is another one."""
    assert len(set(HOSTILE)) == len(HOSTILE) >= 60


@pytest.mark.parametrize("names", PARTS, ids=range(len(PARTS)))
@pytest.mark.parametrize("form", FORMS)
def test_hostile_names(seeded: Callable[..., Project], names: tuple[str, ...], form: str) -> None:
    """A plan and an apply that tell hostile names let none act, in a log, on a page or in data, and lose none."""
    project = seeded(names)
    for command in ("plan", "apply"):
        ended = project.run("--debug", command, "--format", form, env=RUNNER)
        _check(ended, form)
        if form == "json":
            assert {action["token"] for action in ended.data["actions"]} == {"ci", *names}
        elif form == "markdown":
            _check_markdown(ended.out, names)
        elif command == "plan":
            lines = [line for line in ended.err.splitlines() if line.startswith("  - revoke")]
            assert sorted(lines) == sorted(f"  - revoke {safe(name)} ({WHY}), never used" for name in names)
        if command == "apply":
            done = [line for line in ended.err.splitlines() if line.startswith("  done    revoke ")]
            assert sorted(done) == sorted(f"  done    revoke {safe(name)}" for name in names)
    assert [token["name"] for token in project.sandbox.active_tokens()] == ["ci"]


def _check_markdown(text: str, names: tuple[str, ...]) -> None:
    """Tables of the shape that they should have, in which each name stands as code."""
    tables = [line for line in text.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in tables} <= {3, 4}
    first = [line.split("|")[2].strip() for line in tables if line.startswith("| revoke")]
    assert sorted(html.unescape(name).replace("@<wbr>", "@") for name in first) == sorted(
        f"<code>{safe(name, limit=2000)}</code>" for name in names
    )
    for line in text.splitlines():
        assert line == "" or line.startswith(OURS)


def test_hostile_names_in_errors(seeded: Callable[..., Project]) -> None:
    """A saved plan that no longer fits, and a name that is unknown, tell hostile names without harm."""
    names = HOSTILE[:A_PAGE]
    project = seeded(names)
    project.run("plan", "--out", "saved")
    for token in project.sandbox.active_tokens():
        project.sandbox.delete(f"/tokens/{token['id']}")
    ended = project.run("apply", "saved", code=1, env=RUNNER)
    _check(ended)
    assert ended.err.count("evil") >= A_PAGE // 2
    for name in names[::4]:
        _check(project.run("revoke", "--yes", "--", name, env=RUNNER))


def test_a_hostile_store(project: Project) -> None:
    """What a program of the user's says when it fails is harmless, in every format."""
    store = project.folder / "store"
    words = "".join(f"{name}\n" for name in HOSTILE)
    (project.folder / "words").write_text(words, encoding="utf-8", newline="")
    store.write_text('#!/bin/sh\nhead -n "${LINE:-1}" words | tail -n 1 >&2\nexit 7\n', encoding="utf-8")
    store.chmod(0o755)
    program = ["./store"]
    deliver = [{"exec": {"name": "s", "check": program, "record": program, "write": program}}]
    project.write(spec({"ci": {**entry(), "deliver": deliver}}))
    for number in range(1, words.count("\n"), 9):
        for form in FORMS:
            ended = project.run("plan", "--format", form, code=1, env={**RUNNER, "LINE": str(number)})
            _check(ended, form)


def test_a_hostile_error_message(project: Project) -> None:
    """A hostile name in the spec itself, told in an error, is harmless too."""
    tokens = "".join(f"  {name!r}: {{scopes: [x]}}\n" for name in ("::add-mask::x", "##[error]x", "a|b<script>"))
    project.write(f'version: 1\nworkspace: w\ntokens:\n{tokens}  "\\e[31m\\u202e": {{scopes: [x]}}\n')
    ended = project.run("validate", code=2, env=RUNNER)
    _check(ended)
    ended.says("tooken.yml:4:", "tooken.yml:7:")


@pytest.mark.parametrize("value", ["evil\n::error::x", "::error::evil", "##[error]evil"])
def test_a_hostile_option(project: Project, value: str) -> None:
    """The value of an option or a variable, which a workflow may take from a stranger, is told without harm."""
    _check(project.run("plan", "--format", value, code=2, env=RUNNER))
    _check(project.run("plan", code=2, env={**RUNNER, "TOOKEN_DEADLINE": value}))
    _check(project.run("plan", "--spec", value, code=2, env=RUNNER))
    _check(project.run("plan", "--api-key-file", value, code=2, env=RUNNER))

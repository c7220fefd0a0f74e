"""Names that attack whoever reads them: shown in every format, and harmless in each."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

import pytest

from tests.e2e.project import entry, spec

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.project import Ended, Project

HOSTILE = [
    "evil\n::add-mask::x",
    "evil\r::error::x",
    "::add-mask::x",
    "  ::set-output name=a::b",
    "##[error]evil",
    "evil ##[add-mask]x",
    "evil \x1b[31mred\x1b[0m \x1b]0;title\x07",
    "evil \u202e\u2066desrever\u2069",
    "evil \u2028::stop-commands::x\u2029\u0085\x0b\x0c",
    "evil | column | `code` | <script>alert(1)</script>",
    "[evil](javascript:alert(1)) ![x](http://127.0.0.1/x) @somebody #1",
    "evil </code></td></table><img src=x onerror=alert(1)>",
    "\x1b[0Ksection_start:1:evil\r\x1b[0K",
    "evil\x00\x08\x7f\x9b31m",
    "%0A::add-mask::x",
]
RUNNER = {"CI": "true", "GITHUB_ACTIONS": "true", "GITLAB_CI": "true"}
PRUNING = spec({"ci": entry("ci")}, prune=["*"], policy={"max_revocations": "100%"})


@pytest.fixture
def hostile(make_project: Callable[..., Project]) -> Project:
    """Gives a workspace that is full of hostile names, all of which are to be pruned."""
    return make_project(seed=[{"name": name, "scopes": ["tokens:read"]} for name in HOSTILE])


def _check(ended: Ended) -> None:
    """Nothing of it can speak to a terminal, a runner or a browser."""
    for text in (ended.out, ended.err):
        strange = {char for char in text if unicodedata.category(char) in {"Cc", "Cf", "Zl", "Zp"}} - {"\n"}
        assert not strange
        assert "##[" not in text
        commands = [line for line in text.splitlines() if re.match(r"\s*::", line)]
        assert not [line for line in commands if not line.startswith("::warning file=tooken.yml,line=")]


@pytest.mark.parametrize("form", ["text", "markdown", "json"])
def test_hostile_names(hostile: Project, form: str) -> None:
    """A plan and an apply that tell hostile names let none of them act, on a terminal, a runner or a page."""
    hostile.write(PRUNING)
    planned = hostile.run("plan", "--format", form, env=RUNNER)
    applied = hostile.run("apply", "--format", form, env=RUNNER)
    for ended in (planned, applied):
        _check(ended)
        assert ended.out.count("evil") + ended.err.count("evil") >= len(HOSTILE) - 4
        if form == "json":
            assert {action["token"] for action in ended.data["actions"]} == {"ci", *HOSTILE}
        if form == "markdown":
            _check_markdown(ended.out)
    assert [token["name"] for token in hostile.sandbox.active_tokens()] == ["ci"]


def _check_markdown(text: str) -> None:
    assert not re.search(r"<(?!br>|/?code>)", text)
    assert "javascript:" not in text
    assert "![" not in text
    assert "@somebody" not in text
    tables = [line for line in text.splitlines() if line.startswith("|")]
    for line in tables:
        assert line.count("|") in {5, 6}, line
    assert len(tables) >= len(HOSTILE)


def test_a_hostile_error_message(project: Project) -> None:
    """A hostile name in the spec itself, told in an error, is harmless too."""
    tokens = "".join(f"  {name!r}: {{scopes: [x]}}\n" for name in ("::add-mask::x", "##[error]x", "a|b<script>"))
    project.write(f'version: 1\nworkspace: w\ntokens:\n{tokens}  "\\e[31m\\u202e": {{scopes: [x]}}\n')
    ended = project.run("validate", code=2)
    _check(ended)
    ended.says("tooken.yml:4:", "tooken.yml:7:")

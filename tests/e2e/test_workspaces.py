"""The key of another workspace, while the files hold this one's records: nothing is changed in either."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.project import entry, names, spec

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.project import Project
    from tests.support.sandbox import RunningSandbox

TOKENS = {"ci": entry("out/ci"), "bot": entry("out/bot")}


@pytest.mark.parametrize("foreign", [[], ["ci", "bot"]], ids=["empty", "with tokens of these names"])
def test_the_key_of_another_workspace(
    project: Project, make_sandbox: Callable[..., RunningSandbox], foreign: list[str]
) -> None:
    """The key of another workspace is found out by the records: exit 5, and both workspaces stay as they are."""
    project.write(spec(TOKENS))
    project.apply()
    other = make_sandbox()
    for name in foreign:
        other.create(name)
    project.key, project.url = other.api_key, other.url

    with project.unchanged(other):
        assert project.plan(code=5)["blocked_by"] == ["record"]
        ended = project.run("apply", "--format", "json", code=5)
    assert ended.data["summary"]["create"] == ended.data["summary"]["replace"] == 0
    assert {problem["code"] for problem in ended.data["problems"]} == {"record"}
    assert "does not know" in ended.data["problems"][0]["message"]
    with project.unchanged(other):
        project.run("apply", code=5).says("does not know", "key is another workspace's", "out/ci")


def test_the_label_of_another_workspace(project: Project) -> None:
    """A record that bears another label blocks the entry, also with the right key."""
    project.write(spec(TOKENS))
    project.apply()
    project.write(spec(TOKENS, workspace="staging"))
    with project.unchanged():
        ended = project.run("apply", "--format", "json", code=5)
    assert ended.data["blocked_by"] == ["record"]
    assert "workspace 'test'; this spec is for 'staging'" in ended.data["problems"][0]["message"]


def test_the_record_of_another_entry(project: Project) -> None:
    """A file with another entry's secret is not overwritten, unless the destination says takeover."""
    project.write(spec({"ci": entry("out")}))
    project.apply()
    project.sandbox.advance(300)  # a token whose delivery nothing tells of is young for three minutes
    project.write(spec({"bot": entry("out"), "ci": entry("ci")}))
    with project.unchanged():
        project.plan(code=5)
    project.apply("--yes", code=None)
    project.write(spec({"bot": entry(deliver=[{"file": {"path": "out", "takeover": True}}]), "ci": entry("ci")}))
    project.sandbox.advance(300)
    project.apply()
    assert "name=bot " in project.record("out")
    assert "bot" in names(project.sandbox)
    assert project.sandbox.authenticates(project.secret("out"))
    project.converge()

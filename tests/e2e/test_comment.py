"""``plan --comment`` on GitHub and on GitLab: from the first plan of a pull request to one with nothing to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.e2e.project import entry, spec
from tests.support.events import FORK, pull_request, runner
from tests.support.github import JOB, READER, ROBOT
from tests.support.gitlab import FakeGitLab

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.e2e.project import Project
    from tests.support.contract import Prism
    from tests.support.github import FakeGitHub


def _kept(path: str) -> dict[str, object]:
    """An entry whose file outlives the job."""
    return {**entry(), "deliver": [{"file": {"path": path, "persistent": True}}]}


def _plan(project: Project, env: Mapping[str, str], told: str, *names: str) -> None:
    """Plans for a spec with these entries, and sees what is told of the comment."""
    project.write(spec({name: _kept(name) for name in names}))
    project.run("plan", "--comment", env=env).says(told)


def _on_a_new_day(project: Project) -> None:
    """A comment tells as of which day it is; two plans of one day make the same."""
    project.sandbox.advance(86_401 - project.sandbox.now() % 86_400)


def test_on_a_pull_request(project: Project, github: FakeGitHub, contract: Prism, tmp_path: Path) -> None:
    """The first plan makes the comment, the same plan writes nothing, another edits it, an empty one closes it."""
    addresses = {"GITHUB_API_URL": contract.url, "GITHUB_GRAPHQL_URL": f"{github.url}/graphql"}
    env = {**runner(tmp_path, pull_request()), **addresses}
    project.secrets.add(JOB)
    _on_a_new_day(project)
    _plan(project, env, "Made the comment on pull request 7.", "first")
    (comment,) = github.comments.all
    assert comment.author == ROBOT
    assert "first" in comment.body
    github.log.clear()
    _plan(project, env, "says this already", "first")
    assert github.log == ["POST /graphql"]
    _plan(project, env, "Updated the comment on pull request 7.", "first", "second")
    assert "second" in comment.body
    project.run("apply")
    _plan(project, env, "Updated the comment on pull request 7, and closed it as outdated.", "first", "second")
    assert (github.comments.all, comment.edits, comment.hidden) == ([comment], 2, "outdated")
    github.log.clear()
    fork = {**runner(tmp_path, pull_request(FORK), event="pull_request_target"), **addresses}
    _plan(project, fork, "comes from the fork 'stranger/shop', which is not trusted", "first", "second", "third")
    assert github.log == []


def test_on_a_merge_request(project: Project) -> None:
    """At GitLab the same is a note; when nothing is to do, it says so."""
    with FakeGitLab() as gitlab:
        shop = gitlab.project()
        env = {"CI": "true", **gitlab.merge_request(shop)}
        project.secrets.add(env["TOOKEN_COMMENT_TOKEN"])
        _on_a_new_day(project)
        _plan(project, env, "Made the comment on merge request 7.", "first")
        (note,) = shop.notes
        assert "first" in note["body"]
        gitlab.requests.clear()
        _plan(project, env, "says this already", "first")
        assert [method for method, *_ in gitlab.requests] == ["GET", "GET"]
        _plan(project, env, "Updated the comment on merge request 7.", "first", "second")
        assert "**2** to create" in note["body"]
        project.run("apply")
        _plan(project, env, "Updated the comment on merge request 7.", "first", "second")
        assert "Nothing to do; 2 unchanged" in note["body"]
        assert (shop.notes, note["edits"], shop.commands) == ([note], 2, [])


def test_a_comment_that_cannot_be_written(project: Project, github: FakeGitHub, tmp_path: Path) -> None:
    """A token that may not write is a warning with what to do; the plan and its exit code are what they are without."""
    addresses = {"GITHUB_API_URL": github.url, "GITHUB_GRAPHQL_URL": f"{github.url}/graphql"}
    project.write(spec({"first": _kept("first")}))
    env = {**runner(tmp_path, pull_request(), token=READER), **addresses}
    ended = project.run("plan", "--comment", "--detailed-exitcode", "--format", "json", code=4, env=env)
    assert ended.data["summary"]["create"] == 1
    ended.says("Warning: The comment on pull request 7 was not brought up to date", "pull-requests: write")
    assert [line for line in ended.err.splitlines() if line.startswith("::warning")][-1].endswith("to pull requests.")
    assert github.comments.all == []

"""For which pull request or merge request a run is, and which of them never gets a comment."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.events import FORK, SHOP, pull_request, runner
from tooken_ci.base.errors import CommentError
from tooken_ci.ci.host import detect
from tooken_ci.ci.review import Review, find

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MERGE_REQUEST = {
    "GITLAB_CI": "true",
    "CI_MERGE_REQUEST_IID": "7",
    "CI_MERGE_REQUEST_PROJECT_ID": "42",
    "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "42",
}


def found(environ: Mapping[str, str]) -> Review | str:
    return find(environ, detect(environ).kind)


@pytest.mark.parametrize("event", ["pull_request", "pull_request_target"])
def test_a_pull_request(tmp_path: Path, event: str) -> None:
    """A pull request from a branch of the repository itself is known by the event's file."""
    environ = runner(tmp_path, pull_request(), event=event)
    assert found(environ) == Review(project="acme/shop", number=7, name="pull request 7")


@pytest.mark.parametrize("event", ["pull_request", "pull_request_target"])
@pytest.mark.parametrize("head", [FORK, {**SHOP, "id": 909}, {**FORK, "full_name": "::error::\n"}, {}])
def test_a_fork(tmp_path: Path, event: str, head: dict[str, Any]) -> None:
    """A fork's gets no comment whatever the event, also where the token may write; its name does no harm."""
    told = found(runner(tmp_path, pull_request(head), event=event))
    assert isinstance(told, str)
    assert told.startswith("Pull request 7 comes from the fork '")
    assert told.endswith("', which is not trusted, so no comment was written.")
    assert "\n" not in told


@pytest.mark.parametrize("event", ["pull_request", "pull_request_target"])
def test_a_fork_that_is_gone(tmp_path: Path, event: str) -> None:
    """A fork that was deleted is still one."""
    told = found(runner(tmp_path, pull_request(None), event=event))
    assert told == "The fork that pull request 7 came from is gone; for a fork no comment was written."


@pytest.mark.parametrize("event", ["push", "schedule", "workflow_dispatch", "issue_comment", "merge_group", ""])
def test_other_events(tmp_path: Path, event: str) -> None:
    """Whatever else starts a run has no pull request, also where a pull request is named in the file."""
    told = found(runner(tmp_path, pull_request(), event=event))
    assert told == f"The event '{event}' is no pull request's, so no comment was written."


@pytest.mark.parametrize(
    "payload",
    [
        "",
        "not JSON",
        "[" * 100_000,
        [],
        {},
        {"pull_request": None},
        {"pull_request": {"number": 7}},
        {**pull_request(), "pull_request": {**pull_request()["pull_request"], "head": {}}},
        {**pull_request(), "pull_request": {**pull_request()["pull_request"], "head": None}},
        {**pull_request(), "pull_request": {**pull_request()["pull_request"], "number": "7"}},
        {**pull_request(), "pull_request": {**pull_request()["pull_request"], "number": True}},
        {**pull_request(), "pull_request": {**pull_request()["pull_request"], "base": {"repo": None}}},
        {**pull_request(), "pull_request": {**pull_request()["pull_request"], "base": {"repo": {"id": 101}}}},
        {
            **pull_request(),
            "pull_request": {
                **pull_request()["pull_request"],
                "base": {"repo": {"id": 101, "full_name": "acme/shop/../../user"}},
            },
        },
    ],
)
def test_a_file_that_does_not_tell(tmp_path: Path, payload: Any) -> None:
    """An event that does not say where the pull request comes from is an error, not a reason to trust it."""
    with pytest.raises(CommentError, match="GITHUB_EVENT_PATH"):
        found(runner(tmp_path, payload))


def test_what_the_file_lacks_is_named(tmp_path: Path) -> None:
    """Who runs on another make of runner reads which fields it would have to write."""
    event = copy.deepcopy(pull_request())
    del event["pull_request"]["base"]["repo"]["id"], event["pull_request"]["head"]["repo"]
    with pytest.raises(CommentError, match=r"lacks pull_request\.base\.repo\.id and pull_request\.head\.repo, "):
        found(runner(tmp_path, event))


@pytest.mark.parametrize("path", ["", "/nowhere/event.json"])
def test_no_file(tmp_path: Path, path: str) -> None:
    """So is one whose file is missing."""
    with pytest.raises(CommentError, match="it cannot be read"):
        found({**runner(tmp_path, {}), "GITHUB_EVENT_PATH": path})


def test_a_merge_request() -> None:
    """A merge request from a branch of the project itself is known by GitLab's variables."""
    assert found(MERGE_REQUEST) == Review(project="42", number=7, name="merge request 7")


@pytest.mark.parametrize("source", ["43", "", "042"])
def test_a_merge_request_of_a_fork(source: str) -> None:
    """One of another project, or of nobody knows which, gets no note."""
    told = found({**MERGE_REQUEST, "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": source})
    assert isinstance(told, str)
    assert told.startswith("Merge request 7 comes from a fork")


def test_a_pipeline_of_a_branch() -> None:
    """A pipeline that is no merge request's has nothing to write a note on."""
    assert found({"GITLAB_CI": "true"}) == "This pipeline is no merge request's, so no comment was written."


@pytest.mark.parametrize(
    "wrong",
    [
        {"CI_MERGE_REQUEST_IID": "7/../8"},
        {"CI_MERGE_REQUEST_IID": "\u0667"},
        {"CI_MERGE_REQUEST_PROJECT_ID": ""},
        {"CI_MERGE_REQUEST_PROJECT_ID": "acme/shop", "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "acme/shop"},
    ],
)
def test_variables_that_are_no_numbers(wrong: dict[str, str]) -> None:
    """What goes into an address is a number, or an error."""
    with pytest.raises(CommentError, match="CI_MERGE_REQUEST_IID"):
        found({**MERGE_REQUEST, **wrong})


@pytest.mark.parametrize("environ", [{}, {"CI": "true"}])
def test_elsewhere(environ: dict[str, str]) -> None:
    """At a terminal, and on any other runner, there is nothing to comment on."""
    assert found(environ) == "This runs neither on GitHub nor on GitLab, so no comment was written."

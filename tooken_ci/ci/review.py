"""For which pull request or merge request this runs, read off the environment; a fork's gets no comment."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tooken_ci.base.errors import CommentError
from tooken_ci.base.text import quoted
from tooken_ci.ci.host import HostKind

if TYPE_CHECKING:
    from collections.abc import Mapping

_EVENTS = frozenset({"pull_request", "pull_request_target"})
_NONE = "so no comment was written."
_FULL_NAME = re.compile(r"[A-Za-z0-9._-]+/[A-Za-z0-9._-]+", re.ASCII)
_NUMBER = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Review:
    """A pull request or merge request from the repository's own branch.

    Attributes:
        project: GitHub's ``owner/name``, or GitLab's id of the project.
        number: within it.
        name: for people.
    """

    project: str
    number: int
    name: str


def find(environ: Mapping[str, str], kind: HostKind) -> Review | str:
    """What this runs for, or a sentence that says why there is nothing to comment on.

    Raises:
        CommentError: the environment contradicts itself, or does not tell what it should.
    """
    if kind is HostKind.GITHUB:
        return _on_github(environ)
    if kind is HostKind.GITLAB:
        return _on_gitlab(environ)
    return f"This runs neither on GitHub nor on GitLab, {_NONE}"


def _on_github(environ: Mapping[str, str]) -> Review | str:
    event = environ.get("GITHUB_EVENT_NAME", "")
    if event not in _EVENTS:
        return f"The event {quoted(event)} is no pull request's, {_NONE}"
    payload = _payload(environ.get("GITHUB_EVENT_PATH", ""))
    number, base, head = (_at(payload, "pull_request", name) for name in ("number", "base", "head"))
    full_name, of = _at(base, "repo", "full_name"), _at(base, "repo", "id")
    fit = {
        "number": _is_number(number),
        "base.repo.id": _is_number(of),
        "base.repo.full_name": _FULL_NAME.fullmatch(str(full_name)),
        "head.repo": isinstance(head, dict) and "repo" in head,  # null where the fork is gone
    }
    if lacking := [f"pull_request.{field}" for field, good in fit.items() if not good]:
        raise _unclear(f"it lacks {' and '.join(lacking)}, or has something else there")
    name = f"pull request {number}"
    if head["repo"] is None:
        return f"The fork that {name} came from is gone; for a fork {_NONE.removeprefix('so ')}"
    if _at(head, "repo", "id") != of:
        fork = quoted(str(_at(head, "repo", "full_name")))
        return f"{name.capitalize()} comes from the fork {fork}, which is not trusted, {_NONE}"
    return Review(project=str(full_name), number=int(number), name=name)


def _payload(path: str) -> Any:
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        raise _unclear("it cannot be read") from None


def _unclear(why: str) -> CommentError:
    return CommentError(
        f"The event's file that GITHUB_EVENT_PATH names does not tell where a comment belongs: {why}.",
        hint="GitHub's runner writes that file; a runner of another make has to write what GitHub's does.",
    )


def _at(node: Any, *keys: str) -> Any:
    """What stands there in JSON; None where nothing does."""
    for key in keys:
        node = node.get(key) if isinstance(node, dict) else None
    return node


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _on_gitlab(environ: Mapping[str, str]) -> Review | str:
    number = environ.get("CI_MERGE_REQUEST_IID", "")
    if not number:
        return f"This pipeline is no merge request's, {_NONE}"
    project, source = (environ.get(f"CI_MERGE_REQUEST_{name}PROJECT_ID", "") for name in ("", "SOURCE_"))
    if not _NUMBER.fullmatch(number) or not _NUMBER.fullmatch(project):
        raise CommentError(
            "CI_MERGE_REQUEST_IID and CI_MERGE_REQUEST_PROJECT_ID do not tell where a comment belongs.",
            hint="GitLab sets them in the pipeline of a merge request; see whether something else does.",
        )
    name = f"merge request {number}"
    if source != project:
        return f"{name.capitalize()} comes from a fork, or does not say where from, which is not trusted, {_NONE}"
    return Review(project=project, number=int(number), name=name)

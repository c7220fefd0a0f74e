"""Which job this is, read off the environment: the same for its every step, and for no other job."""

from __future__ import annotations

import hashlib
import os
import secrets
from typing import TYPE_CHECKING

from tooken_ci.plan.leases import Job

if TYPE_CHECKING:
    from collections.abc import Mapping

_DIGITS = 10


def job_of(environ: Mapping[str, str]) -> Job | None:
    """The job that runs; None where the environment does not tell.

    GitHub gives the legs of a matrix one job name, but each a runner of its own at a time; so the runner's name tells
    them apart. What it lists of a job is at
    https://docs.github.com/actions/reference/workflows-and-actions/variables, and GitLab's is at
    https://docs.gitlab.com/ci/variables/predefined_variables.
    """
    if environ.get("GITHUB_ACTIONS") == "true" and environ.get("GITHUB_RUN_ID"):
        told = [environ.get(name, "") for name in ("GITHUB_JOB", "RUNNER_NAME", "GITHUB_ACTION")]
        if environ.get("ACT") == "true":  # nektos/act has one runner's name for all legs, but a workspace for each
            told.append(_folder(environ.get("GITHUB_WORKSPACE", "")))
        return Job(
            run=_plain(environ["GITHUB_RUN_ID"]),
            attempt=_plain(environ.get("GITHUB_RUN_ATTEMPT") or "1"),
            leg=_short(*told),
        )
    if environ.get("GITLAB_CI") == "true" and environ.get("CI_JOB_ID"):
        # a job that is tried again is another job there
        return Job(run=_plain(environ.get("CI_PIPELINE_ID") or "0"), attempt="1", leg=_plain(environ["CI_JOB_ID"]))
    return None


def nobodys_job() -> Job:
    """A job that no environment tells of: its leases are found by the names that are printed alone."""
    return Job(run="local", attempt="1", leg=secrets.token_hex(4))


def _plain(text: str) -> str:
    """A number as it is; anything else as something short that stands for it."""
    return text if text.isascii() and text.isalnum() and len(text) <= _DIGITS + 5 else _short(text)


def _short(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:_DIGITS]


def _folder(path: str) -> str:
    """What tells a folder from every other of the machine, whatever it is called inside a container."""
    try:
        found = os.stat(path)  # noqa: PTH116  # a path that is empty is none
    except OSError:
        return ""
    return f"{found.st_dev}:{found.st_ino}"

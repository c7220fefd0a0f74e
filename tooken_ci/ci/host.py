"""Where the command runs, read off the environment."""

from __future__ import annotations

import dataclasses
import enum
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class HostKind(enum.StrEnum):
    """Who started the command."""

    GITHUB = "github"
    GITLAB = "gitlab"
    OTHER_CI = "ci"
    PERSON = "person"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Host:
    """Where the command runs.

    Attributes:
        kind: who started it.
        workspace: in the action's container the only folder that outlives it; None elsewhere.
        repository: the folder that the runner checked the repository out to; None where it does not tell.
        output_file: where a step's outputs go; None where there is no such file.
        env_file: where variables for the job's later steps go; None where there is no such file.
        state_file: where what the step's post step is to know goes; None where there is no such file.
        summary_file: where the step's summary goes; None where there is no such file.
        masks: the runner itself reads what is printed, and takes its commands.
    """

    kind: HostKind
    workspace: Path | None = None
    repository: Path | None = None
    output_file: Path | None = None
    env_file: Path | None = None
    state_file: Path | None = None
    summary_file: Path | None = None
    masks: bool = False

    @property
    def in_ci(self) -> bool:
        """Whether a CI runner started it."""
        return self.kind is not HostKind.PERSON


def detect(environ: Mapping[str, str]) -> Host:
    """Read off the environment where the command runs."""
    if environ.get("GITHUB_ACTIONS") == "true":
        action = environ.get("TOOKEN_CI_ACTION") == "1"
        return Host(
            kind=HostKind.GITHUB,
            workspace=_path(environ, "GITHUB_WORKSPACE") if action else None,
            repository=_path(environ, "GITHUB_WORKSPACE"),
            output_file=_path(environ, "GITHUB_OUTPUT"),
            env_file=_path(environ, "GITHUB_ENV"),
            state_file=_path(environ, "GITHUB_STATE") if action else None,
            summary_file=_path(environ, "GITHUB_STEP_SUMMARY"),
            masks=action,
        )
    if environ.get("GITLAB_CI") == "true":
        return Host(kind=HostKind.GITLAB, repository=_path(environ, "CI_PROJECT_DIR"))
    if environ.get("CI", "").lower() not in {"", "0", "false"}:
        return Host(kind=HostKind.OTHER_CI)
    return Host(kind=HostKind.PERSON)


def _path(environ: Mapping[str, str], name: str) -> Path | None:
    return Path(environ[name]) if environ.get(name) else None

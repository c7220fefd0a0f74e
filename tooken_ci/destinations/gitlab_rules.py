"""GitLab's own rules for CI/CD variables, as far as they can be told without asking it."""

from __future__ import annotations

import dataclasses
import enum
import re
import urllib.parse

from tooken_ci.destinations.variables import STEERING

LONGEST_KEY = 255
LONGEST_SCOPE = 255
LONGEST_VALUE = 10_000
LONGEST_DESCRIPTION = 255

EVERYWHERE = "*"
"""The environment scope of a variable that every job sees."""

NOTE = "_TOOKEN_MARK"
"""What the key of the note beside a variable that does not exist yet ends in."""

_MASKABLE = re.compile(r"[a-zA-Z0-9_+=/@:.~-]{8,}")
_MASKABLE_RAW = re.compile(r"\S{8,}")
_GITLABS_OWN = re.compile(r"(CI|GITLAB|FF)_.*|DOCKER_AUTH_CONFIG")


class Level(enum.StrEnum):
    """Where a variable is defined."""

    PROJECT = "project"
    GROUP = "group"
    INSTANCE = "instance"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Home:
    """The project or group whose variable it is, or the instance.

    Attributes:
        level: which of them.
        path: the project's or group's full path; empty for the instance.
    """

    level: Level
    path: str = ""

    @property
    def url(self) -> str:
        """The path of its variables in the API."""
        if self.level is Level.INSTANCE:
            return "/admin/ci/variables"
        return f"/{self.level}s/{urllib.parse.quote(self.path, safe='')}/variables"

    @property
    def role(self) -> str:
        """What reading and writing its variables takes, for people."""
        if self.level is Level.INSTANCE:
            return "an administrator's personal access token"
        return f"the role {'Maintainer' if self.level is Level.PROJECT else 'Owner'} in {self}"

    @property
    def scoped(self) -> bool:
        """Whether its variables have an environment scope."""
        return self.level is not Level.INSTANCE

    def __str__(self) -> str:
        return f"{self.level} {self.path}".rstrip()


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """One variable, as the spec wants it.

    Attributes:
        home: where it is defined.
        key: its name.
        scope: its environment scope.
        protected: seen by jobs of protected branches and tags alone; None = not told.
        masked: replaced in job logs.
        hidden: its value is shown to nobody again.
        raw: nothing in the value is expanded.
    """

    home: Home
    key: str
    scope: str
    protected: bool | None
    masked: bool
    hidden: bool
    raw: bool

    @property
    def note(self) -> str:
        """The key of the note that stands beside the variable until it exists."""
        return self.key + NOTE


def steers(key: str) -> bool:
    """Whether a variable of that name changes what jobs run, or is GitLab's own."""
    name = key.upper()
    return STEERING.fullmatch(name) is not None or _GITLABS_OWN.fullmatch(name) is not None


def refused(value: str, *, masked: bool, raw: bool) -> str:
    """Why GitLab would not take a value, or would not hand it to jobs as it is; empty where it would."""
    if len(value) > LONGEST_VALUE:
        return f"it has {len(value)} characters, and a variable takes {LONGEST_VALUE}"
    if masked and raw and not _MASKABLE_RAW.fullmatch(value):
        return "GitLab masks only what has at least 8 characters, one line, and no spaces"
    if masked and not raw and not _MASKABLE.fullmatch(value):
        return (
            "without 'raw' GitLab masks only what has at least 8 characters, one line, and none but letters, digits "
            "and _ + = / @ : . ~ -"
        )
    if not raw and "$" in value:
        return "without 'raw' GitLab would expand the '$' in it"
    return ""

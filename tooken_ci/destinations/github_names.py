"""Where a secret of GitHub's stands, and what GitHub allows its name to be."""

from __future__ import annotations

import dataclasses
from urllib.parse import quote

from tooken_ci.base.text import quoted, safe

RECORD_SUFFIX = "_TOOKEN_ID"
"""With it ends the name of the Actions variable that keeps a secret's delivery record."""

CREDENTIALS = ("GH_TOKEN", "GITHUB_TOKEN")
"""Where a credential is looked for; the first that is there is taken, as GitHub's own command line does it."""

ALL = "all"
SELECTED = "selected"
DEPENDABOT = "dependabot"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Holder:
    """What secrets belong to, in lower case: GitHub tells no two apart by case.

    Attributes:
        owner: the user or organization.
        repository: its name alone; empty = the secrets are the organization's.
        environment: of the repository; empty = the secrets are the repository's.
        app: ``actions`` or ``dependabot``.
    """

    owner: str
    repository: str = ""
    environment: str = ""
    app: str = "actions"

    @property
    def key(self) -> str:
        """What tells it from every other holder on the same server, the app apart."""
        return self.owner if not self.repository else f"{self.owner}/{self.repository}/{quote(self.environment)}"

    @property
    def secrets(self) -> str:
        """The path of its secrets."""
        if self.environment:
            return f"{self._top}/secrets"
        return f"{self._top}/{self.app}/secrets"

    @property
    def variables(self) -> str:
        """The path of its Actions variables."""
        return f"{self._top}/variables" if self.environment else f"{self._top}/actions/variables"

    @property
    def most_secrets(self) -> int | None:
        """How many secrets GitHub lets it have; None = nobody says."""
        if self.app == DEPENDABOT:
            return None
        return 100 if self.repository else 1000

    @property
    def most_variables(self) -> int:
        """How many variables GitHub lets it have."""
        if self.environment:
            return 100
        return 500 if self.repository else 1000

    @property
    def _top(self) -> str:
        if not self.repository:
            return f"/orgs/{self.owner}"
        top = f"/repos/{self.owner}/{self.repository}"
        return f"{top}/environments/{quote(self.environment, safe='')}" if self.environment else top

    def __str__(self) -> str:
        notes = [f"environment {safe(self.environment)}"] if self.environment else []
        notes += ["organization"] if not self.repository else []
        notes += [self.app] if self.app == DEPENDABOT else []
        name = f"{self.owner}/{self.repository}" if self.repository else self.owner
        return f"{name} ({', '.join(notes)})" if notes else name


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of a destination.

    Attributes:
        holder: what the secret belongs to.
        name: of the secret, in upper case, as GitHub keeps it.
        recorded: its delivery record stands in a variable.
        visibility: which repositories may use an organization's secret; empty for any other.
        repositories: their names, in lower case, where they are selected.
    """

    holder: Holder
    name: str
    recorded: bool
    visibility: str
    repositories: frozenset[str]

    @property
    def record_name(self) -> str:
        """The variable that keeps its delivery record."""
        return f"{self.name}{RECORD_SUFFIX}"


def name_problem(name: str) -> str:
    """Why GitHub refuses a secret of that name, which fits the schema; empty where it does not."""
    if name.upper().startswith("GITHUB_"):
        return f"GitHub refuses {quoted(name)}: the name of a secret may not begin with GITHUB_."
    return ""


def environment_problem(name: str) -> str:
    """Why there can be no environment of that name; empty where there can."""
    if name != name.strip() or not name.isprintable() or name in {".", ".."}:
        return f"{quoted(name)} cannot be the name of an environment."
    return ""

"""A secret of GitHub's: of a repository, an environment or an organization, for Actions or for Dependabot."""

from __future__ import annotations

import datetime as dt
import re
import threading
from typing import TYPE_CHECKING, Any

from tooken_ci.base.text import quoted
from tooken_ci.destinations.github_names import (
    ALL,
    CREDENTIALS,
    DEPENDABOT,
    RECORD_SUFFIX,
    SELECTED,
    Holder,
    Settings,
    environment_problem,
    name_problem,
)
from tooken_ci.destinations.interface import TAKEOVER, Extra, settings_of
from tooken_ci.spec.kinds import SettingsError
from tooken_ci.spec.model import Target

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tooken_ci.base.position import Position
    from tooken_ci.base.record import Look
    from tooken_ci.destinations.github_api import Api
    from tooken_ci.destinations.github_group import Group
    from tooken_ci.destinations.github_store import GitHubDestination
    from tooken_ci.destinations.interface import Surroundings

_OWNER = "[A-Za-z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?"
_REPOSITORY = f"^{_OWNER}/[A-Za-z0-9._-]+$"

_READ_AHEAD = dt.timedelta(hours=24)
"""A run's secrets are read when it is queued, and it may wait for a runner as long as a day.

Those of an environment are read when a job that names it starts.
"""

_SCHEMA: Mapping[str, Any] = {
    "title": "github_secret",
    "description": "A secret of a repository, an environment or an organization on GitHub.",
    "type": "object",
    "required": ["name"],
    "additionalProperties": False,
    "properties": {
        "name": {
            "type": "string",
            "title": "the name of a secret",
            "pattern": "^[A-Za-z_][A-Za-z0-9_]*$",
            "maxLength": 200,
            "description": "The secret's name: letters, digits and underscores; not beginning with GITHUB_.",
            "examples": ["TOOKEN_TOKEN"],
        },
        "repository": {
            "type": "string",
            "title": "OWNER/NAME",
            "pattern": _REPOSITORY,
            "description": "The repository, OWNER/NAME.",
            "examples": ["acme/shop"],
        },
        "environment": {
            "type": "string",
            "minLength": 1,
            "maxLength": 255,
            "description": "An environment of the repository; it must exist. The secret belongs to it alone.",
            "examples": ["production"],
        },
        "organization": {
            "type": "string",
            "title": "the name of an organization",
            "pattern": f"^{_OWNER}$",
            "description": "Instead of a repository: the organization that the secret belongs to.",
            "examples": ["acme"],
        },
        "visibility": {
            "enum": ["all", "private", SELECTED],
            "description": "Which repositories of the organization may use the secret: all, the private ones, or those "
            "under 'repositories'.",
        },
        "repositories": {
            "type": "array",
            "minItems": 1,
            "items": {"type": "string", "pattern": f"^({_OWNER}/)?[A-Za-z0-9._-]+$", "title": "a repository's name"},
            "description": "The repositories that may use the organization's secret.",
            "examples": [["shop", "billing"]],
        },
        "app": {
            "enum": ["actions", DEPENDABOT],
            "description": "What the secret is for; actions unless said otherwise.",
        },
        "record": {
            "enum": ["variable", "none"],
            "description": f"Where the delivery record stands: in the Actions variable NAME{RECORD_SUFFIX}, or "
            "nowhere. Dependabot has no variables, so there it is none.",
        },
        "takeover": TAKEOVER,
    },
}


class GitHubSecretKind:
    """The kind ``github_secret``. All its destinations share one way to GitHub, and what they learn on it."""

    name = "github_secret"
    schema = _SCHEMA
    extra = Extra(name="github", module="github")

    def __init__(self, surroundings: Surroundings) -> None:
        self._environment = surroundings.environment
        self._making = threading.Lock()
        self._api: Api | None = None
        self._groups: dict[Holder, Group] = {}

    def parse(self, settings: Mapping[str, Any], position: Position) -> Target:
        """Make a target of settings that fit the schema.

        Raises:
            SettingsError: they contradict each other, or GitHub would refuse a name.
        """
        problem = name_problem(settings["name"])
        if problem:
            raise SettingsError(problem, hint="Choose another name, such as TOOKEN_TOKEN.", key="name")
        holder = _holder(settings)
        parsed = Settings(
            holder=holder,
            name=settings["name"].upper(),
            recorded=_recorded(settings, holder),
            visibility=_visibility(settings, holder),
            repositories=_repositories(settings, holder),
        )
        where = f"{self.name}:{self._server()}:{holder.key}"
        claims = {f"{where}:{holder.app}:secret:{parsed.name}"}
        if parsed.recorded:
            claims.add(f"{where}:variable:{parsed.record_name}")
        return Target(
            kind=self.name,
            place=f"{self.name} {holder} {settings['name']}",
            claims=frozenset(claims),
            settings=parsed,
            takeover=bool(settings.get("takeover")),
            keeps_record=parsed.recorded,
            read_ahead=dt.timedelta(0) if holder.environment else _READ_AHEAD,
            group=f"{where}:{holder.app}",
            credentials=frozenset(CREDENTIALS),
            position=position,
        )

    def open(self, target: Target) -> GitHubDestination:
        """The destination behind a target that this kind parsed."""
        from tooken_ci.destinations.github_store import GitHubDestination

        settings = settings_of(target, Settings)
        return GitHubDestination(self._group(settings.holder), settings)

    def look(self, targets: Sequence[Target]) -> Sequence[Look]:
        """What stands at each of some targets of one group, now."""
        from tooken_ci.destinations.github_store import look_at

        settings = [settings_of(target, Settings) for target in targets]
        return look_at(self._group(settings[0].holder), settings)

    def _group(self, holder: Holder) -> Group:
        from tooken_ci.destinations.github_group import Group

        with self._making:
            return self._groups.setdefault(holder, Group(holder, self._connect))

    def _connect(self) -> Api:
        """The one way to GitHub. Raises a ``DestinationError`` where its address or a credential for it is missing."""
        from tooken_ci.destinations.github_api import connect

        with self._making:
            if self._api is None:
                self._api = connect(self._environment)
            return self._api

    def _server(self) -> str:
        """What tells one GitHub from another in a claim."""
        return self._environment.get("GITHUB_API_URL", "").rstrip("/").lower()


def _holder(settings: Mapping[str, Any]) -> Holder:
    """Whose secret it is; exactly one of repository and organization is given."""
    repository, organization = settings.get("repository", ""), settings.get("organization", "")
    environment, app = settings.get("environment", ""), settings.get("app", "actions")
    if bool(repository) == bool(organization):
        found = "both are there" if repository else "neither is there"
        raise SettingsError(f"It needs 'repository' or 'organization', one of the two; {found}.")
    if environment:
        if organization:
            message = "An organization has no environments; 'environment' goes with 'repository'."
            raise SettingsError(message, key="environment")
        if app == DEPENDABOT:
            raise SettingsError("Dependabot has no secrets of environments.", key="environment")
        if problem := environment_problem(environment):
            raise SettingsError(problem, key="environment")
    owner, _, name = repository.partition("/")
    if name in {".", ".."}:
        raise SettingsError(f"{quoted(name)} cannot be the name of a repository.", key="repository")
    return Holder(
        owner=(owner or organization).lower(), repository=name.lower(), environment=environment.lower(), app=app
    )


def _recorded(settings: Mapping[str, Any], holder: Holder) -> bool:
    """Whether its record stands in a variable."""
    if holder.app == DEPENDABOT:
        if settings.get("record") == "variable":
            raise SettingsError(
                "Dependabot has no variables, so no record can be kept beside its secrets.",
                hint="Leave 'record' out: what stands there is then told by when it was written.",
                key="record",
            )
        return False
    return bool(settings.get("record", "variable") == "variable")


def _visibility(settings: Mapping[str, Any], holder: Holder) -> str:
    """Which repositories may use an organization's secret; empty for any other."""
    visibility = settings.get("visibility", "")
    if holder.repository:
        if visibility:
            raise SettingsError("Only an organization's secret has a 'visibility'.", key="visibility")
        return ""
    if not visibility:
        message = "An organization's secret needs a 'visibility': all, private or selected."
        raise SettingsError(message, hint=f"{ALL} means every repository of the organization.")
    return str(visibility)


def _repositories(settings: Mapping[str, Any], holder: Holder) -> frozenset[str]:
    """The names of the repositories that may use an organization's secret, where they are selected."""
    given = settings.get("repositories", ())
    if (settings.get("visibility") == SELECTED) != bool(given):
        if given:
            raise SettingsError("'repositories' goes with 'visibility: selected'.", key="repositories")
        message = "'visibility: selected' needs the 'repositories' that may use the secret."
        raise SettingsError(message, key="visibility")
    names = set()
    for text in given:
        owner, _, name = text.lower().rpartition("/")
        if (owner and owner != holder.owner) or re.fullmatch(r"\.\.?", name):
            message = f"{quoted(text)} is no repository of the organization {quoted(holder.owner)}."
            raise SettingsError(message, hint="Give its name alone, or ORGANIZATION/NAME.", key="repositories")
        names.add(name)
    return frozenset(names)

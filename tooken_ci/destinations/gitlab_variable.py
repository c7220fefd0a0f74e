"""CI/CD variables of GitLab, of a project, a group or a whole instance; the record is kept in their description."""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING, Any

from tooken_ci.base.text import quoted
from tooken_ci.destinations.gitlab_rules import (
    EVERYWHERE,
    LONGEST_KEY,
    LONGEST_SCOPE,
    NOTE,
    Home,
    Level,
    Settings,
    steers,
)
from tooken_ci.destinations.interface import TAKEOVER, Extra, settings_of
from tooken_ci.spec.kinds import SettingsError
from tooken_ci.spec.model import Target

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tooken_ci.base.position import Position
    from tooken_ci.base.record import Look
    from tooken_ci.destinations.gitlab_api import Connection, Patience
    from tooken_ci.destinations.gitlab_store import GitLabDestination
    from tooken_ci.destinations.interface import Surroundings

_SEGMENT = "[A-Za-z0-9_.][A-Za-z0-9_.-]*"
_NUMBER = re.compile("[0-9]+")
_UNMASKED = "The variable {} would show in job logs: 'masked: false' has GitLab print its value."


def _flag(description: str) -> Mapping[str, Any]:
    return {"type": "boolean", "description": description}


_SCHEMA: Mapping[str, Any] = {
    "title": "gitlab_variable",
    "description": "A CI/CD variable of GitLab. One of 'project', 'group' and 'instance' says whose.",
    "type": "object",
    "required": ["name"],
    "additionalProperties": False,
    "properties": {
        "project": {
            "type": "string",
            "title": "the full path of a project",
            "pattern": f"^{_SEGMENT}(/{_SEGMENT})+$",
            "description": "The project's full path, with all its groups.",
            "examples": ["acme/shop"],
        },
        "group": {
            "type": "string",
            "title": "the full path of a group",
            "pattern": f"^{_SEGMENT}(/{_SEGMENT})*$",
            "description": "The group's full path; the variable is seen by all its projects.",
            "examples": ["acme"],
        },
        "instance": {
            "type": "boolean",
            "const": True,
            "description": "The variable is seen by every project of a self-managed GitLab.",
        },
        "name": {
            "type": "string",
            "title": "the name of a variable",
            "pattern": "^[A-Za-z_][A-Za-z0-9_]*$",
            "maxLength": LONGEST_KEY - len(NOTE),
            "description": f"The variable's key. GitLab takes {LONGEST_KEY} characters; a few are kept for the note "
            "that stands beside a variable until it is made.",
            "examples": ["TOOKEN_TOKEN"],
        },
        "environment_scope": {
            "type": "string",
            "title": "an environment scope",
            "pattern": r"^[A-Za-z0-9_/${}. *-]+$",
            "maxLength": LONGEST_SCOPE,
            "description": "The environments whose jobs see it; all unless said otherwise. In groups it takes Premium.",
            "examples": ["production"],
        },
        "protected": _flag(
            "Only jobs of protected branches and tags see it. Unless said, one that is made is protected, and one that "
            "exists keeps what it has."
        ),
        "masked": _flag("Job logs show [MASKED] in its place; unless said otherwise they do."),
        "hidden": _flag("Its value is never shown again, so it cannot be copied from there. Only while it is made."),
        "raw": _flag("Nothing in the value is expanded; unless said otherwise nothing is."),
        "takeover": TAKEOVER,
    },
}


class GitLabVariableKind:
    """The kind ``gitlab_variable``."""

    name = "gitlab_variable"
    schema = _SCHEMA
    extra = Extra(name="gitlab", module="gitlab")

    def __init__(self, surroundings: Surroundings, patience: Patience | None = None) -> None:
        self._surroundings = surroundings
        self._patience = patience
        self._lock = threading.Lock()
        self._connected: Connection | None = None

    def parse(self, settings: Mapping[str, Any], position: Position) -> Target:
        """Make a target of settings that fit the schema.

        Raises:
            SettingsError: it is nobody's variable or that of several, no secret may stand in it, or GitLab has no such.
        """
        home, key, scope = _home(settings), settings["name"], settings.get("environment_scope", EVERYWHERE)
        if steers(key):
            raise SettingsError(
                f"The variable {quoted(key)} is GitLab's own, or steers what jobs run; no secret may stand there.",
                hint="Choose another name, such as TOOKEN_TOKEN.",
                key="name",
            )
        hidden, masked = settings.get("hidden", False), settings.get("masked", True)
        if hidden and not masked:
            raise SettingsError("A hidden variable is always masked.", hint="Remove 'masked: false'.", key="masked")
        if not home.scoped and scope != EVERYWHERE:
            raise SettingsError("Variables of an instance have no environment scope.", key="environment_scope")
        if not home.scoped and hidden:
            raise SettingsError("GitLab's API hides no variables of an instance.", key="hidden")
        whose = home.path or "instance"
        place = f"{'group ' if home.level is Level.GROUP else ''}{whose} {key}"
        wanted = Settings(
            home=home,
            key=key,
            scope=scope,
            protected=settings.get("protected"),
            masked=masked,
            hidden=hidden,
            raw=settings.get("raw", True),
        )
        return Target(
            kind=self.name,
            place=f"{self.name} {place}" + ("" if scope == EVERYWHERE else f" ({scope})"),
            claims=frozenset(f"{self.name}:{_group(home)}:{scope}:{taken}" for taken in (key, wanted.note)),
            settings=wanted,
            takeover=bool(settings.get("takeover")),
            warnings=() if masked else (_UNMASKED.format(quoted(key)),),
            group=_group(home),
            credentials=frozenset({"GITLAB_TOKEN"}),
            position=position,
        )

    def open(self, target: Target) -> GitLabDestination:
        """The destination behind a target that this kind parsed."""
        from tooken_ci.destinations.gitlab_store import GitLabDestination

        return GitLabDestination(settings_of(target, Settings), self._connection())

    def look(self, targets: Sequence[Target]) -> Sequence[Look]:
        """What stands at each of some targets of one project, group or instance, now."""
        from tooken_ci.destinations.gitlab_looks import look_at

        if len(targets) == 1:
            return [self.open(targets[0]).look()]
        return look_at([settings_of(target, Settings) for target in targets], self._connection())

    def _connection(self) -> Connection:
        """The connection that all threads share; made when it is first needed."""
        from tooken_ci.destinations.gitlab_api import USUAL, Connection

        with self._lock:
            if self._connected is None:
                self._connected = Connection(self._surroundings.environment, self._patience or USUAL)
            return self._connected


def _group(home: Home) -> str:
    """The home in one spelling: GitLab does not tell capitals in paths apart."""
    return str(home).lower()


def _home(settings: Mapping[str, Any]) -> Home:
    """Whose variable it is."""
    given = [level for level in Level if level in settings]
    if len(given) != 1:
        found = " and ".join(f"'{level}'" for level in given) or "none of them"
        raise SettingsError(
            f"One of 'project', 'group' and 'instance' must say whose variable it is; found {found}.",
            hint="Such as 'project: acme/shop'.",
            key=given[1] if given else "",
        )
    if given[0] is Level.INSTANCE:
        return Home(level=Level.INSTANCE)
    path = settings[given[0]]
    if not {".", ".."}.isdisjoint(path.split("/")):
        raise SettingsError(f"{quoted(path)} is not the path of a {given[0]}.", key=given[0])
    if _NUMBER.fullmatch(path):
        raise SettingsError(
            f"{quoted(path)} is a number, which the API takes for an id.", hint="Give the path.", key=given[0]
        )
    return Home(level=given[0], path=path)

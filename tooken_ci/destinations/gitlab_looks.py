"""What stands at variables of GitLab: what was found there, and what that says."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from tooken_ci.base.errors import DestinationError
from tooken_ci.base.redact import redactor
from tooken_ci.destinations.gitlab_variables import Variable, Variables, at
from tooken_ci.destinations.judgement import judged, unknown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tooken_ci.base.record import Look
    from tooken_ci.destinations.gitlab_api import Connection
    from tooken_ci.destinations.gitlab_rules import Settings

_RECORD = "tooken-ci/"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Found:
    """What was found at GitLab.

    Attributes:
        variable: None = it does not exist.
        note: None = there is none, as far as was asked.
    """

    variable: Variable | None
    note: Variable | None

    @property
    def record(self) -> str:
        """The text of the delivery record; empty where there is none. A description of people's is none."""
        told = (found.description.strip() for found in (self.variable, self.note) if found is not None)
        return next(filter(_is_record, told), "")

    @property
    def recorded(self) -> bool:
        """Whether the variable itself has a record."""
        return self.variable is not None and _is_record(self.variable.description.strip())

    def look(self) -> Look:
        """What it says."""
        variable = self.variable
        _known(variable)
        if variable is None or not variable.hidden:
            return judged(self.record, None if variable is None else variable.value, readable=True)
        return judged(self.record, None, readable=False)


def look_at(wanted: Sequence[Settings], connection: Connection) -> list[Look]:
    """What stands at each of some variables of one home: one request for each hundred that it has.

    Pages may be torn while variables come and go, so one that no page of several told is asked for by itself.
    """
    variables = Variables(connection, wanted[0].home)
    try:
        listed, pages = variables.every()
        known = at(listed)
        return [_look_in(known, settings, variables if pages > 1 else None) for settings in wanted]
    except DestinationError as error:
        return [unknown(error)] * len(wanted)


def _look_in(known: Mapping[tuple[str, str], Variable], settings: Settings, again: Variables | None) -> Look:
    variable, note = (known.get((key, settings.scope)) for key in (settings.key, settings.note))
    if variable is None and again is not None:
        variable = again.get(settings.key, settings.scope)
        note = note or again.get(settings.note, settings.scope)
    return Found(variable=variable, note=note).look()


def _is_record(description: str) -> bool:
    """Whether a description is a delivery record, perhaps a damaged one, or else belongs to people."""
    return description.startswith(_RECORD)


def _known(variable: Variable | None) -> None:
    """Make a value that was read known to the redactor: it is a secret, perhaps an older one, from its first moment."""
    if variable is not None and variable.value is not None:
        redactor.add_read(variable.value)

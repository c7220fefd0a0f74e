"""Delivers to a CI/CD variable of GitLab, and keeps the record in its description.

A variable that does not exist yet has no description, and making it early, with some value, would hide from jobs what
they may get from elsewhere under its name: from a group, or from a wider environment scope. So until the secret itself
makes the variable, the record stands in the description of a note: a variable of its own, which no job asks for, and
which goes once the first delivery is recorded or the run gives up.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from tooken_ci.base.errors import DestinationError
from tooken_ci.base.record import State
from tooken_ci.base.text import quoted
from tooken_ci.destinations import timing
from tooken_ci.destinations.gitlab_api import GitLabError
from tooken_ci.destinations.gitlab_looks import Found
from tooken_ci.destinations.gitlab_record import demand_room, text_of
from tooken_ci.destinations.gitlab_rules import refused
from tooken_ci.destinations.gitlab_variables import Variables, taken
from tooken_ci.destinations.judgement import recognized, unknown

if TYPE_CHECKING:
    from tooken_ci.base.record import DeliveryRecord, Held, Look
    from tooken_ci.base.secret import Secret
    from tooken_ci.destinations.gitlab_api import Connection
    from tooken_ci.destinations.gitlab_rules import Settings
    from tooken_ci.destinations.gitlab_variables import Variable

log = logging.getLogger(__name__)

_NOTE_VALUE = "see-the-description"
"""What a note holds: nothing, in at least 8 characters, so that a hidden one can be made."""

_OLD_GITLAB = "Update GitLab: it keeps descriptions since 16.2, for variables of an instance since 16.8."


class GitLabDestination:
    """One variable."""

    def __init__(self, settings: Settings, connection: Connection) -> None:
        self._settings = settings
        self._connection = connection
        self._variables = Variables(connection, settings.home)
        self._last: Found | None = None
        self._until: float | None = None  # when the delivery under way must be over

    def look(self) -> Look:
        """What stands there now; an error becomes ``unknown`` with its reason."""
        self._until = None
        try:
            return self._find().look()
        except DestinationError as error:
            return unknown(error)

    def check(self) -> None:
        """Whether it can be written, as far as GitLab tells before anything is.

        Raises:
            DestinationError: it cannot; says why.
        """
        try:
            found = self._find(also_note=True)
        except GitLabError as error:
            if error.status == HTTPStatus.FORBIDDEN and (why := self._variables.role_told()):
                raise DestinationError(f"{error.message.rstrip('.')}. {why}", hint=error.hint) from None
            raise
        look = found.look()
        if look.state is State.UNKNOWN:
            raise DestinationError(f"{look.reason}.", hint="Use that version, or deliver elsewhere.")
        self._connection.demand_api_scope()
        self._check_visibility(found.variable)
        if look.record is not None:
            demand_room(look.record)

    def write_record(self, record: DeliveryRecord) -> None:
        """Put the record into the description of the variable, or of the note while there is no variable.

        Raises:
            DestinationError: it could not be put there, or does not fit.
        """
        found = self._last or self._find()
        nothing = record.held is None and not record.marks
        try:
            if nothing and not found.recorded:
                self._drop_note()
            elif found.variable is not None:
                self._describe(record)
                self._drop_note()
            elif record.held is None:
                self._leave_note(found.note, record)
            else:
                raise DestinationError(
                    f"the variable {quoted(self._settings.key)} is gone.",
                    hint="Look for something else that removes it.",
                    surely_refused=False,
                )
        finally:
            self._until = None

    def write(self, secret: Secret) -> None:
        """Give the variable its value, and make it where there is none; the record stays as it is.

        Raises:
            DestinationError: it was not given, or nobody knows whether it was.
        """
        found = self._last or self._find()
        hidden = found.variable.hidden if found.variable is not None else self._settings.hidden
        masked = self._settings.masked or hidden
        why = refused(secret.reveal(), masked=masked, raw=self._settings.raw)
        if why:
            hint = "Deliver it elsewhere." if self._settings.raw else "Say 'raw: true', or deliver it elsewhere."
            raise DestinationError(f"its value cannot be given to GitLab: {why}.", hint=hint)
        self._until = time.monotonic() + timing.LONGEST_WRITE
        fields: dict[str, Any] = {"value": secret.reveal(), "masked": masked, "raw": self._settings.raw}
        try:
            if found.variable is None:
                written = self._make(fields, found.record)
            else:
                told = {} if self._settings.protected is None else {"protected": self._settings.protected}
                written = self._change({**fields, **told})
        except DestinationError:
            self._until = None
            raise
        self._last = Found(variable=written, note=found.note)

    def holds(self, secret: Secret) -> bool | None:
        """Whether what is read back equals the secret; None where GitLab does not show it.

        Raises:
            DestinationError: reading it failed, or the variable is gone.
        """
        variable = self._get(self._settings.key)
        if variable is None:
            return False
        return None if variable.hidden else variable.value == secret.reveal()

    def fetch(self, held: Held) -> Secret | None:
        """The secret that the record names, if the value there matches its fingerprint; else None."""
        try:
            variable = self._get(self._settings.key)
        except DestinationError:
            return None
        value = None if variable is None else variable.value
        return recognized(value, held)

    def _find(self, *, also_note: bool = False) -> Found:
        """What is there; of the note it is known from before where the variable has a record of its own."""
        variable = self._get(self._settings.key)
        found = Found(variable=variable, note=self._last.note if self._last is not None else None)
        if also_note or variable is None or not found.record:
            found = dataclasses.replace(found, note=self._get(self._settings.note))
        self._last = found
        return found

    def _get(self, key: str) -> Variable | None:
        return self._variables.get(key, self._settings.scope, seconds=self._seconds())

    def _change(self, fields: dict[str, Any]) -> Variable:
        settings = self._settings
        return self._variables.change(settings.key, settings.scope, fields, seconds=self._seconds())

    def _seconds(self) -> float | None:
        """How long the next call may take; None = as long as usual."""
        return None if self._until is None else max(self._until - time.monotonic(), 0.0)

    def _describe(self, record: DeliveryRecord) -> None:
        """Put the record into the variable's own description."""
        text = text_of(record)
        changed = self._change({"description": text})
        if changed.description != text:
            raise DestinationError(
                "GitLab did not keep the delivery record in the variable's description.",
                hint=_OLD_GITLAB,
                surely_refused=False,
            )
        self._last = Found(variable=changed, note=self._last.note if self._last is not None else None)

    def _drop_note(self) -> None:
        """Remove the note; one that stays does no harm, since it ages and a variable's own record counts more."""
        if self._last is None or self._last.note is None:
            return
        try:
            self._variables.remove(self._settings.note, self._settings.scope)
        except DestinationError as error:
            log.debug("%s was not removed: %s", quoted(self._settings.note), error.message)
        else:
            self._last = dataclasses.replace(self._last, note=None)

    def _leave_note(self, note: Variable | None, record: DeliveryRecord) -> None:
        """Put the record into the note's description. The note is made as the variable will be, to see that it can."""
        settings = self._settings
        text = text_of(record)
        if note is not None:
            kept = self._variables.change(settings.note, settings.scope, {"description": text})
        else:
            kept = self._create(settings.note, text, {**self._birth(), "value": _NOTE_VALUE, "protected": True})
        why = _unlike(kept, settings, text)
        if why:
            if note is None:
                with contextlib.suppress(DestinationError):
                    self._variables.remove(settings.note, kept.scope)
            raise DestinationError(why[0], hint=why[1])
        self._last = Found(variable=None, note=kept)

    def _make(self, fields: dict[str, Any], text: str) -> Variable:
        """Make the variable, with its value and the marks of the note in one request."""
        protected = True if self._settings.protected is None else self._settings.protected
        made = self._create(self._settings.key, text, {**self._birth(), **fields, "protected": protected})
        if made.scope != self._settings.scope:
            raise DestinationError(
                f"GitLab made the variable for the environments {quoted(made.scope)}.",
                hint="Environment scopes of a group's variables take GitLab Premium.",
                surely_refused=False,
            )
        return made

    def _birth(self) -> dict[str, Any]:
        """What a variable can be told only while it is made, or has to be."""
        settings = self._settings
        hidden = {"masked_and_hidden": True} if settings.hidden else {}
        return {"masked": settings.masked, "raw": settings.raw, **hidden}

    def _create(self, key: str, text: str, fields: dict[str, Any]) -> Variable:
        """Make a variable; where the answer is lost, see whether it was made."""
        scope = self._settings.scope
        try:
            return self._variables.create(key, scope, {**fields, "description": text}, seconds=self._seconds())
        except GitLabError as error:
            if error.surely_refused and taken(error):
                raise DestinationError(
                    f"the variable {quoted(key)} was made by somebody else meanwhile.", hint="Run again."
                ) from None
            made = None if error.surely_refused else self._made_after_all(key, text, fields["value"])
            if made is None:
                raise
            return made

    def _made_after_all(self, key: str, text: str, value: str) -> Variable | None:
        """The variable that this run has made, where the answer to that was lost; None where it cannot be told."""
        try:
            there = self._get(key)
        except DestinationError:
            return None
        ours = there is not None and bool(text) and there.description == text and there.value in {None, value}
        return there if ours else None

    def _check_visibility(self, variable: Variable | None) -> None:
        """See that the variable is as hidden as the spec says: GitLab does not change that later."""
        if variable is None:
            return
        if self._settings.hidden and not variable.hidden:
            raise DestinationError(
                f"the variable {quoted(variable.key)} exists and is not hidden; GitLab hides only one that it makes.",
                hint="Remove it in GitLab, or say 'hidden: false'.",
            )
        if variable.hidden and not self._settings.masked:
            raise DestinationError(
                f"the variable {quoted(variable.key)} is hidden, and a hidden one is always masked.",
                hint="Remove 'masked: false', or remove the variable in GitLab.",
            )


def _unlike(kept: Variable, settings: Settings, text: str) -> tuple[str, str] | None:
    """What GitLab made otherwise than asked, and what to do about it; None where it is as asked."""
    if kept.scope != settings.scope:
        told = f"GitLab made the note for the environments {quoted(kept.scope)}, not for {quoted(settings.scope)}"
        return f"{told}.", "Environment scopes of a group's variables take GitLab Premium."
    if kept.description != text:
        return "GitLab did not keep the delivery record in a description.", _OLD_GITLAB
    if settings.hidden and not kept.hidden:
        return "this GitLab cannot hide variables.", "Update GitLab: it can since 17.4. Or say 'hidden: false'."
    return None

"""Delivers to GitHub: the secret sealed, its record in a variable, and what both tell of whose secret stands there."""

from __future__ import annotations

import datetime as dt
import re
import time
from typing import TYPE_CHECKING, Any

from github.PublicKey import encrypt

from tooken_ci.base import times
from tooken_ci.base.errors import DestinationError
from tooken_ci.base.record import Look, State
from tooken_ci.base.text import quoted
from tooken_ci.destinations import timing
from tooken_ci.destinations.github_group import MISSING, Found
from tooken_ci.destinations.github_names import SELECTED
from tooken_ci.destinations.github_refusal import GitHubRefusalError
from tooken_ci.destinations.judgement import judged, unknown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tooken_ci.base.record import DeliveryRecord, Held
    from tooken_ci.base.secret import Secret
    from tooken_ci.destinations.github_group import Group, SecretThere
    from tooken_ci.destinations.github_names import Settings

LARGEST = 48 * 1024
"""Bytes that GitHub allows a secret."""

_WRITTEN = re.compile(r"(.*) written=([0-9]{8}T[0-9]{6}Z)", re.DOTALL)
_TIME = "%Y%m%dT%H%M%SZ"
_ROUNDING = dt.timedelta(seconds=2)
_ROUNDS = 5
_BETWEEN_ROUNDS = 1.0
_CONFLICT, _UNPROCESSABLE = 409, 422


def look_at(group: Group, settings: Sequence[Settings]) -> list[Look]:
    """What stands at some destinations of one group; an error becomes ``unknown`` with its reason."""
    try:
        found = group.find(settings)
    except DestinationError as error:
        return [unknown(error)] * len(settings)
    return [judge(one, what) for one, what in zip(settings, found, strict=True)]


def judge(settings: Settings, found: Found) -> Look:
    """What a secret's own times and its record tell together.

    The value cannot be read. So the record also says when GitHub wrote the secret that it names: one that was written
    later is another one. That holds whatever becomes of the record, to which marks are added and taken from.
    """
    secret = found.secret
    if not settings.recorded:
        reason = "nothing was delivered yet" if secret is None else "it keeps no delivery record"
        written = None if secret is None else secret.written_at
        look = Look(state=State.ABSENT, reason=reason, empty=secret is None, written_at=written)
        return look if secret is None or not (why := _drifted(settings, secret)) else _elsewhere(why)
    text, written = split(found.variable or "")
    look = judged(text, None, readable=secret is None)
    if secret is None or look.record is None:
        return look
    reason = _why_not(look.record, secret, written)
    if not reason and (why := _drifted(settings, secret)):
        return Look(state=State.ABSENT, record=look.record, reason=why)
    state = State.ABSENT if reason else State.HOLDS
    return Look(state=state, record=look.record, reason=reason, value_newer=bool(reason))


def split(text: str) -> tuple[str, dt.datetime | None]:
    """The delivery record that a variable keeps, and when the secret beside it was written; None where it says not."""
    match = _WRITTEN.fullmatch(text.strip())
    if match is None:
        return text.strip(), None
    try:
        return match[1], dt.datetime.strptime(match[2], _TIME).replace(tzinfo=dt.UTC)
    except ValueError:
        return text.strip(), None


def _why_not(record: DeliveryRecord, secret: SecretThere, written: dt.datetime | None) -> str:
    """Why the secret is not surely the one that the record names; empty where it is."""
    if record.held is None:
        return "it has a value that no record names"
    if written is None:
        return "its delivery record does not tell when the secret was written"
    if secret.written_at <= written:
        return ""
    left = ", and an unfinished run left its mark" if record.marks else ""
    return f"it was written again at {times.show(secret.written_at)}, after what was delivered{left}"


def _drifted(settings: Settings, secret: SecretThere) -> str:
    """How the repositories that may use an organization's secret differ from those of the spec; empty where not."""
    if secret.visibility != settings.visibility:
        return f"its visibility is {quoted(secret.visibility)}, and not {quoted(settings.visibility)}"
    if secret.repositories != settings.repositories:
        return "the repositories that may use it are not those of the spec"
    return ""


def _elsewhere(why: str) -> Look:
    return Look(state=State.ABSENT, reason=why, value_newer=True)


class GitHubDestination:
    """One secret. It knows from a look what it is about to change, and from a write what the record must say."""

    def __init__(self, group: Group, settings: Settings) -> None:
        self._group = group
        self._settings = settings
        self._found: Found | None = None
        self._written: dt.datetime | None = None  # when the secret was written that the record names
        self._until: float | None = None  # when the delivery under way must be over

    def look(self) -> Look:
        """What stands there now; an error becomes ``unknown`` with its reason."""
        try:
            return judge(self._settings, self._find())
        except DestinationError as error:
            return unknown(error)

    def check(self) -> None:
        """Whether it can be written, as far as GitHub tells without a write: what is missing is told by its first call.

        Raises:
            DestinationError: it cannot; says why.
        """
        found = self._find()
        look = judge(self._settings, found)
        if look.state is State.UNKNOWN:
            raise DestinationError(f"{look.reason}.", hint="Use that version, or deliver elsewhere.")
        self._group.key(_in_time())
        self._group.probe()
        self._group.room(self._settings, found)
        self._group.ids(self._settings)

    def write_record(self, record: DeliveryRecord) -> None:
        """Put the record into its variable; the secret stays untouched.

        Raises:
            DestinationError: it could not be put there.
        """
        until, self._until = self._until or _in_time(), None
        found = self._found or self._find()  # which also tells when what the record names was written
        text = record.to_text()
        if record.held is not None and self._written is not None:
            text += f" written={self._written.strftime(_TIME)}"
        name, variables = self._settings.record_name, self._group.holder.variables
        body = {"name": name, "value": text}
        if found.variable is not None:
            path = f"{variables}/{name}"
            if self._group.api.send("PATCH", path, body, until=until, accept=MISSING).status not in MISSING:
                self._found = Found(secret=found.secret, variable=text)
                return
        self._create(body | self._for_whom(until), until)
        self._found = Found(secret=found.secret, variable=text)

    def write(self, secret: Secret) -> None:
        """Put the secret there, sealed with GitHub's key for it.

        Raises:
            DestinationError: it was not put there, or nobody knows whether it was.
        """
        until = _in_time()
        value = secret.reveal()
        if len(value.encode()) > LARGEST:
            raise DestinationError(f"the secret is longer than the {LARGEST} bytes that GitHub allows.")
        looked = self._found if self._settings.recorded else None  # where there are marks, right before this
        before = looked.secret if looked is not None else self._group.secret(self._settings, until)
        date = self._put(value, until)
        try:
            self._written = self._accepted(None if before is None else before.written_at, date, until)
        except DestinationError as error:
            error.surely_refused = False
            raise
        self._until = until

    def holds(self, secret: Secret) -> bool | None:
        """None: GitHub gives no secret back. That it was written is seen by when it was last written."""
        del secret
        return None

    def fetch(self, held: Held) -> Secret | None:
        """None, whatever is asked for: GitHub gives no secret back."""
        del held
        return None

    def _find(self) -> Found:
        (self._found,) = self._group.find([self._settings])
        _, self._written = split(self._found.variable or "")
        return self._found

    def _put(self, value: str, until: float) -> dt.datetime | None:
        """Send the secret, and give GitHub's time of its answer; where the key has changed meanwhile, once more."""
        path = f"{self._group.holder.secrets}/{self._settings.name}"
        whom = self._for_whom(until)
        key_id, key = self._group.key(until)
        try:
            answer = self._group.api.send("PUT", path, _sealed(key_id, key, value) | whom, until=until)
        except GitHubRefusalError as error:
            if error.status != _UNPROCESSABLE or not error.surely_refused:
                raise
            fresh = self._group.key(until, afresh=True)
            if fresh[0] == key_id:
                raise
            answer = self._group.api.send("PUT", path, _sealed(*fresh, value) | whom, until=until)
        return answer.date

    def _accepted(self, before: dt.datetime | None, date: dt.datetime | None, until: float) -> dt.datetime:
        """When GitHub says that the secret was written: later than before, or in the very second of the answer."""
        told = "that it is not there"
        for tried in range(_ROUNDS):
            if tried:
                time.sleep(_BETWEEN_ROUNDS)  # what GitHub reads may be a moment behind what it writes
            there = self._group.secret(self._settings, until)
            if there is not None:
                if before is None or there.written_at > before:
                    return there.written_at
                if date is not None and there.written_at >= date - _ROUNDING:
                    return there.written_at
                told = f"that it was last written at {times.show(there.written_at)}, which is before"
        raise DestinationError(f"GitHub accepted the secret, but then says {told}.", hint="Run again.")

    def _for_whom(self, until: float) -> dict[str, Any]:
        """What says which repositories may use an organization's secret, or the variable of its record."""
        if not self._settings.visibility:
            return {}
        selected = self._settings.visibility == SELECTED
        ids = {"selected_repository_ids": self._group.ids(self._settings, until)} if selected else {}
        return {"visibility": self._settings.visibility, **ids}

    def _create(self, body: dict[str, Any], until: float) -> None:
        variables = self._group.holder.variables
        answer = self._group.api.send("POST", variables, body, until=until, accept={_CONFLICT})
        if answer.status != _CONFLICT:
            return
        there = self._group.find([self._settings])[0].variable  # an earlier try of ours may have made it
        if there != body["value"]:
            raise DestinationError(
                f"something else made the variable {quoted(self._settings.record_name)} at the same time.",
                hint="Run again.",
            )


def _in_time() -> float:
    return time.monotonic() + timing.LONGEST_WRITE


def _sealed(key_id: str, key: str, value: str) -> dict[str, Any]:
    try:
        return {"key_id": key_id, "encrypted_value": encrypt(key, value)}
    except (ValueError, TypeError) as error:
        told = f"GitHub's key cannot seal the secret: {type(error).__name__}."
        raise DestinationError(told, hint="Look at GITHUB_API_URL and any proxy.") from None

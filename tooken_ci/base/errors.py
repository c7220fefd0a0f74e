"""Every error a user can meet: one class a cause, one exit code a class, one code a class for machines.

Library code raises these; only the command line prints them and exits.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tooken_ci.base.position import Position


class ExitCode(enum.IntEnum):
    """What the process tells its caller; the table stands in the README."""

    OK = 0
    FAILED = 1
    """Failed, and nothing was changed."""
    USAGE = 2
    """Wrong usage, or a spec that is not valid."""
    PARTIAL = 3
    """Failed after some changes."""
    PENDING = 4
    """Changes are pending (``plan --detailed-exitcode``)."""
    FORBIDDEN = 5
    """The policy or a safety bound forbids the plan."""


class TookenCIError(Exception):
    """The root of all errors that are told to the user in one message.

    Attributes:
        message: what happened, to what, with which value (never a secret).
        hint: what to do next, one sentence; may be empty.
    """

    code: ClassVar[str] = "failed"
    exit_code: ClassVar[ExitCode] = ExitCode.FAILED

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class UsageError(TookenCIError):
    """An option, a variable or the key is missing or wrong."""

    code = "usage"
    exit_code = ExitCode.USAGE


class NoKeyError(UsageError):
    """There is no API key."""

    code = "no_key"


class Fault:
    """One thing that is wrong with a spec: where, what was found, what was expected.

    Attributes:
        position: file, line and column, both from 1.
        message: what was found and what was expected.
        hint: what to do next; may be empty.
    """

    __slots__ = ("hint", "message", "position")

    def __init__(self, position: Position, message: str, *, hint: str = "") -> None:
        self.position = position
        self.message = message
        self.hint = hint

    def __repr__(self) -> str:
        return f"Fault({self})"

    def __str__(self) -> str:
        return f"{self.position}: {self.message} {self.hint}".strip()


class SpecError(TookenCIError):
    """The spec is not valid; carries every fault that was found, not only the first."""

    code = "spec_invalid"
    exit_code = ExitCode.USAGE
    headline: ClassVar[str] = "The spec is not valid"

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        many = f"{len(self.faults)} errors" if len(self.faults) != 1 else "1 error"
        super().__init__(f"{self.headline} ({many}).", hint="\n".join(str(fault) for fault in self.faults))


class PolicyError(SpecError):
    """The spec is well-formed, but breaks its own policy."""

    code = "policy"
    exit_code = ExitCode.FORBIDDEN
    headline = "The spec breaks its own policy"


class WorkspaceError(TookenCIError):
    """The live workspace cannot be read, or not be trusted."""

    code = "workspace"


class ApiError(TookenCIError):
    """The API answered with an error, or not at all.

    Attributes:
        status: the HTTP status; 0 where there was no answer that could be read.
        api_code: the ``error`` field of the body, made safe to show; may be empty.
        from_api: the body was empty or a JSON object, as the API's are; a proxy in between writes something else.
        doubtful: an earlier try of the same request was lost, and the server may have acted on that one.
    """

    code = "api"

    def __init__(
        self, message: str, *, hint: str = "", status: int = 0, api_code: str = "", from_api: bool = False
    ) -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.api_code = api_code
        self.from_api = from_api
        self.doubtful = False


class UnreachableError(ApiError):
    """No usable answer within all tries: refused, timed out, cut off, a server error, or not JSON."""

    code = "api_unreachable"


class NotTheApiError(ApiError):
    """Something answered that does not speak the Tooken API: a redirect, HTML, another shape."""

    code = "api_unexpected"


class UnauthorizedError(ApiError):
    """401: the credential is missing, wrong, revoked or expired."""

    code = "api_unauthorized"


class ForbiddenError(ApiError):
    """403: the credential lacks a scope."""

    code = "api_forbidden"


class NotFoundError(ApiError):
    """404."""

    code = "api_not_found"


class ConflictError(ApiError):
    """409: the name exists, or the token's status does not allow the call."""

    code = "api_conflict"


class RejectedError(ApiError):
    """400 or 422: the API does not take the values."""

    code = "api_rejected"


class RateLimitedError(ApiError):
    """429 for longer than the client may wait."""

    code = "api_rate_limited"


class DestinationError(TookenCIError):
    """A destination refused, or cannot be reached.

    Attributes:
        surely_refused: True where the store certainly took nothing; False where it may have acted (a time-out).
    """

    code = "destination"

    def __init__(self, message: str, *, hint: str = "", surely_refused: bool = True) -> None:
        super().__init__(message, hint=hint)
        self.surely_refused = surely_refused


class BlockedError(TookenCIError):
    """The policy or a safety bound forbids the plan, or a part of it."""

    code = "blocked"
    exit_code = ExitCode.FORBIDDEN


class RefusedError(TookenCIError):
    """What a person named is unknown, ambiguous, or must not be touched; nothing was changed."""

    code = "refused"


class IncompleteError(TookenCIError):
    """Some entries could not be served, and nothing was changed."""

    code = "incomplete"


class PartialError(TookenCIError):
    """Some entries could not be served, after something was changed."""

    code = "partial"
    exit_code = ExitCode.PARTIAL


class ChangesError(TookenCIError):
    """There are changes, and the step was asked to fail then."""

    code = "changes"
    exit_code = ExitCode.PENDING


class SavedPlanError(TookenCIError):
    """A saved plan is not what was saved, or no longer fits; carries everything that differs."""

    code = "saved_plan"

    def __init__(self, message: str, *, hint: str = "", differences: Sequence[str] = ()) -> None:
        self.differences = tuple(differences)
        super().__init__(message, hint=hint)

    def __str__(self) -> str:
        return " ".join([self.message, *self.differences, self.hint]).strip()


class LeakError(TookenCIError):
    """The search at the end of a run found a secret in what the run wrote; names the place, never the value."""

    code = "leak"
    exit_code = ExitCode.PARTIAL


class CommentError(TookenCIError):
    """The comment on a pull request or merge request was asked for, and could not be brought up to date.

    Attributes:
        surely_refused: True where the host certainly wrote nothing; False where it may have (a time-out).
    """

    code = "comment"

    def __init__(self, message: str, *, hint: str = "", surely_refused: bool = True) -> None:
        super().__init__(message, hint=hint)
        self.surely_refused = surely_refused


class InternalError(TookenCIError):
    """A fault of this program itself."""

    code = "internal"


class RunnerError(TookenCIError):
    """What the CI runner, or whoever reads the output, was to be told could not be written."""

    code = "output"


class StoppedError(TookenCIError):
    """Somebody stopped the run."""

    code = "interrupted"


class DeadlineError(StoppedError):
    """The run's deadline leaves no time for what is still to be done."""

    code = "deadline"

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self._explained = False

    def explain(self, why: str) -> None:
        """Tell what the time went by with; whoever was nearest to that, and tells it first, knows best.

        Args:
            why: a sentence.
        """
        if not self._explained:
            self.message = f"{self.message} {why}"
        self._explained = True


class DeclinedError(TookenCIError):
    """The person at the terminal said no."""

    code = "declined"

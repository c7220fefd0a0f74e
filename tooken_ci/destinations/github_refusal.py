"""What it means when GitHub refuses, and what to do then."""

from __future__ import annotations

from tooken_ci.base.errors import DestinationError
from tooken_ci.base.text import safe

_NEEDED = (
    "a fine-grained token or an App's needs 'Secrets' and 'Variables' ('Dependabot secrets', 'Environments' for "
    "those), read to plan and write to apply; a classic one needs 'repo', for an organization 'admin:org'"
)
_BAD, _FORBIDDEN = 400, 403
_MEANINGS = {
    401: ("GitHub does not accept the credential in {}", "Look whether it has expired."),
    403: ("GitHub does not let the credential in {} do that", f"Give it the permission: {_NEEDED}."),
    404: (
        "it is not there, or the credential in {} may not see it",
        f"Look at its name, and at what the credential may see: {_NEEDED}.",
    ),
    409: ("something else changes it at the same time", "Run again."),
    422: ("GitHub refuses that", "See what it says; a limit on names, sizes or numbers may be reached."),
}
_MOVED = ("it has moved to another name", "Write its new name into the spec.")
_OTHER = ("GitHub refuses that", "See what it says.")
_NOT_THE_JOBS = f"Set GH_TOKEN to another one, which is taken before GITHUB_TOKEN: {_NEEDED}."


class GitHubRefusalError(DestinationError):
    """GitHub refused a request.

    Attributes:
        status: the HTTP status.
    """

    code = "destination_github"

    def __init__(self, message: str, *, hint: str, surely_refused: bool, status: int) -> None:
        super().__init__(message, hint=hint, surely_refused=surely_refused)
        self.status = status


def refusal(
    call: str, status: int, message: str, *, variable: str, of_an_app: bool, surely_refused: bool
) -> GitHubRefusalError:
    """The error for an answer that refuses.

    Args:
        call: method and path.
        status: of the answer.
        message: what GitHub says, already safe.
        variable: where the credential comes from.
        of_an_app: the credential is an App's, as the job's own is.
        surely_refused: no earlier try of the same request can have been done.
    """
    told, hint = _MEANINGS.get(status, _MOVED if status < _BAD else _OTHER)
    if status == _FORBIDDEN and of_an_app and "by integration" in message:
        told += (
            ": it is the job's own GITHUB_TOKEN, which may neither read nor write secrets, or an App's that lacks the "
            "permission"
        )
        hint = _NOT_THE_JOBS
    said = f"{status}, {message}" if message else str(status)
    return GitHubRefusalError(
        f"{told.format(variable)} ({safe(call)}: {said.rstrip('.')}).",
        hint=hint,
        surely_refused=surely_refused,
        status=status,
    )

"""What an answer of the API means: its body decoded, its errors as types. The body of a success is never shown."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from tooken_ci.base.errors import (
    ApiError,
    ConflictError,
    ForbiddenError,
    NotFoundError,
    NotTheApiError,
    RejectedError,
    UnauthorizedError,
    UnreachableError,
)
from tooken_ci.base.text import safe

if TYPE_CHECKING:
    from collections.abc import Mapping

    import requests

_NO_CONTENT = 204
REDIRECTS = range(300, 400)
"""None of them is followed: the key would go along."""

_CLIENT_ERRORS = range(400, 500)


def may_be_the_apis(answer: requests.Response) -> bool:
    """Whether an answer claims to be nothing else than what the API's all are: JSON, or without a body."""
    return "json" in answer.headers.get("Content-Type", "json").lower()


def decode(answer: requests.Response, scope: str) -> Any:
    """The decoded body of a success; None for an answer without one, and for a server fault.

    Raises:
        NotTheApiError: a redirect, or a success whose body is not JSON.
        ApiError: another of its kinds, for each client error.
    """
    status = answer.status_code
    if status in REDIRECTS:
        raise NotTheApiError(
            f"The API answered with a redirect ({status}); the key is not sent on to another address.",
            hint="Give the final address with --api-url.",
            status=status,
        )
    if status in _CLIENT_ERRORS:
        raise _client_error(answer, scope)
    if status == _NO_CONTENT or not answer.ok:
        return None
    try:
        return answer.json()
    except (ValueError, RecursionError):
        kind = safe(answer.headers.get("Content-Type", "no content type"), limit=60)
        raise NotTheApiError(
            f"The answer ({status}, {kind}) is not JSON, so it is not the Tooken API's.",
            hint="Check --api-url, and whether a proxy or a login page stands in between.",
            status=status,
        ) from None


def server_fault(call: str, answer: requests.Response) -> UnreachableError:
    """The error for a 5xx that did not pass."""
    return UnreachableError(
        f"{call}: the API failed with {answer.status_code}{_told(answer).message}.",
        hint="Run again later; a run that stops here is mended by the next one.",
        status=answer.status_code,
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Told:
    """What an error body says, safe to show; ``from_api`` is False where something else wrote it."""

    code: str = ""
    message: str = ""
    from_api: bool = False


def _told(answer: requests.Response) -> _Told:
    try:
        body = answer.json()
        code, message = str(body.get("error") or ""), str(body.get("message") or "")
    except (ValueError, AttributeError, RecursionError):
        return _Told(from_api=not answer.content)
    return _Told(code=safe(code, limit=60), message=f" ({safe(message)})" if message else "", from_api=True)


_KINDS: Mapping[int, tuple[type[ApiError], str, str]] = {
    400: (RejectedError, "the API does not take the values", ""),
    401: (
        UnauthorizedError,
        "the API does not accept the key",
        "It is wrong, revoked or expired: set TOOKEN_API_KEY to a valid one.",
    ),
    403: (ForbiddenError, "the key lacks the scope {scope}", "Use a key or token that has {scope}."),
    404: (NotFoundError, "not found", "If it is the list of tokens, check --api-url: it must end in /v1."),
    409: (ConflictError, "conflict", ""),
    422: (RejectedError, "the API does not take the values", ""),
}
"""For each status: the error, what happened, what to do next."""


def _client_error(answer: requests.Response, scope: str) -> ApiError:
    told = _told(answer)
    status = answer.status_code
    request = f"{answer.request.method} {answer.request.path_url.partition('?')[0]}"
    kind, what, hint = _KINDS.get(status, (ApiError, f"the API answered {status}", ""))
    return kind(
        f"{request}: {what.format(scope=scope)}{told.message}.",
        hint=hint.format(scope=scope),
        status=status,
        api_code=told.code,
        from_api=told.from_api,
    )

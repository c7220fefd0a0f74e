"""What an answer of the API means: its body decoded, its errors as types. The body of a success is never shown."""

from __future__ import annotations

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
    import requests

_NO_CONTENT = 204
REDIRECTS = range(300, 400)
"""None of them is followed: the key would go along."""

_CLIENT_ERRORS = range(400, 500)


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


def server_fault(method: str, path: str, answer: requests.Response) -> UnreachableError:
    """The error for a 5xx that did not pass."""
    _, message = _told(answer)
    return UnreachableError(
        f"{method} {path}: the API failed with {answer.status_code}{message}.",
        hint="Run again later; a run that stops here is mended by the next one.",
        status=answer.status_code,
    )


def _told(answer: requests.Response) -> tuple[str, str]:
    """The code and the message of an error body, safe to show; a proxy may have answered something else."""
    try:
        body = answer.json()
        code, message = str(body.get("error") or ""), str(body.get("message") or "")
    except (ValueError, AttributeError, RecursionError):
        return "", ""
    return safe(code, limit=60), f" ({safe(message)})" if message else ""


def _client_error(answer: requests.Response, scope: str) -> ApiError:
    code, message = _told(answer)
    status = answer.status_code
    request = f"{answer.request.method} {answer.request.path_url.partition('?')[0]}"
    match status:
        case 401:
            return UnauthorizedError(
                f"{request}: the API does not accept the key{message}.",
                hint="It is wrong, revoked or expired: set TOOKEN_API_KEY to a valid one.",
                status=status,
                api_code=code,
            )
        case 403:
            return ForbiddenError(
                f"{request}: the key lacks the scope {scope}{message}.",
                hint=f"Use a key or token that has {scope}; no scope implies another.",
                status=status,
                api_code=code,
            )
        case 404:
            return NotFoundError(
                f"{request}: not found{message}.",
                hint="If it is the list of tokens, check --api-url: it must end in /v1.",
                status=status,
                api_code=code,
            )
        case 409:
            return ConflictError(f"{request}: conflict{message}.", status=status, api_code=code)
        case 400 | 422:
            return RejectedError(f"{request}: the API does not take the values{message}.", status=status, api_code=code)
        case _:
            return ApiError(f"{request}: the API answered {status}{message}.", status=status, api_code=code)

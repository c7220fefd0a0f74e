"""Authentication and scopes: settled before a request's body, parameters or target are looked at."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from fastapi.routing import APIRoute

from tooken_ci.sandbox.credentials import Credential
from tooken_ci.sandbox.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from fastapi import Request, Response

    from tooken_ci.sandbox.credentials import Scope
    from tooken_ci.sandbox.workspace import Workspace

SCOPE_KEY = "x-required-scope"


def requires(scope: Scope) -> dict[str, str]:
    """Returns the ``openapi_extra`` that both documents a route's scope and makes it hold."""
    return {SCOPE_KEY: scope}


def workspace_of(request: Request) -> Workspace:
    """Returns the workspace that a request is about."""
    workspace: Workspace = request.app.state.workspace
    return workspace


def credential_of(request: Request) -> Credential:
    """Returns what authenticated a request.

    Raises:
        ApiError: nothing did (401).
    """
    credential = request.state.credential
    if not isinstance(credential, Credential):
        raise ApiError(HTTPStatus.UNAUTHORIZED, "The credential is missing, wrong, revoked or expired.")
    return credential


class GuardedRoute(APIRoute):
    """A route that only a credential with the route's scope gets into.

    FastAPI would read the body and the parameters before any dependency runs, so this wraps all of it.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Returns FastAPI's handler behind the guard."""
        handle = super().get_route_handler()
        scope = (self.openapi_extra or {})[SCOPE_KEY]

        async def guarded(request: Request) -> Response:
            credential = credential_of(request)
            if not request.state.observed:
                workspace_of(request).tokens.mark_used(credential)
            if scope not in credential.scopes:
                raise ApiError(HTTPStatus.FORBIDDEN, f"The credential lacks the scope {scope}.")
            return await handle(request)

        return guarded

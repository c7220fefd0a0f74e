"""The endpoints of the Tooken API v1."""

from dataclasses import asdict
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response, Security
from fastapi.responses import JSONResponse
from fastapi.security import HTTPBearer

from tooken_ci.sandbox.audit import AuditEntry, Event
from tooken_ci.sandbox.clock import from_iso, to_iso
from tooken_ci.sandbox.errors import ApiError
from tooken_ci.sandbox.guard import GuardedRoute, credential_of, requires, workspace_of
from tooken_ci.sandbox.models import AuditPage, ErrorBody, IssuedTokenBody, NewTokenBody, TokenBody, TokenPage
from tooken_ci.sandbox.tokens import Status, Token

_RATE_HEADERS = {
    name: {"description": text, "required": True, "schema": {"type": "integer", "minimum": 0}}
    for name, text in (
        ("X-RateLimit-Limit", "Requests that the workspace may send in one window."),
        ("X-RateLimit-Remaining", "Requests that are left in this window."),
        ("X-RateLimit-Reset", "When the window ends, in Unix seconds."),
    )
}
_ERRORS = {
    400: "Malformed, a missing field, a wrong type or an unknown scope.",
    401: "No, a wrong, a revoked or an expired credential.",
    403: "The credential lacks the scope.",
    404: "There is no such token.",
    409: "The name exists, or the token can't be rotated any more.",
    422: "Well-formed, but a value is wrong.",
    429: "Nothing is left of the quota until the reset.",
    500: "The server failed.",
}


def _documented(success: int, *errors: int) -> dict[int | str, dict[str, Any]]:
    described: dict[int | str, dict[str, Any]] = {success: {"headers": _RATE_HEADERS}}
    for status in (*errors, 401, 403, 429, 500):
        described[status] = {"model": ErrorBody, "description": _ERRORS[status], "headers": _RATE_HEADERS}
    # Without a default of ours, FastAPI would promise its own kind of 422.
    described["default"] = {"model": ErrorBody, "description": "Any other error.", "headers": _RATE_HEADERS}
    return described


router = APIRouter(
    prefix="/v1",
    route_class=GuardedRoute,
    dependencies=[Security(HTTPBearer(auto_error=False, description="An API key or a token's secret."))],
)

PageNumber = Annotated[int, Query(ge=1)]
PageSize = Annotated[int, Query(ge=1, le=100)]


@router.get("/tokens", response_model=TokenPage, responses=_documented(200, 400), openapi_extra=requires("tokens:read"))
async def list_tokens(
    request: Request, page: PageNumber = 1, per_page: PageSize = 25, status: Status | None = None, name: str = ""
) -> Response:
    """Lists tokens, newest first; name is a partial, case-insensitive match."""
    tokens, total = workspace_of(request).tokens.page(page=page, per_page=per_page, status=status, name=name)
    meta = {"page": page, "per_page": per_page, "total": total}
    return JSONResponse({"data": [_token_data(token) for token in tokens], "meta": meta})


@router.post(
    "/tokens",
    status_code=201,
    response_model=IssuedTokenBody,
    responses=_documented(201, 400, 409, 422),
    openapi_extra=requires("tokens:write"),
)
async def create_token(request: Request, body: NewTokenBody) -> Response:
    """Makes a token; its secret is in this reply and nowhere else."""
    workspace = workspace_of(request)
    token, secret = workspace.tokens.create(
        name=body.name,
        scopes=body.scopes,
        expires_at=_future(body.expires_at, workspace.clock.now()),
        by=credential_of(request),
    )
    return JSONResponse(_token_data(token) | {"token": secret}, status_code=HTTPStatus.CREATED)


@router.get(
    "/tokens/{token_id}",
    response_model=TokenBody,
    responses=_documented(200, 404),
    openapi_extra=requires("tokens:read"),
)
async def get_token(request: Request, token_id: str) -> Response:
    """Returns a token of any status, without its secret."""
    return JSONResponse(_token_data(workspace_of(request).tokens.get(token_id)))


@router.delete(
    "/tokens/{token_id}",
    status_code=204,
    response_class=Response,
    responses=_documented(204, 404),
    openapi_extra=requires("tokens:revoke"),
)
async def revoke_token(request: Request, token_id: str) -> Response:
    """Revokes a token at once and for ever; doing it again changes nothing and is 204 too."""
    workspace_of(request).tokens.revoke(token_id, by=credential_of(request))
    return Response(status_code=HTTPStatus.NO_CONTENT)


@router.post(
    "/tokens/{token_id}/rotate",
    response_model=IssuedTokenBody,
    responses=_documented(200, 404, 409),
    openapi_extra=requires("tokens:rotate"),
)
async def rotate_token(request: Request, token_id: str) -> Response:
    """Gives an active token a new secret; the old one is dead at that moment."""
    token, secret = workspace_of(request).tokens.rotate(token_id, by=credential_of(request))
    return JSONResponse(_token_data(token) | {"token": secret})


@router.get(
    "/audit-logs", response_model=AuditPage, responses=_documented(200, 400), openapi_extra=requires("audit:read")
)
async def list_audit_entries(
    request: Request,
    page: PageNumber = 1,
    per_page: PageSize = 25,
    token_id: str | None = None,
    event: Event | None = None,
) -> Response:
    """Lists who did what to which token, newest first."""
    entries, total = workspace_of(request).audit.page(page=page, per_page=per_page, token_id=token_id, event=event)
    meta = {"page": page, "per_page": per_page, "total": total}
    return JSONResponse({"data": [_entry_data(entry) for entry in entries], "meta": meta})


def _future(text: str | None, now: float) -> int | None:
    if text is None:
        return None
    try:
        moment = from_iso(text)
    except ValueError as error:
        raise ApiError(HTTPStatus.UNPROCESSABLE_ENTITY, "expires_at is no ISO 8601 date.") from error
    if moment <= now:
        raise ApiError(HTTPStatus.UNPROCESSABLE_ENTITY, "expires_at is in the past.")
    return moment


def _token_data(token: Token) -> dict[str, Any]:
    return {
        "id": token.id,
        "name": token.name,
        "scopes": token.scopes,
        "status": token.status,
        "created_at": to_iso(token.created_at),
        "expires_at": None if token.expires_at is None else to_iso(token.expires_at),
        "last_used_at": None if token.last_used_at is None else to_iso(token.last_used_at),
        "created_by": token.created_by,
    }


def _entry_data(entry: AuditEntry) -> dict[str, Any]:
    return asdict(entry) | {"created_at": to_iso(entry.created_at)}

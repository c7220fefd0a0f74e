"""Every error reply has the documented shape; the API's own errors are raised as ``ApiError``."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import compile_path

if TYPE_CHECKING:
    from fastapi import FastAPI, Request

CODES = {
    400: "bad_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    409: "conflict",
    422: "unprocessable_entity",
    429: "rate_limited",
    500: "internal_error",
}


class ApiError(Exception):
    """A request that the API refuses.

    Attributes:
        status: the HTTP status.
        message: the text for a person.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def error_body(status: int, message: str) -> dict[str, str | int]:
    """Returns the documented body of an error."""
    code = CODES.get(status) or HTTPStatus(status).phrase.lower().replace(" ", "_")
    return {"error": code, "message": message, "status": status}


def error_response(status: int, message: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """Returns an error as a response."""
    return JSONResponse(error_body(status, message), status_code=status, headers=headers)


def install_error_handlers(app: FastAPI) -> None:
    """Gives every error of the app, FastAPI's own included, the documented shape."""

    @app.exception_handler(ApiError)
    async def refused(_request: Request, error: ApiError) -> JSONResponse:
        headers = {"WWW-Authenticate": "Bearer"} if error.status == HTTPStatus.UNAUTHORIZED else None
        return error_response(error.status, error.message, headers)

    @app.exception_handler(RequestValidationError)
    async def invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
        faults = [f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}" for fault in error.errors()]
        return error_response(HTTPStatus.BAD_REQUEST, "; ".join(faults))

    @app.exception_handler(HTTPException)
    async def unrouted(request: Request, error: HTTPException) -> JSONResponse:
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            allowed = _allowed_methods(app, request.url.path)
            message = f"{request.method} is not allowed here; {allowed} would be."
            return error_response(error.status_code, message, {"Allow": allowed} if allowed else None)
        return error_response(error.status_code, str(error.detail))


def _allowed_methods(app: FastAPI, path: str) -> str:
    """Routing only knows the methods of one of the routes that share a path; the schema knows all."""
    methods: set[str] = set()
    for template, operations in app.openapi()["paths"].items():
        pattern, _, _ = compile_path(template)
        if pattern.match(path):
            methods.update(method.upper() for method in operations)
    return ", ".join(sorted(methods))

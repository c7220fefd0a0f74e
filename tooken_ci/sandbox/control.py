"""The sandbox's own endpoints, beside the API: for tests that move the clock, inject faults and count requests."""

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Body, Request, Response
from pydantic import BaseModel, Field

from tooken_ci.sandbox.clock import to_iso
from tooken_ci.sandbox.errors import ApiError
from tooken_ci.sandbox.faults import parse_faults
from tooken_ci.sandbox.guard import workspace_of
from tooken_ci.sandbox.settings import SandboxConfigError
from tooken_ci.sandbox.workspace import Workspace

router = APIRouter(prefix="/_sandbox", include_in_schema=False)

DECADES = 1e9
"""The most seconds that one call moves the clock: some thirty years."""


class Advance(BaseModel):
    """How far to move the clock."""

    advance: Annotated[float, Field(ge=-DECADES, le=DECADES)]


def _clock_data(workspace: Workspace) -> dict[str, Any]:
    now = workspace.clock.now()
    return {"now": to_iso(now), "unix": now, "offset": workspace.clock.offset}


@router.get("/clock")
async def read_clock(request: Request) -> dict[str, Any]:
    """Tells the sandbox's time."""
    return _clock_data(workspace_of(request))


@router.post("/clock")
async def move_clock(request: Request, body: Advance) -> dict[str, Any]:
    """Moves the sandbox's time."""
    workspace = workspace_of(request)
    workspace.clock.advance(body.advance)
    return _clock_data(workspace)


@router.get("/requests")
async def read_requests(request: Request) -> list[dict[str, Any]]:
    """Lists the API requests received, oldest first."""
    return workspace_of(request).requests.data()


@router.delete("/requests", status_code=HTTPStatus.NO_CONTENT)
async def clear_requests(request: Request) -> Response:
    """Forgets the API requests received; their numbers go on."""
    workspace_of(request).requests.clear()
    return Response(status_code=HTTPStatus.NO_CONTENT)


@router.put("/faults", status_code=HTTPStatus.NO_CONTENT)
async def replace_faults(request: Request, body: Annotated[list[dict[str, Any]], Body()]) -> Response:
    """Takes other faults instead of those there are; an empty list ends them."""
    try:
        faults = parse_faults(body)
    except SandboxConfigError as error:
        raise ApiError(HTTPStatus.BAD_REQUEST, str(error)) from error
    workspace_of(request).faults.replace(faults)
    return Response(status_code=HTTPStatus.NO_CONTENT)

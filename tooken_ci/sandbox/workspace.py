"""All parts of one sandbox, put together once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tooken_ci.sandbox.audit import AuditLog
from tooken_ci.sandbox.clock import Clock
from tooken_ci.sandbox.database import open_database
from tooken_ci.sandbox.faults import FaultBook, parse_faults, read_list
from tooken_ci.sandbox.ratelimit import Quota
from tooken_ci.sandbox.requestlog import RequestLog
from tooken_ci.sandbox.seed import seed
from tooken_ci.sandbox.tokens import TokenStore

if TYPE_CHECKING:
    from tooken_ci.sandbox.settings import SandboxSettings


@dataclass(frozen=True, kw_only=True, slots=True)
class Workspace:
    """The workspace that a sandbox serves, with its clock, quota, faults and request log."""

    clock: Clock
    tokens: TokenStore
    audit: AuditLog
    quota: Quota
    faults: FaultBook
    requests: RequestLog
    latency: float


def open_workspace(settings: SandboxSettings, clock: Clock | None = None) -> Workspace:
    """Opens the database, seeds it and reads the faults.

    Raises:
        SandboxConfigError: a file can't be used.
    """
    clock = clock or Clock()
    faults = parse_faults(read_list(settings.faults)) if settings.faults else []
    connection = open_database(settings.db)
    if settings.seed is not None:
        seed(connection, settings.seed, now=clock.now())
    audit = AuditLog(connection)
    tokens = TokenStore(
        connection=connection,
        audit=audit,
        clock=clock,
        api_key=settings.api_key,
        revoked_names=settings.revoked_names,
    )
    return Workspace(
        clock=clock,
        tokens=tokens,
        audit=audit,
        quota=Quota(limit=settings.limit, window=settings.window, clock=clock),
        faults=FaultBook(faults),
        requests=RequestLog(),
        latency=settings.latency_ms / 1000,
    )

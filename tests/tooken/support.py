"""What the tests of the client share: a clock that is moved by hand, bodies of the API, and a client."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from tooken_ci.base.errors import DeadlineError, StoppedError
from tooken_ci.base.secret import Secret
from tooken_ci.tooken.client import Client
from tooken_ci.tooken.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Sequence

    import responses

    from tooken_ci.tooken.retry import RetryPolicy

API = "https://api.tooken.test/v1"
TOKENS = f"{API}/tokens"
KEY = "tok_live_0123456789abcdefABCDEF"
SECRET = "tok_secret_0123456789abcdef"
DATE = "Mon, 23 Nov 2026 19:20:15 GMT"
HTML = "<!DOCTYPE html><html><body>Please log in</body></html>"


class MovedClock:
    """A clock on which sleeping takes no time: it only moves the hands, and remembers by how much.

    As on the run's own clock, a wait that would go past the deadline is refused at once.
    """

    def __init__(self, time: float = 1000.0, *, deadline: float = math.inf) -> None:
        self.time = time
        self.ends = time + deadline
        self.slept: list[float] = []
        self.stopped = False

    def monotonic(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        if self.time + seconds > self.ends:
            raise DeadlineError(f"A wait of {seconds:.0f} s would go past the run's deadline.")
        self.check()
        self.slept.append(seconds)
        self.time += seconds

    def check(self) -> None:
        if self.stopped:
            raise StoppedError("The run was stopped by SIGTERM.")

    def overdue(self) -> bool:
        return False

    def stop(self) -> None:
        self.stopped = True


def make_client(
    *,
    url: str = API,
    key: str = KEY,
    clock: MovedClock | None = None,
    policy: RetryPolicy | None = None,
    ca_bundle: str | None = None,
) -> Client:
    return Client(base_url=url, key=Secret(key), clock=clock or MovedClock(), policy=policy, ca_bundle=ca_bundle)


def make_transport(*, url: str = API, clock: MovedClock | None = None) -> Transport:
    return Transport(base_url=url, key=Secret(KEY), clock=clock or MovedClock())


def token_body(**changes: Any) -> dict[str, Any]:
    """A token as the API gives it, without its secret."""
    return {
        "id": "tok_a1b2c3d4e5f6a7b8c9d0e1f2",
        "name": "ci-deploy",
        "scopes": ["tokens:read"],
        "status": "active",
        "created_at": "2026-11-01T08:00:00Z",
        "expires_at": "2027-02-01T08:00:00Z",
        "last_used_at": None,
        "created_by": "platform@example.com",
    } | changes


def page_body(tokens: Sequence[dict[str, Any]], *, page: int = 1, per_page: int = 100, total: int) -> dict[str, Any]:
    return {"data": list(tokens), "meta": {"page": page, "per_page": per_page, "total": total}}


def numbered(first: int, last: int) -> list[dict[str, Any]]:
    """Tokens with the numbers from ``first`` to ``last``."""
    return [token_body(id=f"tok_{number:024}", name=f"token {number}") for number in range(first, last + 1)]


def error_body(status: int, code: str = "some_code", message: str = "the API's words") -> dict[str, Any]:
    return {"error": code, "message": message, "status": status}


def sent(api: responses.RequestsMock) -> list[Any]:
    """The requests that went out; each has ``params``, which is the mock's own addition."""
    return [call.request for call in api.calls]

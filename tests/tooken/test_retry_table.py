from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest

from tests.tooken.scripted import RESET, RESET_UNREAD, Act, OpeningClock, Scripted, answer
from tests.tooken.support import DATE, HTML, SECRET, error_body, make_client, page_body, token_body
from tooken_ci.base.errors import ApiError, ConflictError, ForbiddenError, NotTheApiError, UnreachableError
from tooken_ci.tooken.retry import TABLE, Again, CallKind, Fault

if TYPE_CHECKING:
    from collections.abc import Callable

    from tooken_ci.tooken.client import Client

ID = token_body()["id"]
MINTED = token_body(token=SECRET)
IN_42_S = {"X-RateLimit-Limit": "1000", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1795461657", "Date": DATE}
REFUSED = "refused"
FAULTS: dict[str, Act] = {
    REFUSED: RESET,  # never played: the server is not open
    "reset unread": RESET_UNREAD,
    "reset": RESET,
    "cut": answer(200, MINTED, missing=9),
    "not json": answer(200, HTML),
    "429 until the reset": answer(429, error_body(429), headers=IN_42_S),
    "429 with Retry-After": answer(429, error_body(429), headers={"Retry-After": "7"}),
    "429": answer(429, error_body(429)),
    "500": answer(500, error_body(500)),
    "502": answer(502, HTML),
    "503": answer(503),
}
WAITS = {"429 until the reset": (42.0, 42.0), "429 with Retry-After": (7.0, 7.0)}
"""The least and the most that is waited before the repeat, where the answer says it."""

FREELY, BY_NAME, NEVER = Again.FREELY, Again.BY_NAME, Again.NEVER
KINDS = (CallKind.READ, CallKind.REVOKE, CallKind.CREATE, CallKind.ROTATE)
HARMLESS, DOUBTFUL = (FREELY, FREELY, FREELY, FREELY), (FREELY, FREELY, BY_NAME, NEVER)
ROWS = {fault: HARMLESS if fault == REFUSED or fault.startswith("429") else DOUBTFUL for fault in FAULTS}


def create(client: Client) -> str:
    return client.create(name="ci", scopes_wanted=["tokens:read"], expires_at=None).secret.reveal()


def revoke(client: Client) -> str:
    client.revoke(ID)
    return "revoked"


def rotate(client: Client) -> str:
    return client.rotate(ID).secret.reveal()


CALLS: dict[str, tuple[CallKind, str, Callable[[Client], Any], Act]] = {
    "GET /v1/tokens?page=1&per_page=100&name=ci": (
        CallKind.READ,
        "ci-deploy",
        lambda client: client.find("ci")[0].name,
        answer(200, page_body([token_body()], total=1)),
    ),
    f"GET /v1/tokens/{ID}": (CallKind.READ, ID, lambda client: getattr(client.get(ID), "id", ""), answer(200, MINTED)),
    f"DELETE /v1/tokens/{ID}": (CallKind.REVOKE, "revoked", revoke, answer(204)),
    "POST /v1/tokens": (CallKind.CREATE, SECRET, create, answer(201, MINTED)),
    f"POST /v1/tokens/{ID}/rotate": (CallKind.ROTATE, SECRET, rotate, answer(200, MINTED)),
}
"""For each request: its kind, what the client gives in the end, how it is asked, and a good answer."""

CELLS = list(itertools.product(FAULTS, CALLS))


def expected(fault: str, call: str) -> Again:
    return ROWS[fault][KINDS.index(CALLS[call][0])]


def lasting(fault: str) -> type[ApiError]:
    """What a fault is told as if it does not pass."""
    return NotTheApiError if fault == "not json" else UnreachableError


def with_fault(fault: str, *then: Act) -> Scripted:
    """A server that commits the fault once, and then does what follows."""
    return Scripted(then, opened=False) if fault == REFUSED else Scripted([FAULTS[fault], *then])


@pytest.mark.parametrize(("fault", "call"), CELLS)
def test_every_cell(fault: str, call: str) -> None:
    """What harms nobody is sent once more, unchanged, and its answer used; what may have been done is not."""
    _, given, ask, good = CALLS[call]
    again = expected(fault, call) is not NEVER
    with with_fault(fault, good) as server:
        clock = OpeningClock(server)
        client = make_client(url=server.url, clock=clock)
        if again:
            assert ask(client) == given
        else:
            with pytest.raises(lasting(fault)) as caught:
                ask(client)
            assert SECRET[:12] not in str(caught.value)
    assert client.sent == again + 1
    assert server.connections == client.sent - (fault == REFUSED)
    body = b'{"name": "ci", "scopes": ["tokens:read"]}' if call == "POST /v1/tokens" else b""
    assert server.heard == [(call, body)] * (server.connections - (fault == "reset unread"))
    least, most = WAITS.get(fault, (0.0, 0.5))
    assert len(clock.slept) == again
    assert least - 0.01 <= sum(clock.slept) <= most + 0.01


@pytest.mark.parametrize(("fault", "call"), [cell for cell in CELLS if not cell[0].startswith("429")])
def test_a_fault_that_stays(fault: str, call: str) -> None:
    """A fault that does not pass ends after five tries, or after one where no second may be sent."""
    with Scripted([FAULTS[fault]] * 9, opened=fault != REFUSED) as server:
        client = make_client(url=server.url)
        with pytest.raises(lasting(fault)):
            CALLS[call][2](client)
    assert client.sent == (1 if expected(fault, call) is NEVER else 5)
    assert server.connections == (0 if fault == REFUSED else client.sent)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_repeated_creation_that_meets_its_own_name(fault: str) -> None:
    """A conflict after a lost answer is a conflict: whoever asked then settles by name whose token it is."""
    with with_fault(fault, answer(409, error_body(409, "conflict"))) as server, pytest.raises(ConflictError):
        create(make_client(url=server.url, clock=OpeningClock(server)))


@pytest.mark.parametrize("fault", FAULTS)
def test_a_repeated_creation_that_is_refused(fault: str) -> None:
    """A creation that may have been made is not told as refused because its repeat was; one that was not made is."""
    told = lasting(fault) if ROWS[fault] is DOUBTFUL else ForbiddenError
    with with_fault(fault, answer(403, error_body(403, "forbidden"))) as server, pytest.raises(told):
        create(make_client(url=server.url, clock=OpeningClock(server)))


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if ROWS[fault] is DOUBTFUL])
def test_a_rotation_is_repeated_only_until_it_may_have_happened(fault: str) -> None:
    """A rotation that nobody heard, then was refused, and then perhaps done, is not sent a fourth time."""
    with Scripted([answer(429), FAULTS[fault], answer(200, MINTED)], opened=False) as server:
        client = make_client(url=server.url, clock=OpeningClock(server))
        with pytest.raises(lasting(fault)):
            rotate(client)
    assert (client.sent, server.connections) == (3, 2)


def test_the_table_is_complete_and_fixed() -> None:
    """Every fault has a word for every kind of call, those of the cells above, and nobody can change one."""
    assert dict(TABLE) == {
        Fault.REFUSED: dict(zip(KINDS, HARMLESS, strict=True)),
        Fault.RATE_LIMITED: dict(zip(KINDS, HARMLESS, strict=True)),
        Fault.BROKEN: dict(zip(KINDS, DOUBTFUL, strict=True)),
        Fault.TRUNCATED: dict(zip(KINDS, DOUBTFUL, strict=True)),
        Fault.NOT_JSON: dict(zip(KINDS, DOUBTFUL, strict=True)),
        Fault.SERVER_FAULT: dict(zip(KINDS, DOUBTFUL, strict=True)),
    }
    assert (set(TABLE), set(KINDS)) == (set(Fault), set(CallKind))
    for fixed in (TABLE, *TABLE.values()):
        assert not hasattr(fixed, "__setitem__")

"""How long a token lives that is made some time after it was planned."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from tests.apply.support import only

if TYPE_CHECKING:
    from tests.apply.support import World

DAY = 86_400


def _end(world: World, result_id: str | None) -> dt.datetime:
    return dt.datetime.fromisoformat(world.sandbox.token(result_id or "")["expires_at"])


def _later(world: World) -> None:
    """Five days go by, for the server and for the run."""
    world.sandbox.advance(5 * DAY)
    world.clock.time += 5 * DAY


def test_a_life_is_reckoned_when_the_token_is_made(world: World) -> None:
    """However late after its plan a token is made, it lives as long as the spec says from then on."""
    world.prepare(world.entry())
    _later(world)
    made = only(world.apply())
    left = _end(world, made.id).timestamp() - world.sandbox.now()
    assert 90 * DAY - 60 <= left <= 90 * DAY + 60


def test_an_absolute_end_stays(world: World) -> None:
    """An absolute end is asked for as it stands in the spec, whenever the token is made."""
    world.prepare(world.entry(more="expires_at: 2099-01-01T00:00:00Z"), expires_in="")
    _later(world)
    end = _end(world, only(world.apply()).id)
    assert dt.timedelta(0) <= end - dt.datetime(2099, 1, 1, tzinfo=dt.UTC) < dt.timedelta(seconds=60)

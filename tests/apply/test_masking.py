"""What later steps of the job can read, the runner is told to mask before it is there."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from tests.apply.support import DONE, FAILED, only

if TYPE_CHECKING:
    from tests.apply.support import World
    from tooken_ci.base.secret import Secret


def test_masked_before_it_is_written(world: World) -> None:
    """The runner is told once, before the first write, and of the secret that is written then."""
    told: list[str] = []

    def mask(secret: Secret) -> None:
        told.append(secret.reveal())
        world.tell("masked")

    world.prepare(world.entry(to="a b"))
    world.context = dataclasses.replace(world.context, mask=mask)
    assert only(world.apply()).status is DONE
    assert told == [world.store("a").value()] == [world.store("b").value()]
    assert world.story.count("masked") == 1
    assert world.story.index("masked") < world.story.index("a: write")


def test_what_cannot_be_masked_is_not_written(world: World) -> None:
    """Where the runner cannot be told, the place gets nothing, and a token that nobody has goes again."""

    def mask(_: Secret) -> None:
        raise BrokenPipeError(32, "Broken pipe")

    world.prepare(world.entry())
    world.context = dataclasses.replace(world.context, mask=mask)
    result = only(world.apply())
    assert result.status is FAILED
    assert "could not be told to mask" in result.error
    assert "Broken pipe" in result.error
    assert not world.store("a").path.exists()
    assert world.active() == []

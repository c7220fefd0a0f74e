"""Saved plans as two runs have them: one saves what it sees, the other holds it against what it sees."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from tests.plan.builders import RUN
from tooken_ci.plan import since
from tooken_ci.plan.lifecycle import make_plan
from tooken_ci.plan.saved import SavedPlan, blocks_of, seen, steps_of
from tooken_ci.tooken.model import Status

if TYPE_CHECKING:
    from tests.plan.simulation import World
    from tooken_ci.plan.model import Plan

VERSION = "1.2.3"
URL = "https://api.tooken.io/v1"
DIGEST = "0" * 64


def saved_of(world: World) -> SavedPlan:
    """What ``plan --out`` saves."""
    plan = world.planned()
    return SavedPlan(
        tool_version=VERSION,
        workspace=world.spec.workspace,
        api_url=URL,
        spec=DIGEST,
        planned_at=plan.now,
        options={"allow_empty": False},
        blocked_by=blocks_of(plan),
        steps=steps_of(plan),
        seen=seen(world.spec, world.active, world.looks),
    )


def planned_again(world: World, saved: SavedPlan) -> Plan:
    """The plan that ``apply FILE`` makes."""
    return make_plan(
        world.spec,
        tokens=world.active,
        looks=world.looks,
        facts={token.id: token for token in world.tokens if token.status is not Status.ACTIVE},
        now=world.now,
        run=RUN,
        planned_at=saved.planned_at,
    )


def differing(world: World, saved: SavedPlan) -> list[str]:
    """What ``apply FILE`` finds to be different."""
    found = seen(world.spec, world.active, world.looks)
    return list(since.differences(saved, planned_again(world, saved), found))


def left_of(world: World, saved: SavedPlan) -> Plan:
    """What ``apply FILE`` goes by."""
    return since.narrowed(saved, planned_again(world, saved))


def with_spec_digest(world: World) -> World:
    return dataclasses.replace(world, spec=dataclasses.replace(world.spec, digest=DIGEST))

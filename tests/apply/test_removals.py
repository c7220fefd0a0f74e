"""What ``absent`` and ``prune`` ask for and cannot have, and what a fault of this program ends with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.apply.support import DONE, FAILED, REFUSED, SKIPPED, PatientClock, statuses
from tooken_ci.base.errors import BlockedError, ExitCode, IncompleteError, PartialError

if TYPE_CHECKING:
    import pytest

    from tests.apply.support import World
    from tooken_ci.tooken.model import Token

WIDE = "policy: {max_revocations: 9, max_changes: 9}\n"
FAULT = "a fault of tooken-ci itself (ZeroDivisionError)"


def taken_over(world: World) -> tuple[str, str]:
    """An entry ``new`` that takes the place of ``old``, and what the spec says of the latter."""
    old, new = f"{world.name}-old", f"{world.name}-new"
    world.serve(world.entry(old))
    world.sandbox.create(f"{world.name}-p-left")
    deliver = "deliver: [file: {path: a, takeover: true}]"
    return f"  {new}: {{scopes: [tokens:read], {deliver}}}\n", f"{WIDE}absent: [{old}]\nprune: ['{world.name}-p-*']\n"


def divide() -> None:
    """What a destination or a client with a fault does."""
    raise ZeroDivisionError


def test_what_is_still_held_has_failed(world: World) -> None:
    """What is absent and may still be held is no success, though all else was done; and nothing is pruned."""
    entry, more = taken_over(world)
    world.prepare(entry, more=more)
    path = world.store("a").path.with_name("a.tooken")

    def lose_the_record() -> None:
        path.unlink()
        path.mkdir()

    world.store("a").after["record"] = lose_the_record
    outcome = world.apply()
    assert [result.status for result in outcome.results] == [DONE, FAILED, SKIPPED]
    assert "'file a' still holds its secret" in outcome.results[1].error
    assert "something else failed" in outcome.results[2].error
    assert isinstance(outcome.verdict(), PartialError)
    assert world.active(f"{world.name}-old") == [f"{world.name}-old"]
    assert world.active(f"{world.name}-p-left") == [f"{world.name}-p-left"]


def test_what_is_still_held_where_nothing_was_changed(world: World) -> None:
    """Where nothing else was done the run ends as one that changed nothing."""
    entry, more = taken_over(world)
    world.store("a").before["mark"] = REFUSED
    world.prepare(entry, more=more)
    outcome = world.apply()
    assert [result.status for result in outcome.results] == [FAILED, FAILED, SKIPPED]
    verdict = outcome.verdict()
    assert isinstance(verdict, IncompleteError)
    assert verdict.exit_code is ExitCode.FAILED


def test_what_no_longer_is_to_be_revoked_is_no_failure(world: World) -> None:
    """What somebody else revoked, and what a fresh look keeps, is skipped, and the run ends well."""
    world.serve(world.entry())
    gone = world.sandbox.create(f"{world.name}-gone")
    world.prepare(world.entry(scopes="audit:read"), more=f"{WIDE}absent: [{world.name}-gone]\n")

    def meanwhile() -> None:
        world.sandbox.delete(f"/tokens/{gone['id']}")
        other = world.store("a")
        other.after.clear()
        other.leave_mark()

    world.store("a").after["record"] = meanwhile
    outcome = world.apply()
    assert [result.status for result in outcome.results] == [DONE, SKIPPED, SKIPPED]
    assert outcome.verdict() is None


def test_a_fault_in_a_check(world: World) -> None:
    """A fault while a destination is checked ends its own entry, untouched; the others are served."""
    names = [f"{world.name}-{letter}" for letter in "ab"]
    world.store("a").before["check"] = ZeroDivisionError()
    world.prepare(*(world.entry(name, to=name[-1]) for name in names), workers=2)
    outcome = world.apply()
    assert statuses(outcome) == [("create", names[0], FAILED), ("create", names[1], DONE)]
    assert outcome.results[0].error.startswith(FAULT)
    assert not outcome.results[0].unclear
    assert world.active(names[0]) == []


def test_a_fault_in_the_only_check(world: World) -> None:
    """A fault in the check of all there is to do ends a run that has changed nothing."""
    world.store("a").before["check"] = ZeroDivisionError()
    world.prepare(world.entry(to="a b"))
    outcome = world.apply()
    assert statuses(outcome) == [("create", world.name, FAILED)]
    assert not outcome.changed


def test_a_fault_at_the_second_look(world: World) -> None:
    """A fault while an entry that was busy is looked at again ends that entry alone; nothing of it was changed."""
    names = [f"{world.name}-{letter}" for letter in "ab"]
    for letter in "ab":
        world.store(letter).leave_mark(age=60)
    world.clock = PatientClock(world)
    world.prepare(*(world.entry(name, to=name[-1]) for name in names))
    world.store("a").before["check"] = ZeroDivisionError()
    outcome = world.apply()
    assert statuses(outcome) == [("create", names[0], FAILED), ("create", names[1], DONE)]
    assert outcome.results[0].error.startswith(FAULT)
    assert not outcome.results[0].unclear


def test_a_fault_in_a_removal(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault while a name is removed ends the removal of that name alone, and leaves unclear what became of it."""
    names = [f"{world.name}-{letter}" for letter in "ab"]
    for name in names:
        world.sandbox.create(name)
    world.sandbox.create(f"{world.name}-p-left")
    more = f"{WIDE}absent: [{', '.join(names)}]\nprune: ['{world.name}-p-*']\n"
    world.prepare(world.entry(f"{world.name}-z"), more=more)
    find_active = world.client.find_active

    def find(name: str) -> tuple[Token, ...]:
        if name == names[0]:
            divide()
        return find_active(name)

    monkeypatch.setattr(world.client, "find_active", find)
    outcome = world.apply()
    assert [result.status for result in outcome.results] == [DONE, FAILED, DONE, SKIPPED]
    assert outcome.results[1].error.startswith(FAULT)
    assert [result.unclear for result in outcome.results] == [False, True, False, False]
    assert (world.active(names[0]), world.active(names[1])) == ([names[0]], [])


def test_a_fault_before_a_removal(world: World) -> None:
    """A fault while it is asked who holds a name's secret revokes nothing of it, and leaves nothing unclear."""
    old, other = f"{world.name}-old", f"{world.name}-other"
    world.serve(world.entry(old))
    world.sandbox.create(other)
    world.prepare(world.entry(f"{world.name}-new"), more=f"{WIDE}absent: [{old}, {other}]\n")
    world.store("a").before["look"] = divide
    outcome = world.apply()
    assert [(result.token, result.status, result.unclear) for result in outcome.results] == [
        (old, FAILED, False),
        (other, DONE, False),
    ]
    assert outcome.results[0].error.startswith(FAULT)
    assert world.active(old) == [old]
    assert isinstance(outcome.verdict(), PartialError)
    assert not isinstance(outcome.verdict(), BlockedError)

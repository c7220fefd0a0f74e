"""Random specs, random edits in the dashboard and in the stores, random faults: whatever happens, it settles."""

from __future__ import annotations

import os
import re
import shlex
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from tests.crash.matrix import by_chance
from tests.crash.rig import Rig
from tests.crash.scenarios import DAY, FOREIGN, entry, spec, store
from tests.crash.settle import in_the_end, pending
from tests.crash.stage import Harms
from tests.crash.store import Harm
from tooken_ci.base import naming

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.crash.rig import Kept
    from tests.crash.zygote import Ended

EXAMPLES = int(os.environ.get("CRASH_EXAMPLES", "6"))
PLACES = {"ci": "abc", "other": "xy"}
ENTRIES = st.sampled_from(sorted(PLACES))
SEEDS = st.integers(0, 10**6)
TIMES = st.sampled_from([60.0, 1200.0, 7200.0, DAY, 20 * DAY])
SETTLING = 8
"""So many runs at the most, of which some may only do what frees a place."""

_FREES = re.compile(r"'tooken-ci (revoke [\w.-]+)'")

of_entries = st.fixed_dictionaries(
    {
        "scopes": st.sampled_from([["tokens:read"], ["audit:read"], ["tokens:read", "audit:read"]]),
        "expires_in": st.sampled_from(["90d", "30d", None]),
        "rotation": st.sampled_from(
            [
                {"overlap": 0},
                {"overlap": "24h"},
                {"every": "10d", "overlap": 0},
                {"every": "10d", "overlap": "24h"},
                {"every": "10d", "overlap": 0, "strategy": "in_place"},
            ]
        ),
        "places": st.integers(1, 7),
        "readable": st.booleans(),
    }
)


class Anything(RuleBasedStateMachine):
    """A team, its colleagues in the dashboard, and a network that breaks."""

    rig: Rig
    kept: Kept

    @initialize()
    def begin(self) -> None:
        self.rig.put_back(self.kept)
        self.declared: dict[str, dict[str, Any]] = {}
        self._write()

    def _write(self, **more: Any) -> None:
        self.rig.write(spec({name: dict(one) for name, one in self.declared.items()}, **more))

    @rule(name=ENTRIES, of=of_entries)
    def declare(self, name: str, of: dict[str, Any]) -> None:
        """The team declares an entry, or declares it otherwise."""
        chosen = [place for bit, place in enumerate(PLACES[name]) if of["places"] >> bit & 1] or PLACES[name][:1]
        places = [store(self.rig, place, readable=of["readable"]) for place in chosen]
        made = entry(*places, scopes=of["scopes"], rotation=of["rotation"], expires_in=of["expires_in"])
        if made["expires_in"] is None:
            del made["expires_in"]
        self.declared[name] = made
        self._write()

    @rule(name=ENTRIES)
    def remove(self, name: str) -> None:
        """The team wants an entry no longer."""
        if self.declared.pop(name, None) is not None:
            self._write(absent=[name])

    @rule(index=st.integers(0, 9))
    def revoke_in_the_dashboard(self, index: int) -> None:
        """A colleague revokes a token."""
        if living := self._living():
            self.rig.stage.call("DELETE", f"/tokens/{living[index % len(living)]}")

    @rule(index=st.integers(0, 9))
    def rotate_in_the_dashboard(self, index: int) -> None:
        """A colleague rotates a token that rotates in place; only for those is the audit log read, which tells."""
        in_place = {name for name, one in self.declared.items() if one["rotation"].get("strategy") == "in_place"}
        if living := self._living(in_place):
            self.rig.advance(60)  # within seconds of our own one it could not be told apart
            self.rig.stage.call("POST", f"/tokens/{living[index % len(living)]}/rotate")

    @rule(index=st.integers(0, 4), value=st.sampled_from([None, "something-else-entirely"]), record=st.booleans())
    def edit_a_store(self, index: int, value: str | None, *, record: bool) -> None:
        """Somebody edits or empties a store, or loses its record; what cannot be read is missed by its record alone."""
        programs = [item["exec"] for one in self.declared.values() for item in one["deliver"]]
        readable = {program["name"] for program in programs if "read" in program}
        shelves = self.rig.stage.store.shelves
        if names := sorted(shelves):
            name = names[index % len(names)]
            shelves[name].value = value
            if record or name not in readable:
                shelves[name].record = ""

    @rule(seconds=TIMES)
    def let_time_pass(self, seconds: float) -> None:
        """Nothing happens for a while."""
        self.rig.advance(seconds)

    @rule(seed=SEEDS, workers=st.sampled_from(["1", "8"]), grace=st.sampled_from(["0", "3m"]))
    def apply_with_harm(self, seed: int, workers: str, grace: str) -> None:
        """A run comes to harm, some requests of it at least."""
        self._apply("--workers", workers, "--busy-grace", grace, harms=Harms(harm=by_chance(seed)))

    @rule(number=st.integers(1, 6), harm=st.sampled_from(list(Harm)))
    def apply_with_a_store_that_fails(self, number: int, harm: Harm) -> None:
        """A run comes to harm at one of its writes."""
        self._apply(write=(number, harm))

    def _apply(self, *options: str, **harm: Any) -> Ended:
        ended = self.rig.run("apply", *options, **harm)
        note(f"exit code {ended.code}\n{ended.err}")
        return ended

    @invariant()
    def nothing_that_must_not_be(self) -> None:
        """No dead secret, nothing foreign touched, no fifth generation, no leak."""
        assert self.rig.watch.violations == []

    def teardown(self) -> None:
        """In the end it settles: an empty plan, one living generation of each entry, at each of its destinations."""
        if not hasattr(self, "declared"):
            return
        self._write()
        self.rig.advance(300)
        for _ in range(SETTLING):
            if not pending(self.rig):
                break
            ended = self._apply("--busy-grace", "0", "--revoke-used")
            if frees := _FREES.search(ended.err):
                self.rig.run(*shlex.split(frees[1]), "--yes")
        assert not pending(self.rig), self.rig.plan()
        self.rig.advance(3 * DAY)
        self._apply("--busy-grace", "0", "--revoke-used")
        assert [*in_the_end(self.rig), *self.rig.watch.violations] == []

    def _living(self, entries: Iterable[str] = PLACES) -> list[str]:
        rows = self.rig.stage.do(lambda: self.rig.stage.rows("SELECT id, name FROM tokens WHERE status = 'active'"))
        return [row["id"] for row in rows if naming.split(row["name"])[0] in entries]


@pytest.fixture(scope="module")
def machine() -> Iterator[type[Anything]]:
    """Gives the machine on a workspace with strangers in it."""
    with tempfile.TemporaryDirectory(prefix="crash-") as folder, Rig(Path(folder)) as rig:
        for name in FOREIGN:
            made = rig.stage.call("POST", "/tokens", {"name": name, "scopes": ["tokens:read"]})
            rig.watch.foreign.add(made["id"])
        Anything.rig, Anything.kept = rig, rig.keep()
        yield Anything


@pytest.mark.timeout(900)
def test_whatever_happens_it_settles(machine: type[Anything]) -> None:
    """Random specs, edits by hand and faults never leave a dead secret, and a few runs mend all."""
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=14,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )

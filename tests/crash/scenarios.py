"""The situations in which a run comes to harm: what was there before, what the spec says now, and what is run."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tests.crash.rig import Rig

DAY = 86_400.0
HOUR = 3_600.0
FOREIGN = ("somebody", "preview.e-9-1-other")
JOB = {"CI": "true", "GITLAB_CI": "true", "CI_PIPELINE_ID": "77", "CI_JOB_ID": "123"}
APPLY = ("apply", "--workers", "1", "--busy-grace", "0")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Scenario:
    """One situation.

    Attributes:
        name: what it is called in the report.
        before: what happened before, without harm.
        spec: gives the spec as it is now; None = as it was.
        command: what comes to harm.
        again: what is run afterwards, until nothing is left to do.
        environment: what the runs find in their environment.
        key_at: the destination that holds the key of every run; empty = the workspace's own API key.
        failing: by destination, how many of its secrets it refuses, from the run that comes to harm on.
        heals: the destinations that fail do so for ever, until somebody mends them.
        lease: the entry is ephemeral, so that its end is a release, or its expiry.
        pause: seconds that go by between two runs.
        protected: an entry whose change of scopes is refused in every run, and whose token nobody may touch.
    """

    name: str
    before: Callable[[Rig], None]
    spec: Callable[[Rig], Mapping[str, Any]] | None = None
    command: Sequence[str] = APPLY
    again: Sequence[str] = APPLY
    environment: Mapping[str, str] = dataclasses.field(default_factory=dict)
    key_at: str = ""
    failing: Mapping[str, float] = dataclasses.field(default_factory=dict)
    lease: bool = False
    pause: float = 0.0
    protected: str = ""

    @property
    def code(self) -> int:
        """How a run ends that comes to no harm."""
        return 5 if self.protected else 3 if self.failing else 0

    def prepare(self, rig: Rig) -> None:
        """Brings a workspace with strangers in it to where the run begins."""
        for name in FOREIGN:
            made = rig.stage.call("POST", "/tokens", {"name": name, "scopes": ["tokens:read"]})
            rig.watch.foreign.add(made["id"])
        rig.environment = self.environment
        self.before(rig)
        if self.spec is not None:
            rig.write(self.spec(rig))
        if self.protected:
            rows = rig.stage.do(lambda: rig.stage.rows("SELECT id FROM tokens WHERE name = ?", self.protected))
            rig.watch.foreign.add(rows[0]["id"])
        if self.key_at:
            rig.key = lambda: rig.stage.store.shelves[self.key_at].value or ""


def store(rig: Rig, name: str, *, readable: bool = True) -> dict[str, Any]:
    """A destination behind a program."""
    client = [str(rig.stage.client)]
    settings: dict[str, Any] = {"name": name, "write": client, "record": client, "refused": 75}
    return {"exec": settings | ({"read": client} if readable else {})}


def file(path: str) -> dict[str, Any]:
    """A destination that is a file."""
    return {"file": {"path": path, "persistent": True}}


def entry(*deliver: Mapping[str, Any], scopes: Sequence[str] = ("tokens:read",), **more: Any) -> dict[str, Any]:
    """An entry whose older generations go at once, unless it is told otherwise."""
    return {
        "scopes": list(scopes),
        "expires_in": "90d",
        "rotation": {"overlap": 0},
        "deliver": [dict(one) for one in deliver],
        **more,
    }


def spec(tokens: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """A spec."""
    return {"version": 1, "workspace": "test", "tokens": dict(tokens), **more}


def applied(tokens: Callable[[Rig], Mapping[str, Any]], *, later: float = 0.0) -> Callable[[Rig], None]:
    """What happened before: a spec was applied, and some seconds went by."""

    def before(rig: Rig) -> None:
        rig.write(spec(tokens(rig)))
        ended = rig.run(*APPLY)
        assert ended.code == 0, ended.err
        rig.advance(later + 5 * 60)

    return before


def _nothing(_: Rig) -> None:
    """What happened before: nothing."""


def two(rig: Rig, **changed: Any) -> dict[str, Any]:
    """Two entries with a destination each, of which the first may be declared otherwise."""
    return {"ci": entry(store(rig, "a"), **changed), "other": entry(store(rig, "x"))}


def _rotating(rig: Rig, **rotation: Any) -> dict[str, Any]:
    return {"ci": entry(store(rig, "a"), store(rig, "b"), rotation={"every": "30d", **rotation})}


def _three(rig: Rig, *, readable: bool = True, **changed: Any) -> dict[str, Any]:
    places = [store(rig, name, readable=readable) for name in "abc"]
    return {"ci": entry(*places, **changed)}


def _failing(name: str, times: float, *, readable: bool) -> Scenario:
    return Scenario(
        name=name,
        before=applied(lambda rig: _three(rig, readable=readable)),
        spec=lambda rig: spec(_three(rig, readable=readable, scopes=["audit:read"])),
        failing={"b": times},
    )


def _removal_before(rig: Rig) -> None:
    applied(lambda rig: {**two(rig), "old": entry(store(rig, "z"))})(rig)
    rig.stage.call("POST", "/tokens", {"name": "tmp-1", "scopes": ["tokens:read"]})


def _leasing(_: Rig) -> dict[str, Any]:
    lease = {"ephemeral": True, "expires_in": "1h", "scopes": ["tokens:read"]}
    return {"preview": {**lease, "deliver": [{"job": {"file": "out/preview"}}]}}


def _leased(rig: Rig) -> None:
    rig.write(spec(_leasing(rig)))
    ended = rig.run("lease", "preview")
    assert ended.code == 0, ended.err


OWN = ("tokens:read", "tokens:write", "tokens:revoke")


def _own(rig: Rig, **changed: Any) -> dict[str, Any]:
    return {"provisioner": entry(store(rig, "p"), **{"scopes": OWN, **changed}), "ci": entry(store(rig, "a"))}


def _own_before(rig: Rig) -> None:
    rig.write(spec(_own(rig), self="provisioner"))
    ended = rig.run(*APPLY)
    assert ended.code == 0, ended.err
    rig.advance(5 * 60)


SCENARIOS = (
    Scenario(name="first apply", before=_nothing, spec=lambda rig: spec(two(rig))),
    Scenario(
        name="scope change",
        before=applied(two),
        spec=lambda rig: spec(two(rig, scopes=["audit:read"])),
    ),
    Scenario(name="renewal", before=applied(two, later=61 * DAY)),
    Scenario(
        name="rotation, overlap 0",
        before=applied(lambda rig: _rotating(rig, overlap=0), later=30 * DAY),
    ),
    Scenario(
        name="rotation, overlap 24 h",
        before=applied(lambda rig: _rotating(rig, overlap="24h"), later=30 * DAY),
    ),
    Scenario(
        name="rotation in place",
        before=applied(lambda rig: _rotating(rig, overlap=0, strategy="in_place"), later=30 * DAY),
    ),
    _failing("the second of three fails once", 1, readable=True),
    _failing("the second of three fails ten times", 10, readable=True),
    _failing("the second of three fails for ever", math.inf, readable=True),
    _failing("the second of three, none of them readable, fails for ever", math.inf, readable=False),
    Scenario(
        name="a destination added",
        before=applied(lambda rig: {"ci": entry(store(rig, "a"))}),
        spec=lambda rig: spec({"ci": entry(store(rig, "a"), store(rig, "b"))}),
    ),
    Scenario(
        name="rename",
        before=applied(lambda rig: {"old": entry(store(rig, "a"))}),
        spec=lambda rig: spec({"new": entry(store(rig, "a"), previously=["old"])}),
    ),
    Scenario(
        name="removal",
        before=_removal_before,
        spec=lambda rig: spec(two(rig), absent=["old"], prune=["tmp-*"], policy={"max_revocations": 5}),
    ),
    Scenario(
        name="a protected entry's scopes changed",
        before=applied(lambda rig: {**two(rig), "vip": entry(store(rig, "v"), protected=True)}),
        spec=lambda rig: spec(
            {
                **two(rig, scopes=["audit:read"]),
                "vip": entry(store(rig, "v"), protected=True, scopes=["tokens:read", "audit:read"]),
            }
        ),
        protected="vip",
    ),
    Scenario(
        name="files",
        before=applied(lambda _: {"ci": entry(file("out/a"), file("out/b"))}),
        spec=lambda _: spec({"ci": entry(file("out/a"), file("out/b"), scopes=["audit:read"])}),
    ),
    Scenario(
        name="self",
        before=_own_before,
        spec=lambda rig: spec(_own(rig, scopes=[*OWN, "audit:read"]), self="provisioner"),
        key_at="p",
    ),
    Scenario(
        name="lease",
        before=lambda rig: rig.write(spec(_leasing(rig))),
        command=("lease", "preview"),
        again=("release",),
        environment=JOB,
        lease=True,
    ),
    Scenario(name="release", before=_leased, command=("release",), again=("release",), environment=JOB, lease=True),
)

AT_ONCE = {
    "first apply",
    "scope change",
    "renewal",
    "rotation, overlap 0",
    "rotation, overlap 24 h",
    "rotation in place",
    "a destination added",
    "rename",
    "removal",
    "files",
}
"""The scenarios that are also tried with two runs at once."""

STORES = ("vault", "github_secret", "github_secret, record: none", "aws_secret")
"""The real stores on whose wires writes come to harm as well."""

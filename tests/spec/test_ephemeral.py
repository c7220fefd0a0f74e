"""Ephemeral entries: each of their tokens is a lease, made for one job."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tooken_ci.base.errors import SpecError
from tooken_ci.destinations.exec_store import ExecDestination
from tooken_ci.destinations.interface import Surroundings
from tooken_ci.destinations.registry import Registry
from tooken_ci.spec.load import load
from tooken_ci.spec.policy import breaches

if TYPE_CHECKING:
    from pathlib import Path

    from tooken_ci.spec.model import Spec

JOB = "deliver: [job: {env: TOKEN}]"


def loaded(folder: Path, *entries: str, top: str = "") -> Spec:
    """A spec of entries that are written in flow style, one to a line."""
    path = folder / "a.yml"
    path.write_text(f"version: 1\n{top}tokens:\n" + "".join(f"  {entry}\n" for entry in entries), encoding="utf-8")
    return load([str(path)], kinds=Registry(Surroundings()).kinds)


def faults(folder: Path, *entries: str, top: str = "") -> list[str]:
    with pytest.raises(SpecError) as caught:
        loaded(folder, *entries, top=top)
    return [str(fault).replace(f"{folder}/", "") for fault in caught.value.faults]


@pytest.mark.parametrize("record", ["", ", record: [r]"])
def test_programs_take_leases(tmp_path: Path, record: str) -> None:
    """A lease may go to a store behind programs, whose record, if one is given, is not kept."""
    exec_ = f"deliver: [exec: {{name: shop, write: [w]{record}}}]"
    entry = f"a: {{ephemeral: true, expires_in: 1h, scopes: [tokens:read], {exec_}}}"
    ((target,),) = [entry.deliver for entry in loaded(tmp_path, entry).leases]
    assert target.ephemeral
    opened = Registry(Surroundings()).open(target)
    assert isinstance(opened, ExecDestination)
    assert opened._programs.record == ()


def test_they_stand_apart(tmp_path: Path) -> None:
    """Ephemeral entries are no entries to plan; several may hand over the same variable, since each has its own job."""
    spec = loaded(
        tmp_path,
        f"one: {{ephemeral: true, expires_in: 1h, scopes: [tokens:read], {JOB}}}",
        f"two: {{ephemeral: true, scopes: [tokens:read], {JOB}}}",
        top="defaults: {expires_in: 24h, rotation: {every: 30d}}\n",
    )
    assert spec.entries == ()
    assert [(entry.name, entry.expires_in) for entry in spec.leases] == [
        ("one", timedelta(hours=1)),
        ("two", timedelta(hours=24)),
    ]
    assert all(entry.ephemeral and entry.rotate_every is None for entry in spec.leases)
    assert spec.warnings == ()


@pytest.mark.parametrize(
    ("entry", "fault"),
    [
        (f"a: {{ephemeral: true, scopes: [tokens:read], {JOB}}}", "needs an end"),
        (f"a: {{ephemeral: true, expires_in: 2d, scopes: [tokens:read], {JOB}}}", "lives for 1d at most"),
        ("a: {ephemeral: true, expires_in: 1h, scopes: [tokens:read]}", "needs a destination"),
        ("a: {ephemeral: true, expires_in: 1h, scopes: [tokens:read], deliver: [file: {path: x}]}", "outlives the job"),
        (f"a: {{scopes: [tokens:read], expires_in: 90d, {JOB}}}", "would be gone with the job"),
        ("a: {scopes: [tokens:read], expires_in: 90d, deliver: [exec: {name: x, write: [w]}]}", "lacks 'record'"),
        (f"{'a' * 51}: {{ephemeral: true, expires_in: 1h, scopes: [tokens:read], {JOB}}}", "at most 50"),
        *(
            (f"a: {{ephemeral: true, expires_in: 1h, scopes: [tokens:read], {JOB}, {key}}}", "means nothing")
            for key in (
                "rotation: {every: 30d}",
                "protected: true",
                "renew_before: 10%",
                "runs_every: 1h",
                "previously: [b]",
                "expires_at: 2099-01-01T00:00:00Z",
            )
        ),
    ],
)
def test_what_they_cannot_say(tmp_path: Path, entry: str, fault: str) -> None:
    """What makes no sense for the token of one job is an error on its line that says what would."""
    (told,) = faults(tmp_path, entry)
    assert told.startswith("a.yml:3:")
    assert fault in told


@pytest.mark.parametrize(
    "name",
    ["PATH", "path", "LD_PRELOAD", "NODE_OPTIONS", "GITHUB_TOKEN", "RUNNER_TEMP", "BASH_ENV", "PYTHONPATH", "GIT_SSH"],
)
def test_variables_that_steer_other_programs(tmp_path: Path, name: str) -> None:
    """A secret may not stand where it would change what later steps run."""
    entry = f"a: {{ephemeral: true, expires_in: 1h, scopes: [tokens:read], deliver: [job: {{env: {name}}}]}}"
    (told,) = faults(tmp_path, entry)
    assert f"'{name}' steers" in told


@pytest.mark.parametrize("job", ["{}", "{env: A-B}", "{env: ''}", "{output: 'a b'}", "{file: ''}", "{what: x}"])
def test_settings_that_are_none(tmp_path: Path, job: str) -> None:
    """At least one place must be named, and names must be such as a runner takes."""
    assert faults(tmp_path, f"a: {{ephemeral: true, expires_in: 1h, scopes: [tokens:read], deliver: [job: {job}]}}")


def test_the_policy_holds(tmp_path: Path) -> None:
    """The team's policy is for ephemeral entries as well."""
    spec = loaded(
        tmp_path,
        f"a: {{ephemeral: true, expires_in: 1h, scopes: [webhooks:write], {JOB}}}",
        top="policy: {forbidden_scopes: [webhooks:write]}\n",
    )
    assert [breach.rule for breach in breaches(spec)] == ["forbidden_scopes"]


def test_none_of_them_runs_tooken_ci(tmp_path: Path) -> None:
    """A lease ends with its job, so 'self' cannot name one; nor is it asked for when a lease may write tokens."""
    powers = "scopes: [tokens:read, tokens:write, tokens:revoke]"
    lease = f"one: {{ephemeral: true, expires_in: 1h, {powers}, {JOB}}}"
    assert faults(tmp_path, lease, top="self: one\n") == [
        (
            "a.yml:2:7: 'self' names 'one', which is ephemeral: its tokens are leases of one job. "
            "Name an entry that is delivered to a store that is kept."
        )
    ]
    assert loaded(tmp_path, lease, top="defaults: {rotation: {overlap: 0}}\n").leases

"""A fleet as the list of jobs of a CI system: its form, its parts, and what of it changed."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tooken_ci.ci.host import HostKind
from tooken_ci.ci.matrix import SYSTEMS, as_json, changed, part_of, system_for, too_many
from tooken_ci.spec.fleet import Workspace

if TYPE_CHECKING:
    from pathlib import Path

GITHUB, GITLAB = SYSTEMS["github"], SYSTEMS["gitlab"]


def fleet_of(number: int) -> list[Workspace]:
    return [Workspace(name=f"w{n:04}", path=f"fleet/{n}", files=(f"fleet/{n}/x.yml",)) for n in range(number)]


def test_the_form_of_github() -> None:
    """GitHub takes an object whose 'include' has one object for each job."""
    text = as_json([Workspace(name="eu-1", path="fleet/ü", files=())], GITHUB)
    assert text.isascii()
    assert json.loads(text) == {"include": [{"workspace": "eu-1", "spec": "fleet/ü"}]}


def test_the_form_of_gitlab() -> None:
    """GitLab takes a list of sets of variables; the command reads its spec from one of them."""
    text = as_json(fleet_of(2), GITLAB)
    assert "\n" not in text
    assert json.loads(text)[1] == {"WORKSPACE": "w0001", "TOOKEN_SPEC": "fleet/1"}


def test_an_empty_list_is_json_too() -> None:
    """What the examples compare with to start no job at all."""
    assert as_json([], GITHUB) == '{"include":[]}'
    assert as_json([], GITLAB) == "[]"


def test_the_system_it_runs_in() -> None:
    """GitLab has its own form; everywhere else it is GitHub's."""
    assert system_for(HostKind.GITLAB) is GITLAB
    assert {system_for(kind) for kind in HostKind if kind is not HostKind.GITLAB} == {GITHUB}


@given(st.integers(0, 600), st.integers(1, 9))
def test_the_parts_are_the_whole(number: int, parts: int) -> None:
    """Together the parts are the list, in its order, and they are as large as each other, or by one larger."""
    fleet = fleet_of(number)
    cut = [part_of(fleet, (one, parts)) for one in range(1, parts + 1)]
    assert [workspace for part in cut for workspace in part] == fleet
    assert max(map(len, cut)) - min(map(len, cut)) <= 1


@pytest.mark.parametrize(
    ("number", "parts", "system", "needed"),
    [(256, 1, GITHUB, 0), (257, 1, GITHUB, 2), (500, 1, GITHUB, 2), (200, 1, GITLAB, 0), (500, 1, GITLAB, 3)],
)
def test_more_than_a_system_takes(number: int, parts: int, system: object, needed: int) -> None:
    """A list that is too long for the system is told, with the number of parts that would do."""
    told = too_many(fleet_of(number), parts, system)  # type: ignore[arg-type]
    assert (f"--part 1/{needed}" in told) if needed else told == ""
    if needed:
        assert not too_many(part_of(fleet_of(number), (1, needed)), needed, system)  # type: ignore[arg-type]


def test_a_part_that_is_still_too_long() -> None:
    """One part of two is told of as what it is: all need more parts."""
    assert "--part 1/4" in too_many(part_of(fleet_of(1000), (2, 2)), 2, GITHUB)


def _planted(top: Path) -> dict[str, Workspace]:
    (top / "fleet" / "b").mkdir(parents=True)
    for name in ("fleet/a.yml", "fleet/b/x.yml", "shared.yml"):
        (top / name).write_text("", encoding="utf-8")
    (top / "fleet" / "c.yml").symlink_to("../shared.yml")
    files = {"a": ("fleet/a.yml",), "b": ("fleet/b/x.yml",), "c": ("fleet/c.yml",)}
    paths = {"a": "fleet/a.yml", "b": "fleet/b", "c": "fleet/c.yml"}
    return {name: Workspace(name=name, path=paths[name], files=files[name]) for name in files}


@pytest.mark.parametrize(
    ("file", "names"),
    [
        ("fleet/a.yml", "a"),
        ("fleet/b/x.yml", "b"),
        ("fleet/b/gone.yml", "b"),
        ("fleet/b/gone.yaml", "b"),
        ("fleet/b/README.md", ""),
        ("fleet/b/.hidden.yml", ""),
        ("fleet/b/deeper/x.yml", ""),
        ("fleet/gone.yml", ""),
        ("fleet/c.yml", "c"),
        ("shared.yml", "c"),
        ("elsewhere/a.yml", ""),
    ],
)
def test_what_a_changed_file_belongs_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, names: str) -> None:
    """A file of the spec, one that is gone from its folder, a link to one, and what the link leads to."""
    monkeypatch.chdir(tmp_path)
    fleet = _planted(tmp_path)
    listed = changed(list(fleet.values()), {os.path.join(os.path.realpath(tmp_path), file)})  # noqa: PTH118
    assert "".join(workspace.name for workspace in listed) == names

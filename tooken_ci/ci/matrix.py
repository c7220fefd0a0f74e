"""A fleet as the list of jobs that a CI system takes: one job a workspace."""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from tooken_ci.ci.host import HostKind
from tooken_ci.spec.files import is_spec_name

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from tooken_ci.spec.fleet import Workspace


@dataclasses.dataclass(frozen=True, kw_only=True)
class System:
    """How a CI system takes a list of jobs.

    Attributes:
        title: its name, for people.
        most: the jobs that it makes of one list.
        name: the key, or the variable, that has a workspace's name.
        path: the one that has the path of its spec.
        under: the key that the list stands under; empty = none.
    """

    title: str
    most: int
    name: str
    path: str
    under: str = ""


SYSTEMS = {
    "github": System(title="GitHub", most=256, name="workspace", path="spec", under="include"),
    # GitLab makes variables of them; the command itself reads the path out of TOOKEN_SPEC
    "gitlab": System(title="GitLab", most=200, name="WORKSPACE", path="TOOKEN_SPEC"),
}


def system_for(kind: HostKind) -> System:
    """The system that the command runs in; GitHub's form, which suits programs too, everywhere else."""
    return SYSTEMS["gitlab" if kind is HostKind.GITLAB else "github"]


def as_json(fleet: Sequence[Workspace], system: System) -> str:
    """The list on one line of ASCII, so that it goes through a step's output and a shell's variable as it is."""
    rows = [{system.name: workspace.name, system.path: workspace.path} for workspace in fleet]
    return json.dumps({system.under: rows} if system.under else rows, separators=(",", ":"))


def part_of(fleet: Sequence[Workspace], part: tuple[int, int]) -> Sequence[Workspace]:
    """The part with a number, from 1, of so many; together they are all, and none is larger than another by two."""
    number, parts = part
    return fleet[len(fleet) * (number - 1) // parts : len(fleet) * number // parts]


def too_many(fleet: Sequence[Workspace], parts: int, system: System) -> str:
    """What to tell where a list, one of so many parts, is longer than the system takes; empty where it is not."""
    if len(fleet) <= system.most:
        return ""
    needed = -(-len(fleet) * parts // system.most)
    return (
        f"{len(fleet)} workspaces are more than the {system.most} jobs that {system.title} makes of one list: "
        f"take it in {needed} parts, with --part 1/{needed} to --part {needed}/{needed}."
    )


def changed(fleet: Sequence[Workspace], files: Collection[str]) -> list[Workspace]:
    """The workspaces of whose specs a file is among those; one that is no longer there counts for its folder."""
    touched = set(files)
    folders = {os.path.dirname(file) for file in files if is_spec_name(os.path.basename(file))}  # noqa: PTH119, PTH120
    return [one for one in fleet if _standing(one) & touched or os.path.realpath(one.path) in folders]


def _standing(workspace: Workspace) -> set[str]:
    """The real paths of its files: where each stands, and what it leads to if it is a link."""
    paths = {str(Path(file).parent.resolve() / Path(file).name) for file in workspace.files}
    return paths | {os.path.realpath(file) for file in workspace.files}

"""A fleet: the workspaces whose specs stand under one folder."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from tooken_ci.base.errors import Fault, SpecError, UsageError
from tooken_ci.base.position import Position
from tooken_ci.base.text import quoted
from tooken_ci.spec.files import is_spec
from tooken_ci.spec.load import load

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tooken_ci.spec.kinds import DestinationKind
    from tooken_ci.spec.load import Others

LONGEST_NAME = 63
"""Characters. A system makes names of jobs and environments of it, which may have 255 in all."""

LONGEST_PATH = 150

_PLAIN = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
_UNFIT = re.compile(r"[^A-Za-z0-9]+")
_HARMLESS_PATH = re.compile(r"[\w.@+=,~/ -]+")
"""What no shell and no CI system takes for anything but a part of a path; a space parts words, and nothing else."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Workspace:
    """One workspace of a fleet.

    Attributes:
        name: its label, or what stands for it where the label is not fit to name a job (see ``name_for``).
        path: what ``--spec`` takes to load exactly this workspace: a file or a folder.
        files: what that loads.
    """

    name: str
    path: str
    files: tuple[str, ...]


def name_for(label: str) -> str:
    """A name for jobs, environments and variables, in which no system finds anything but a name.

    It is the label itself where that is made of ASCII letters and digits, with ``.``, ``_`` and ``-`` inside; of any
    other label what is fit of it, and 8 digits of its SHA-256.
    """
    if _PLAIN.fullmatch(label) and len(label) <= LONGEST_NAME:
        return label
    digest = hashlib.sha256(label.encode()).hexdigest()[:8]
    fit = _UNFIT.sub("-", label)[: LONGEST_NAME - len(digest) - 1].strip("-")
    return f"{fit}-{digest}" if fit else digest


def find_fleet(folder: str, *, kinds: Sequence[DestinationKind], others: Others | None = None) -> tuple[Workspace, ...]:
    """The workspaces under a folder, sorted by name, each of a spec that is valid.

    Each file of a spec that stands in the folder itself is one, and so is each folder below it, at any depth, that
    holds such files. Hidden files and folders, and links to folders, are passed over.

    Raises:
        UsageError: there is no such folder, none of it is a spec, or a path is not fit for a CI system.
        SpecError: specs are not valid, or two workspaces have one name; it carries every fault of all of them.
    """
    found: list[Workspace] = []
    faults: list[Fault] = []
    paths = list(_paths(folder))
    if not paths:
        raise UsageError(
            f"No workspace was found under {quoted(folder)}.",
            hint="Put one file, or one folder of files, named *.yml or *.yaml there for each workspace.",
        )
    for path in paths:
        _demand_harmless(path)
        try:
            spec = load([path], kinds=kinds, others=others)
        except SpecError as error:
            faults += error.faults
        else:
            found.append(Workspace(name=name_for(spec.workspace), path=path, files=spec.files))
    faults += _named_twice(found)
    if faults:
        raise SpecError(faults)
    return tuple(sorted(found, key=lambda workspace: workspace.name))


def _paths(folder: str) -> Iterator[str]:
    def refuse(error: OSError) -> None:
        raise UsageError(f"The folder {quoted(str(error.filename))} cannot be read: {error.strerror}.") from error

    if not os.path.isdir(folder):  # noqa: PTH112  # a path with a NUL is no folder either
        raise UsageError(f"There is no folder {quoted(folder)}.", hint="Name the one that holds the specs.")
    for parent, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        specs = sorted(name for name in names if is_spec(Path(parent, name)))
        if Path(parent) == Path(folder):
            yield from (str(Path(folder, name)) for name in specs)
        elif specs:
            yield str(Path(parent))


def _demand_harmless(path: str) -> None:
    if not _HARMLESS_PATH.fullmatch(path) or path != path.strip() or len(path) > LONGEST_PATH:
        raise UsageError(
            f"The path {quoted(path)} is not fit for a CI system.",
            hint=f"Give it at most {LONGEST_PATH} characters: letters, digits, spaces and any of . _ - @ + = , ~",
        )


def _named_twice(found: Sequence[Workspace]) -> Iterator[Fault]:
    """Two of one name would get one job's key; GitHub tells environments apart by more than the case of letters."""
    first: dict[str, Workspace] = {}
    for workspace in found:
        other = first.setdefault(workspace.name.casefold(), workspace)
        if other is workspace:
            continue
        same = "has the name" if other.name == workspace.name else "differs in case alone from the name"
        yield Fault(
            Position(workspace.files[0], 1, 1),
            f"The workspace {quoted(workspace.name)} {same} of that in {quoted(other.path)}.",
            hint="Give each of the two a label of its own, with 'workspace:'.",
        )

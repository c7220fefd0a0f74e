"""From the paths a user names to the checked spec."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tooken_ci.base.errors import Fault, SpecError
from tooken_ci.base.position import Position
from tooken_ci.spec import files
from tooken_ci.spec.build import Part, build
from tooken_ci.spec.limits import MOST_FAULTS, too_many
from tooken_ci.spec.merge import conflicts, merge
from tooken_ci.spec.shown import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tooken_ci.spec.kinds import DestinationKind
    from tooken_ci.spec.model import Spec

_BEGINNING = "Begin it with 'version: 1', then 'tokens:' and the tokens by name."


def load(paths: Sequence[str], *, kinds: Sequence[DestinationKind]) -> Spec:
    """Read the spec and check all of it.

    Args:
        paths: files, and folders, of which every ``.yml`` and ``.yaml`` file is read (not those of folders inside).
        kinds: the kinds of destination that ``deliver`` may name.

    Raises:
        UsageError: a path leads nowhere or cannot be read.
        SpecError: the spec is not valid; it carries every fault of every file, in the order of files and lines.
    """
    names = files.find(paths)
    faults: list[Fault] = []
    parts: list[Part] = []
    for name in names:
        try:
            part = _part(name, kinds)
        except SpecError as error:
            faults.extend(error.faults)
        else:
            parts.append(part)
            faults.extend(part.faults)
    faults.extend(conflicts(parts))
    if faults:
        order = {name: index for index, name in enumerate(names)}
        faults.sort(key=lambda fault: (order[fault.position.file], fault.position))
        raise SpecError(faults)
    return merge(parts)


def _part(file: str, kinds: Sequence[DestinationKind]) -> Part:
    # Only here, because YAML takes longer to import than `tooken-ci --version` to run.
    from tooken_ci.spec.compose import compose

    document, faults = compose(files.read(file), file)
    if not isinstance(document.data, dict):
        start = Position(file, *document.start)
        message = (
            "The file is empty." if document.data is None else f"A spec is a mapping; found {shown(document.data)}."
        )
        raise SpecError([*faults, Fault(start, message, hint=_BEGINNING)])
    part = build(document, kinds)
    part.faults[:0] = faults
    if len(part.faults) > MOST_FAULTS:
        part.faults[MOST_FAULTS:] = [too_many(file)]
    return part

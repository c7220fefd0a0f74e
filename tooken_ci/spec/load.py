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
    from collections.abc import Callable, Collection, Sequence

    from tooken_ci.spec.kinds import DestinationKind
    from tooken_ci.spec.model import Spec
    from tooken_ci.spec.positions import Document

    Others = Callable[[Collection[str]], Sequence[DestinationKind]]

_BEGINNING = "Begin it with 'version: 1', then 'tokens:' and the tokens by name."


def load(paths: Sequence[str], *, kinds: Sequence[DestinationKind], others: Others | None = None) -> Spec:
    """Read the spec and check all of it.

    Args:
        paths: files, and folders, of which every ``.yml`` and ``.yaml`` file is read (not those of folders inside).
        kinds: the kinds of destination that ``deliver`` may name.
        others: gives further ones; asked only where a file names kinds that are not among those, with their names.

    Raises:
        UsageError: a path leads nowhere or cannot be read, or one of the other kinds cannot be used.
        SpecError: the spec is not valid; it carries every fault of every file, in the order of files and lines.
    """
    names = files.find(paths)
    faults: list[Fault] = []
    parts: list[Part] = []
    for name in names:
        try:
            part = _part(name, kinds, others)
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


def _part(file: str, kinds: Sequence[DestinationKind], others: Others | None) -> Part:
    # Only here, because YAML takes longer to import than `tooken-ci --version` to run.
    from tooken_ci.spec.compose import compose

    document, faults = compose(files.read(file), file)
    if not isinstance(document.data, dict):
        start = Position(file, *document.start)
        message = (
            "The file is empty." if document.data is None else f"A spec is a mapping; found {shown(document.data)}."
        )
        raise SpecError([*faults, Fault(start, message, hint=_BEGINNING)])
    unknown = _named_kinds(document) - {kind.name for kind in kinds}
    part = build(document, [*kinds, *others(unknown)] if unknown and others is not None else kinds)
    part.faults[:0] = faults
    if len(part.faults) > MOST_FAULTS:
        part.faults[MOST_FAULTS:] = [too_many(file)]
    return part


def _named_kinds(document: Document) -> set[str]:
    """The kinds that a file names, whatever else may be wrong with it."""
    tokens = document.data.get("tokens")
    entries = tokens.values() if isinstance(tokens, dict) else ()
    lists = [entry.get("deliver") for entry in entries if isinstance(entry, dict)]
    items = [item for deliver in lists if isinstance(deliver, list) for item in deliver]
    return {str(kind) for item in items if isinstance(item, dict) for kind in item}

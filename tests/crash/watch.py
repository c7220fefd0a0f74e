"""What must never be, held against what is after every request that was handled and every write to a destination."""

from __future__ import annotations

import dataclasses
import itertools
import re
from typing import TYPE_CHECKING, Any

from tests.e2e.leaks import files_under, findings
from tooken_ci.base import naming
from tooken_ci.base.record import DeliveryRecord, MarkKind
from tooken_ci.plan.cap import MAX_LIVING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from tests.crash.stage import Stage
    from tests.crash.zygote import Ended

_HALF_WRITTEN = re.compile(r"(^|/)\.[^/]+\.tooken-[0-9a-f]{8}/")

_NAMED = (("exec", "name"), ("vault", "path"), ("github_secret", "name"), ("aws_secret", "name"))
"""What tells the destinations of a kind apart."""

CODES = {0, 1, 3, 4, 5, -9}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Expected:
    """What the spec declares of one entry that is not ephemeral.

    Attributes:
        names: its name, and those that it had before.
        stores: the names of its destinations, files apart.
        files: the paths of its ``file`` destinations.
    """

    names: frozenset[str]
    stores: tuple[str, ...]
    files: tuple[str, ...]


@dataclasses.dataclass(kw_only=True)
class Watch:
    """Watches over a workspace.

    Attributes:
        entries: what the spec declares, by name.
        handed: files that secrets were delivered to, now or earlier.
        foreign: ids of tokens that are nobody's business.
        excused: secrets that were dead before the place where they stand was declared.
        violations: what must never be, and was.
        checks: how often it was looked.
    """

    entries: dict[str, Expected] = dataclasses.field(default_factory=dict)
    handed: set[str] = dataclasses.field(default_factory=set)
    foreign: set[str] = dataclasses.field(default_factory=set)
    excused: set[str] = dataclasses.field(default_factory=set)
    violations: list[str] = dataclasses.field(default_factory=list)
    checks: int = 0

    def copy(self) -> Watch:
        """The same, to go on from; it has seen nothing yet."""
        return Watch(
            entries=dict(self.entries), handed=set(self.handed), foreign=set(self.foreign), excused=set(self.excused)
        )

    def expect(self, spec: Mapping[str, Any]) -> None:
        """Watches over what a spec declares."""
        self.entries = {
            name: Expected(
                names=frozenset({name, *entry.get("previously", ())}),
                stores=tuple(itertools.chain(*(_settings(entry, kind, key) for kind, key in _NAMED))),
                files=tuple(_settings(entry, "file", "path")),
            )
            for name, entry in spec["tokens"].items()
            if not entry.get("ephemeral")
        }
        for entry in spec["tokens"].values():
            self.handed |= {*_settings(entry, "file", "path"), *_settings(entry, "job", "file")}

    def excuse(self, stage: Stage) -> None:
        """Holds nobody to what stood dead in a store before that was declared; only in the thread that serves."""
        declared = {store for entry in self.entries.values() for store in entry.stores}
        self.excused |= {
            shelf.value
            for name, shelf in stage.store.shelves.items()
            if name in declared and shelf.value is not None and shelf.value in stage.dead
        }

    def look(self, stage: Stage, folder: Path, what: str) -> None:
        """Looks; only in the thread that serves, so that nothing changes meanwhile."""
        self.checks += 1
        for told in (*self._dead(stage, folder), *self._too_many(stage), *self._touched(stage)):
            self.violations.append(f"after {what}: {told}")

    def look_after_run(self, stage: Stage, folder: Path, ended: Ended) -> None:
        """Looks at what a run left behind: its output, its exit code, its files."""
        if ended.code not in CODES:
            self.violations.append(f"exit code {ended.code}: {ended.err}")
        if "Traceback" in ended.err or "fault of tooken-ci" in ended.err:
            self.violations.append(f"a fault of the program: {ended.err}")
        files = {name: content for name, content in files_under(folder).items() if name not in self.handed}
        for name in half_written(folder):  # by a run that was killed; in the end they must be gone
            del files[name]
        places = {"standard output": ended.out.encode(), "standard error": ended.err.encode(), **files}
        self.violations.extend(findings(stage.do(lambda: list(stage.issued)), places))

    def _dead(self, stage: Stage, folder: Path) -> Iterator[str]:
        """No secret that stands in a destination of a declared entry was ended by tooken-ci."""
        for name, entry in self.entries.items():
            for store in entry.stores:
                shelf = stage.store.shelves.get(store)
                if shelf is not None and shelf.value in stage.dead - self.excused and not shelf.rotating:
                    yield f"{store} of {name} holds a dead secret"
            for path in entry.files:
                if _text(folder / path) in stage.dead and not _rotating(_text(folder / f"{path}.tooken")):
                    yield f"{path} of {name} holds a dead secret"

    def _too_many(self, stage: Stage) -> Iterator[str]:
        """No entry ever has more living generations than it may."""
        living = [row["name"] for row in stage.rows("SELECT name FROM tokens WHERE status = 'active'")]
        for name, entry in self.entries.items():
            found = [token for token in living if naming.split(token)[0] in entry.names]
            if len(found) > MAX_LIVING:
                yield f"{len(found)} generations of {name} live"

    def _touched(self, stage: Stage) -> Iterator[str]:
        """What is nobody's business is not touched."""
        ended = {stage.issued[secret] for secret in stage.dead}
        for token in sorted(self.foreign & ended):
            yield f"the foreign token {token} was revoked"

    def generations(self, stage: Stage) -> Mapping[str, Sequence[str]]:
        """The names of the living generations, by entry."""
        rows = stage.do(lambda: stage.rows("SELECT name FROM tokens WHERE status = 'active'"))
        living = sorted(row["name"] for row in rows)
        return {
            name: [token for token in living if naming.split(token)[0] in entry.names]
            for name, entry in self.entries.items()
        }


def half_written(folder: Path) -> list[str]:
    """The files that were being written when a run was killed; a folder that is empty holds nothing to find."""
    return [name for name in files_under(folder) if _HALF_WRITTEN.search(name)]


def _settings(entry: Mapping[str, Any], kind: str, key: str) -> list[str]:
    return [item[kind][key] for item in entry.get("deliver", ()) if kind in item and key in item[kind]]


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""


def _rotating(text: str) -> bool:
    return bool(text) and any(mark.kind is MarkKind.ROTATE for mark in DeliveryRecord.parse(text).marks)

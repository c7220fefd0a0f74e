"""One file of the spec: from checked plain data to its part of the model."""

from __future__ import annotations

import dataclasses
import re
import warnings
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from tooken_ci.base.errors import Fault
from tooken_ci.base.text import quoted
from tooken_ci.spec import durations, ephemeral, instants
from tooken_ci.spec.kinds import SettingsError
from tooken_ci.spec.life import Times, crowded, renewal, seldom_run, too_fast, too_short
from tooken_ci.spec.model import DEFAULT_WORKSPACE, Bound, Entry, Named, Policy
from tooken_ci.spec.names import name_problem
from tooken_ci.spec.schema import faults_of
from tooken_ci.spec.shown import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from fractions import Fraction

    from tooken_ci.base.position import Position
    from tooken_ci.spec.explain import Path
    from tooken_ci.spec.kinds import DestinationKind
    from tooken_ci.spec.model import Target
    from tooken_ci.spec.positions import Document

T = TypeVar("T")

_LIFE_KEYS = ("expires_in", "renew_before", "runs_every")
_ROTATION_KEYS = ("every", "overlap")


@dataclasses.dataclass(kw_only=True)
class Part:
    """What one file gives to the spec. What is wrong is left out of it and stands in ``faults``.

    Attributes:
        document: the file.
        workspace: the label it gives or the default.
        policy: the rules it gives.
        entries: those in which nothing is wrong.
        targets: every good destination with its entry's name, also of entries that are left out.
        previous: every good previous name with its entry's name, also of entries that are left out.
        absent: the names it lists.
        prune: the patterns it lists.
        own: the name it gives as ``self``.
        faults: what is wrong.
        warnings: what is worth a look.
    """

    document: Document
    workspace: str = DEFAULT_WORKSPACE
    policy: Policy = dataclasses.field(default_factory=Policy)
    entries: list[Entry] = dataclasses.field(default_factory=list)
    targets: list[tuple[str, Target]] = dataclasses.field(default_factory=list)
    previous: list[tuple[str, Named]] = dataclasses.field(default_factory=list)
    absent: list[Named] = dataclasses.field(default_factory=list)
    prune: list[Named] = dataclasses.field(default_factory=list)
    own: Named | None = None
    faults: list[Fault] = dataclasses.field(default_factory=list)
    warnings: list[Fault] = dataclasses.field(default_factory=list)


def build(document: Document, kinds: Sequence[DestinationKind]) -> Part:
    """Check one document and make of it what can be made."""
    return _Builder(document, kinds).run()


class _Builder:
    """The work on one file; a method for each part of it."""

    def __init__(self, document: Document, kinds: Sequence[DestinationKind]) -> None:
        self.document = document
        self.kinds = {kind.name: kind for kind in kinds}
        self.part = Part(document=document)
        self.spoiled: set[Path] = set()
        self.told: set[tuple[object, str]] = set()

    def run(self) -> Part:
        for finding in faults_of(self.document, list(self.kinds.values())):
            self.part.faults.append(finding.fault)
            self._spoil(finding.path)
            if not finding.path:
                return self.part
        top: dict[str, Any] = self.document.data
        self.part.workspace = self._value(top, (), "workspace", _label, DEFAULT_WORKSPACE)
        self.part.policy = self._policy(_mapping(top.get("policy")))
        self.part.absent = self._named(top.get("absent"), ("absent",), name_problem)
        self.part.prune = self._named(top.get("prune"), ("prune",), lambda _: None)
        if "self" in top and ("self",) not in self.spoiled:
            self.part.own = Named(text=top["self"], position=self.document.at(("self",)))
        times = self._times(_mapping(top.get("defaults")), ("defaults",), Times())
        for name, raw in _mapping(top.get("tokens")).items():
            self._entry(name, _mapping(raw), times)
        return self.part

    def _entry(self, name: str, raw: Mapping[str, Any], defaults: Times) -> None:
        path: Path = ("tokens", name)
        problem = name_problem(name)
        if problem is not None:
            self._fault(path, self.document.key_at(path), *problem)
        if raw.get("ephemeral") is True:
            self._ephemeral(name, raw, path, defaults)
            return
        expires_at = self._value(raw, path, "expires_at", instants.parse, None)
        times = self._times(raw, path, defaults)
        if "expires_at" in raw:
            times = dataclasses.replace(times, expires_in=None)
            self._check_one_end(raw, path)
        if times.expires_in is not None and raw.get("deliver"):
            self._check_life(raw, path, times.expires_in, times)
        if raw.get("deliver"):
            self._check_rotation(_mapping(raw.get("rotation")), (*path, "rotation"), times)
        self._check_use(raw, path, times)
        previously = self._named(raw.get("previously"), (*path, "previously"), name_problem)
        self.part.previous.extend((name, named) for named in previously)
        targets = self._targets(name, raw.get("deliver"), path)
        if times.in_place:
            self._check_records(targets, path)
        self._check_lasting(name, targets, path)
        self._check_overlap(targets, times)
        if path in self.spoiled:
            return
        entry = Entry(
            name=name,
            scopes=frozenset(raw["scopes"]),
            expires_in=times.expires_in,
            expires_at=expires_at,
            renew_before=renewal(times.expires_in, times) if times.expires_in is not None else None,
            runs_every=times.runs_every,
            overlap=times.overlap,
            rotate_every=times.every,
            in_place=times.in_place,
            previously=tuple(previously),
            deliver=targets,
            protected=raw.get("protected", False),
            description=raw.get("description", ""),
            owner=raw.get("owner", ""),
            position=self.document.key_at(path),
            keys={key: self.document.key_at((*path, key)) for key in raw},
        )
        self.part.entries.append(entry)

    def _ephemeral(self, name: str, raw: Mapping[str, Any], path: Path, defaults: Times) -> None:
        life = self._value(raw, path, "expires_in", durations.parse, defaults.expires_in)
        for key, *problem in ephemeral.problems(name, raw, life):
            self._fault((*path, key) if key else path, self.document.key_at((*path, key) if key else path), *problem)
        targets = self._targets(name, raw.get("deliver"), path)
        for target in targets:
            if not target.takes_leases:
                message = f"{quoted(target.place)} outlives the job; a lease is handed to its job alone."
                self._fault(path, target.position, message, "Use 'job' or 'exec', or remove 'ephemeral: true'.")
        if path in self.spoiled:
            return
        entry = Entry(
            name=name,
            scopes=frozenset(raw["scopes"]),
            expires_in=life,
            expires_at=None,
            renew_before=None,
            runs_every=defaults.runs_every,
            overlap=timedelta(0),
            ephemeral=True,
            deliver=tuple(dataclasses.replace(target, ephemeral=True) for target in targets),
            protected=False,
            description=raw.get("description", ""),
            owner=raw.get("owner", ""),
            position=self.document.key_at(path),
            keys={key: self.document.key_at((*path, key)) for key in raw},
        )
        self.part.entries.append(entry)

    def _times(self, raw: Mapping[str, Any], path: Path, base: Times) -> Times:
        rotation = _mapping(raw.get("rotation"))
        return Times(
            expires_in=self._value(raw, path, "expires_in", durations.parse, base.expires_in),
            renew_before=self._value(raw, path, "renew_before", _renew_before, base.renew_before),
            runs_every=self._value(raw, path, "runs_every", durations.parse, base.runs_every),
            overlap=self._value(rotation, (*path, "rotation"), "overlap", _overlap, base.overlap),
            every=self._value(rotation, (*path, "rotation"), "every", durations.parse, base.every),
            in_place=self._value(rotation, (*path, "rotation"), "strategy", _in_place, base.in_place),
        )

    def _check_one_end(self, raw: Mapping[str, Any], path: Path) -> None:
        if "expires_in" in raw:
            first, second = sorted(self.document.key_at((*path, key)) for key in ("expires_in", "expires_at"))
            message = f"'expires_in' and 'expires_at' exclude each other; the other one is at {first}."
            self._fault((*path, "expires_at"), second, message, "Remove one.")

    def _check_life(self, raw: Mapping[str, Any], path: Path, life: timedelta, times: Times) -> None:
        sources = [(*holder, key) for holder in (path, ("defaults",)) for key in _LIFE_KEYS]
        if any(source in self.spoiled for source in sources):
            return
        own = next(((*path, key) for key in _LIFE_KEYS if key in raw), ("defaults", "expires_in"))
        problem, advice = too_short(life, times), crowded(life, times)
        if problem is not None:
            self._fault(path, self.document.at(own), *problem)
        elif advice is not None:
            self._warn(self.document.at(own), *advice)

    def _check_rotation(self, rotation: Mapping[str, Any], path: Path, times: Times) -> None:
        sources = [(*holder, key) for holder in (path, ("defaults", "rotation")) for key in _ROTATION_KEYS]
        if any(source in self.spoiled for source in sources):
            return
        own = next(((*path, key) for key in _ROTATION_KEYS if key in rotation), ("defaults", "rotation", "every"))
        problem, advice = too_fast(times), seldom_run(times)
        if problem is not None:
            self._fault(path[:-1], self.document.at(own), *problem)
        elif advice is not None:
            self._warn(self.document.at(own), *advice)

    def _check_use(self, raw: Mapping[str, Any], path: Path, times: Times) -> None:
        if "renew_before" in raw and times.expires_in is None:
            why = "an absolute 'expires_at' is never renewed" if "expires_at" in raw else "the token never expires"
            place = self.document.key_at((*path, "renew_before"))
            self._warn(place, f"'renew_before' has no effect: {why}.", "Remove it, or use 'expires_in'.")

    def _targets(self, name: str, deliver: Any, path: Path) -> tuple[Target, ...]:
        targets: list[Target] = []
        for index, item in enumerate(deliver if isinstance(deliver, list) else ()):
            here: Path = (*path, "deliver", index)
            if here in self.spoiled:
                continue
            ((kind, settings),) = item.items()
            position = self.document.key_at((*here, kind))
            try:
                target = self.kinds[kind].parse(settings, position)
            except SettingsError as error:
                place = self.document.at((*here, kind, error.key)) if error.key else position
                self._fault(here, place, error.message, error.hint)
                continue
            targets.append(target)
            self.part.targets.append((name, target))
            self.part.warnings.extend(Fault(target.position, text) for text in target.warnings)
        return tuple(targets)

    def _check_lasting(self, name: str, targets: tuple[Target, ...], path: Path) -> None:
        for target in targets:
            if target.of_a_job:
                message = f"{quoted(name)} would be gone with the job, so every run would replace it."
                self._fault(path, target.position, message, "Say 'ephemeral: true', or use another destination.")
            if target.lacks:
                message = f"{quoted(target.kind)} lacks {quoted(target.lacks)}, which only a lease can do without."
                self._fault(path, target.position, message, "Add it, or say 'ephemeral: true'.")

    def _check_records(self, targets: tuple[Target, ...], path: Path) -> None:
        for target in targets:
            if not target.keeps_record:
                message = f"The strategy in_place needs a delivery record, and {quoted(target.place)} keeps none."
                self._fault(path, target.position, message, "Use the strategy replace, or another destination.")

    def _check_overlap(self, targets: tuple[Target, ...], times: Times) -> None:
        for target in targets:
            if times.overlap < target.read_ahead:
                message = (
                    f"What takes the secret from {quoted(target.place)} may have read it up to "
                    f"{durations.show(target.read_ahead)} before it uses it; the overlap is "
                    f"{durations.show(times.overlap)}."
                )
                self._warn(target.position, message, "Let the overlap be as long, or be sure that nothing waits then.")

    def _policy(self, raw: Mapping[str, Any]) -> Policy:
        path: Path = ("policy",)
        scopes = raw.get("forbidden_scopes") if (*path, "forbidden_scopes") not in self.spoiled else None
        return Policy(
            require_expiry=raw.get("require_expiry") is True,
            max_lifetime=self._value(raw, path, "max_lifetime", durations.parse, None),
            forbidden_scopes=frozenset(scopes or ()),
            name_pattern=self._value(raw, path, "name_pattern", _pattern, None),
            max_revocations=self._value(raw, path, "max_revocations", _bound, None),
            max_changes=self._value(raw, path, "max_changes", _bound, None),
        )

    def _named(self, raw: Any, key: Path, check: Callable[[str], tuple[str, str] | None]) -> list[Named]:
        named = []
        for index, text in enumerate(raw if isinstance(raw, list) else ()):
            path: Path = (*key, index)
            if path in self.spoiled:
                continue
            problem = check(text)
            if problem is not None:
                self._fault(path, self.document.at(path), *problem)
            else:
                named.append(Named(text=text, position=self.document.at(path)))
        return named

    def _value(self, raw: Mapping[str, Any], path: Path, key: str, read: Callable[[Any], T], otherwise: T) -> T:
        here = (*path, key)
        if key not in raw or here in self.spoiled:
            return otherwise
        try:
            return read(raw[key])
        except ValueError as error:
            self._fault(here, self.document.at(here), f"'{key}' cannot be {shown(raw[key])}: {error}.")
            return otherwise

    def _fault(self, path: Path, position: Position, message: str, hint: str = "") -> None:
        self._spoil(path)
        if (position, message) not in self.told:  # what stands in the defaults is wrong once, not for each entry
            self.told.add((position, message))
            self.part.faults.append(Fault(position, message, hint=hint))

    def _warn(self, position: Position, message: str, hint: str) -> None:
        if (position, message) not in self.told:
            self.told.add((position, message))
            self.part.warnings.append(Fault(position, message, hint=hint))

    def _spoil(self, path: Path) -> None:
        self.spoiled.update(path[:length] for length in range(len(path) + 1))


def _mapping(raw: Any) -> Mapping[str, Any]:
    return raw if isinstance(raw, dict) else {}


def _label(text: str) -> str:
    if not text.isprintable() or text != text.strip():
        raise ValueError("a label has only printable characters, and no space before or after them")
    return text


def _renew_before(text: str) -> Fraction | timedelta:
    return durations.parse_share(text) if text.endswith("%") else durations.parse(text)


def _overlap(value: str | float) -> timedelta:
    return timedelta(0) if value in (0, "0") else durations.parse(str(value))


def _in_place(strategy: str) -> bool:
    return strategy == "in_place"


def _bound(value: str | float) -> Bound:
    return Bound(share=durations.parse_share(value)) if isinstance(value, str) else Bound(number=int(value))


def _pattern(text: str) -> str:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what a later Python will read otherwise
            re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"it is not a regular expression ({error})") from error
    return text

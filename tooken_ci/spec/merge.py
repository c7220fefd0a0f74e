"""Several files of the spec into one: what must stand once, and what may not meet."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from tooken_ci.base.errors import Fault
from tooken_ci.spec import own
from tooken_ci.spec.model import DEFAULT_WORKSPACE, Policy, Spec
from tooken_ci.spec.shown import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tooken_ci.base.position import Position
    from tooken_ci.spec.build import Part
    from tooken_ci.spec.model import Target

_ONCE = ("workspace", "policy", "absent", "prune", "self")


def merge(parts: Sequence[Part]) -> Spec:
    """One spec of the parts, whose faults, together with ``conflicts``, must be none."""
    entries = sorted((entry for part in parts for entry in part.entries), key=lambda entry: entry.name)
    return Spec(
        workspace=next((part.workspace for part in parts if _gives(part, "workspace")), DEFAULT_WORKSPACE),
        entries=tuple(entry for entry in entries if not entry.ephemeral),
        leases=tuple(entry for entry in entries if entry.ephemeral),
        policy=next((part.policy for part in parts if _gives(part, "policy")), Policy()),
        absent=tuple(named for part in parts for named in part.absent),
        prune=tuple(named for part in parts for named in part.prune),
        warnings=tuple(warning for part in parts for warning in part.warnings),
        files=tuple(part.document.file for part in parts),
        digest=_digest(parts),
        own=next((part.own.text for part in parts if part.own is not None), ""),
    )


def _digest(parts: Sequence[Part]) -> str:
    """What the files say, each for itself, since ``defaults`` hold for one file only."""
    said = sorted(json.dumps(part.document.data, sort_keys=True) for part in parts)
    return hashlib.sha256("\n".join(said).encode()).hexdigest()


def conflicts(parts: Sequence[Part]) -> list[Fault]:
    """What is wrong between parts of the spec, in one file or in several, each with both places."""
    declared: dict[str, tuple[Position, bool]] = {}
    return [
        *_given_twice(parts),
        *_declared_twice(parts, declared),
        *_absent_but_declared(parts, declared),
        *_previous_but_in_use(parts, declared),
        *_delivered_twice(target for part in parts for target in part.targets),
        *own.faults(parts, declared),
    ]


def _gives(part: Part, key: str) -> bool:
    return isinstance(part.document.data, dict) and key in part.document.data


def _given_twice(parts: Sequence[Part]) -> Iterator[Fault]:
    for key in _ONCE:
        first: Position | None = None
        for part in parts:
            if not _gives(part, key):
                continue
            position = part.document.key_at((key,))
            if first is None:
                first = position
                continue
            message = f"'{key}' stands in one file only; the other place is {first}."
            yield Fault(position, message, hint="Move all of it to one of the two.")


def _declared_twice(parts: Sequence[Part], declared: dict[str, tuple[Position, bool]]) -> Iterator[Fault]:
    for part in parts:
        for name, raw in _tokens(part).items():
            position = part.document.key_at(("tokens", name))
            if name in declared:
                message = f"The token {quoted(name)} is declared twice; the first place is {declared[name][0]}."
                yield Fault(position, message, hint="Remove one, or give it another name.")
            else:
                declared[name] = position, isinstance(raw, dict) and raw.get("protected") is True


def _tokens(part: Part) -> Mapping[str, object]:
    tokens = part.document.data.get("tokens") if isinstance(part.document.data, dict) else None
    return tokens if isinstance(tokens, dict) else {}


def _absent_but_declared(parts: Sequence[Part], declared: Mapping[str, tuple[Position, bool]]) -> Iterator[Fault]:
    for part in parts:
        for named in part.absent:
            if named.text not in declared:
                continue
            position, protected = declared[named.text]
            how = "declared and protected" if protected else "declared"
            yield Fault(
                named.position,
                f"{quoted(named.text)} cannot be absent: it is {how} at {position}.",
                hint="Remove it here to keep the token, or there to have it revoked.",
            )


def _previous_but_in_use(parts: Sequence[Part], declared: Mapping[str, tuple[Position, bool]]) -> Iterator[Fault]:
    absent = {named.text: named.position for part in parts for named in part.absent}
    claimed: dict[str, tuple[str, Position]] = {}
    for name, named in (previous for part in parts for previous in part.previous):
        old = named.text
        if old == name:
            use, hint = "it is its own name", "Remove it here."
        elif old in declared:
            use, hint = f"it is declared at {declared[old][0]}", "Remove it here, or the token there."
        elif old in absent:
            use, hint = f"it is absent at {absent[old]}", "Remove it there to have its generations taken over."
        elif old in claimed:
            use, hint = f"it is one of {quoted(claimed[old][0])} at {claimed[old][1]}", "Remove one."
        else:
            claimed[old] = name, named.position
            continue
        yield Fault(named.position, f"{quoted(old)} cannot be a previous name of {quoted(name)}: {use}.", hint=hint)


def _delivered_twice(targets: Iterator[tuple[str, Target]]) -> Iterator[Fault]:
    claimed: dict[str, tuple[str, Target]] = {}
    shared: dict[str, tuple[str, Target]] = {}
    for name, target in targets:
        claims = target.claims if target.of_a_job else target.claims | {f"place:{target.place}"}
        forms = dict(target.shares)
        clashes = (
            [claimed[claim] for claim in sorted(claims | forms.keys()) if claim in claimed]
            + [shared[claim] for claim in sorted(claims) if claim in shared]
            + [shared[what] for what in sorted(forms) if what in shared and _form(shared[what], what) != forms[what]]
        )
        if clashes:
            yield _clash(name, target, *clashes[0])
        for claim in claims:
            claimed.setdefault(claim, (name, target))
        for what in forms:
            shared.setdefault(what, (name, target))


def _form(sharing: tuple[str, Target], what: str) -> str:
    return dict(sharing[1].shares)[what]


def _clash(name: str, target: Target, first_name: str, first: Target) -> Fault:
    who = (
        f"{quoted(name)} delivers twice to"
        if name == first_name
        else f"{quoted(name)} and {quoted(first_name)} both deliver to"
    )
    if target.place == first.place:
        message = f"{who} {target.place}; the first place is {first.position}."
    else:
        message = (
            f"{quoted(name)} delivers to {target.place}, and {quoted(first_name)} at {first.position} "
            f"to {first.place}: they would overwrite each other."
        )
    return Fault(target.position, message, hint="Give each destination a place of its own.")

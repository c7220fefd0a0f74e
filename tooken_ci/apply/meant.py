"""What a person means by a name: an entry, with all of its active generations, or one token. Never a guess."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from tooken_ci.base import naming
from tooken_ci.base.errors import RefusedError
from tooken_ci.base.text import quoted
from tooken_ci.plan.view import generations_of
from tooken_ci.spec.shown import suggestion
from tooken_ci.tooken.model import Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tooken_ci.apply.context import Context
    from tooken_ci.spec.model import Entry
    from tooken_ci.tooken.model import Token

_FIRST = ".g1"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Meant:
    """What a name means.

    Attributes:
        name: as it was given.
        known: an entry or a token has it; False where none ever had.
        tokens: the active ones that it means.
        entry: the one that declares them; None = none does, or there is no spec.
        current: the id of the entry's current generation; None where there is no entry, or nothing of it is active.
        others: the names of active generations of the same name that it does not mean.
    """

    name: str
    known: bool
    tokens: tuple[Token, ...] = ()
    entry: Entry | None = None
    current: str | None = None
    others: tuple[str, ...] = ()


def meant(context: Context, name: str) -> Meant:
    """Look a name up: one of the spec's entries comes first, then tokens of exactly that name.

    ``NAME.g1`` means the first generation alone, whose token's name is that of all of them.

    Raises:
        RefusedError: it may mean either of two tokens.
        ApiError: the workspace could not be read.
    """
    entries = {entry.name: entry for entry in context.spec.entries}
    if name in entries:
        entry = entries[name]
        tokens = tuple(generation.token for generation in generations_of(entry, context.active_of(entry)))
        return Meant(name=name, known=True, tokens=tokens, entry=entry, current=tokens[-1].id if tokens else None)
    found = context.client.find(name)
    same = [token for token in found if token.name == name]
    if name.endswith(_FIRST):
        found = context.client.find(name.removesuffix(_FIRST))
        first = [token for token in found if token.name == name.removesuffix(_FIRST)]
        if _active(same) and _active(first):
            raise RefusedError(
                f"{quoted(name)} may mean two tokens: one of exactly that name, and {quoted(first[0].name)}.",
                hint="Nothing was revoked; revoke the one that you mean in the dashboard.",
            )
        same = same if _active(same) else first
    tokens = _active(same)
    base = naming.split(tokens[0].name)[0] if tokens else name
    declaring = next((entry for entry in entries.values() if base in entry.names), None)
    others = () if declaring is not None or name.endswith(_FIRST) else _others(found, name)
    current = _current(context, declaring) if declaring is not None else None
    return Meant(name=name, known=bool(same), tokens=tokens, entry=declaring, current=current, others=others)


def unknown(context: Context, names: Sequence[str]) -> RefusedError:
    """The error that says what names are not known, and which come near."""
    active = [token.name for token in context.client.active()]
    known = [*(entry.name for entry in context.spec.entries), *active]
    told = [f"No entry or token is named {quoted(name)}.{_near(name, active, known)}" for name in names]
    return RefusedError(" ".join(told), hint="Nothing was revoked.")


def _near(name: str, active: Iterable[str], known: Iterable[str]) -> str:
    generations = sorted(one for one in active if one != name and naming.split(one)[0] == name)
    if generations:
        return f" Alive are {', '.join(map(quoted, generations))}: name the ones that you mean."
    hint = suggestion(name, known, what="")
    return f" {hint}" if hint.startswith("Perhaps") else ""


def _active(tokens: Iterable[Token]) -> tuple[Token, ...]:
    return tuple(token for token in tokens if token.status is Status.ACTIVE)


def _others(found: Iterable[Token], name: str) -> tuple[str, ...]:
    living = (token.name for token in _active(found))
    return tuple(sorted(one for one in living if one != name and naming.split(one)[0] == name))


def _current(context: Context, entry: Entry) -> str | None:
    generations = generations_of(entry, context.active_of(entry))
    return generations[-1].token.id if generations else None

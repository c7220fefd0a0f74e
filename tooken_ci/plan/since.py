"""What has changed since a plan was saved, told entry by entry; and what is left of a plan that still fits."""

from __future__ import annotations

import dataclasses
from itertools import groupby
from typing import TYPE_CHECKING

from tooken_ci.base import times
from tooken_ci.base.record import State
from tooken_ci.base.text import count, quoted, safe
from tooken_ci.plan.model import ActionKind, Waiting
from tooken_ci.plan.saved import LONGEST, SKEW, WRITTEN, SavedPlan, blocks_of, steps_of
from tooken_ci.spec.durations import show

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator, Sequence

    from tooken_ci.plan.model import Action, EntryPlan, Plan
    from tooken_ci.plan.saved import SeenEntry, SeenPlace, SeenToken, Step
    from tooken_ci.spec.model import Spec

_UNREVIEWED = "the saved plan does not have its revocation"


def before(saved: SavedPlan, spec: Spec, *, tool_version: str, api_url: str) -> Iterator[str]:
    """What of the run itself is not as it was, before anybody is asked.

    Args:
        saved: the plan.
        spec: of this run.
        tool_version: of this run.
        api_url: of this run.
    """
    if saved.tool_version != tool_version:
        yield f"The plan was made by tooken-ci {safe(saved.tool_version)}; this is {tool_version}."
    if saved.api_url != api_url:
        yield f"The plan was made with the API at {quoted(saved.api_url)}; this run asks {quoted(api_url)}."
    if saved.workspace != spec.workspace:
        yield f"The plan is for the workspace {quoted(saved.workspace)}; the spec is for {quoted(spec.workspace)}."
    if saved.spec != spec.digest:
        yield f"The spec is not the one that the plan was made of (read now: {', '.join(map(quoted, spec.files))})."


def age(planned_at: dt.datetime, now: dt.datetime) -> Iterator[str]:
    """Why a plan of that time is not applied now, by the server's clock; nothing where it may be."""
    if now - planned_at > LONGEST:
        yield (
            f"The plan was made at {times.show(planned_at)}, more than {show(LONGEST)} ago: "
            f"the server's time is {times.show(now)}."
        )
    if planned_at - now > SKEW:
        yield f"The plan comes from the future, {times.show(planned_at)}: the server's time is {times.show(now)}."


def differences(saved: SavedPlan, plan: Plan, found: Sequence[SeenEntry]) -> Iterator[str]:
    """What is not as it was when the plan was saved; nothing where the plan still fits.

    Args:
        saved: the plan.
        plan: made anew, of the same spec, from the live state, its rules 1 to 3 by the saved time.
        found: what was seen for it.
    """
    was_blocked, blocked = saved.blocked_by, blocks_of(plan)
    if was_blocked != blocked:
        yield f"The plan was {_blocked(was_blocked)}, and is {_blocked(blocked)} now."
    then = {one.entry: one for one in saved.seen}
    now = {one.entry: one for one in found}
    if then.keys() != now.keys():
        yield "The plan does not tell of the entries of the spec."
    for name in sorted(then.keys() & now.keys()):
        if then[name] != now[name]:
            yield from _state(then[name], now[name])
    yield from _steps(saved.steps, steps_of(plan))


def _blocked(codes: tuple[str, ...]) -> str:
    return f"blocked by {', '.join(map(safe, codes))}" if codes else "not blocked"


def _state(then: SeenEntry, now: SeenEntry) -> Iterator[str]:
    """How the generations and destinations of one entry differ."""
    name = quoted(then.entry)
    old, new = ({token.id: token for token in one.tokens} for one in (then, now))
    for token in then.tokens:
        if token.id not in new:
            yield f"{name}: {_named(token)} was active when the plan was made, and is not any more."
        elif new[token.id] != token:
            yield f"{name}: {_named(token)} was {_told(token)}, and is {_told(new[token.id])} now."
    for token in now.tokens:
        if token.id not in old:
            yield f"{name}: {_named(token)} is active now, and was not when the plan was made."
    places = {one.place: one for one in now.places}
    for place in then.places:
        found = places.get(place.place)
        if found != place:
            yield f"{name}: {quoted(place.place)} {_change(place, found)}."
    if old == new and then.places == now.places:
        yield f"{name}: its generations have another order."


def _named(token: SeenToken) -> str:
    return f"{quoted(token.name)} ({safe(token.id)})"


def _told(token: SeenToken) -> str:
    ends = "without end" if token.expires_at is None else f"to expire at {safe(token.expires_at)}"
    return f"{quoted(token.name)} with [{safe(', '.join(token.scopes))}], {ends}"


def _change(then: SeenPlace, now: SeenPlace | None) -> str:
    if now is None:
        return "is none of its destinations any more"
    if (then.state, then.holds) == (now.state, now.holds):
        if now.record is not None and now.record.startswith(WRITTEN):
            return f"{_says(now)} as before, but was written again since the plan was made"
        return f"{_says(now)} as before, but its delivery record has changed since the plan was made"
    return f"{_said(then)} when the plan was made, and {_says(now)} now"


def _said(place: SeenPlace) -> str:
    if place.state == State.HOLDS:
        return f"held {quoted(place.holds or '')}"
    return "could not be asked" if place.state == State.UNKNOWN else "did not hold its secret"


def _says(place: SeenPlace) -> str:
    if place.state == State.HOLDS:
        return f"holds {quoted(place.holds or '')}"
    return "cannot be asked" if place.state == State.UNKNOWN else "does not hold its secret"


def _steps(then: Iterable[Step], now: Iterable[Step]) -> Iterator[str]:
    """How the actions differ; when rule 4 allows its revocations is for the time of the apply to say."""
    was, found = _by_entry(then), _by_entry(now)
    for key in sorted(was.keys() | found.keys()):
        if was.get(key, []) != found.get(key, []):
            yield f"{quoted(key[1])}: {_between(was.get(key, []), found.get(key, []))}."


def _by_entry(steps: Iterable[Step]) -> dict[tuple[str, str], list[Step]]:
    compared = sorted((step for step in steps if not step.retires), key=_entry_of)
    return {key: list(group) for key, group in groupby(compared, key=_entry_of)}


def _entry_of(step: Step) -> tuple[str, str]:
    return step.origin, step.entry


def _between(then: list[Step], now: list[Step]) -> str:
    pairs = list(zip(then, now, strict=False))
    if len(then) == len(now) and all((one.kind, one.token) == (other.kind, other.token) for one, other in pairs):
        changed = [f"{_act(one)} {_fields(one, other)}" for one, other in pairs if one != other]
        return f"the plan has {'; '.join(changed)}"
    return f"the plan has {_acts(then)}, and a plan made now {_acts(now)}"


def _fields(then: Step, now: Step) -> str:
    """Each field that differs, as it was and as it is."""
    words = {"cause": "the cause", "id": "the id", "life": "a life in seconds of", "expires_at": "the end"}
    told = []
    for field in dataclasses.fields(then):
        was, found = getattr(then, field.name), getattr(now, field.name)
        if was != found:
            told.append(f"with {words.get(field.name, field.name)} {_value(was)}, and now {_value(found)}")
    return ", ".join(told)


def _value(value: object) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(safe(str(item)) for item in value)}]"
    return "none" if value is None else safe(str(value))


def _acts(steps: list[Step]) -> str:
    return ", ".join(map(_act, steps)) or "nothing to do"


def _act(step: Step) -> str:
    return f"{safe(step.kind)} {quoted(step.token)}"


def narrowed(saved: SavedPlan, plan: Plan) -> Plan:
    """The part of a plan made anew that a saved one that fits it covers: rule 4 may allow more revocations by now."""
    reviewed = {step.id for step in saved.steps if step.retires}
    entries = tuple(_narrowed(entry, reviewed, plan.now) for entry in plan.entries)
    emptied = sum(
        bool(was.actions) and not (now.actions or now.problems) for was, now in zip(plan.entries, entries, strict=True)
    )
    return dataclasses.replace(plan, entries=entries, unchanged=plan.unchanged + emptied)


def _narrowed(entry: EntryPlan, reviewed: set[str | None], now: dt.datetime) -> EntryPlan:
    more = [action for action in entry.actions if action.kind is ActionKind.REVOKE and action.id not in reviewed]
    if not more:
        return entry
    actions = tuple(action for action in entry.actions if action not in more)
    waiting = (*entry.waiting, *(_waiting(action, now) for action in more))
    return dataclasses.replace(entry, actions=actions, waiting=waiting)


def _waiting(action: Action, now: dt.datetime) -> Waiting:
    return Waiting(
        entry=action.entry,
        token=action.token,
        id=action.id or "",
        revoke_after=now,
        held_by=_UNREVIEWED,
        last_used_at=action.last_used_at,
    )


def left(told: Sequence[str], most: int = 20) -> list[str]:
    """As many differences as people read, and how many more there are."""
    rest = len(told) - most
    return [*told[:most], *([f"There are {count(rest, 'more difference')}."] if rest > 0 else [])]

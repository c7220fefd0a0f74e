"""What an ephemeral entry may say, of which each token is made for one CI job."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tooken_ci.spec.durations import show
from tooken_ci.spec.shown import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MOST_LIFE = timedelta(hours=24)
"""A lease that nobody releases dies by its expiry, and that must be soon."""

MAX_NAME = 50
"""Characters of its name; the rest of what the API takes tells the run, the attempt, the job and a random part."""

_WITHOUT_MEANING = ("expires_at", "renew_before", "runs_every", "rotation", "previously", "protected")


def problems(name: str, raw: Mapping[str, Any], life: timedelta | None) -> Iterator[tuple[str, str, str]]:
    """What is wrong with an ephemeral entry: the key that it is about (empty for the entry), what, and what to do.

    Args:
        name: the entry's.
        raw: what it says.
        life: of its tokens, its own or the file's; None = they would not end.
    """
    if len(name) > MAX_NAME:
        what = f"The name {quoted(name)} has {len(name)} characters; an ephemeral entry's has at most {MAX_NAME}."
        yield "", what, "The rest of what the API takes tells one job from another."
    for key in _WITHOUT_MEANING:
        if key in raw:
            yield key, f"'{key}' means nothing for an ephemeral entry: its tokens last for one job.", "Remove it."
    if life is None:
        what = "An ephemeral entry needs an end: it may be that nobody releases a lease."
        yield "ephemeral", what, "Add 'expires_in', such as 1h."
    elif life > MOST_LIFE:
        what = f"A lease lives for {show(MOST_LIFE)} at most; this one would for {show(life)}."
        yield "expires_in" if "expires_in" in raw else "ephemeral", what, "Shorten 'expires_in'."
    if not raw.get("deliver"):
        what = "An ephemeral entry needs a destination: without one its secret would reach nobody."
        yield "ephemeral", what, "Add 'deliver: [job: {env: TOOKEN_TOKEN}]'."

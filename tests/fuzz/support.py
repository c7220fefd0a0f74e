"""A box of time, and random changes of texts and of data."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Callable

SECONDS = float(os.environ.get("FUZZ_SECONDS", "6"))
"""How long each target is fuzzed; there are four."""

BATCH = settings(max_examples=20, deadline=None, database=None, suppress_health_check=list(HealthCheck))


def for_a_while(batch: Callable[[], None]) -> None:
    """Runs batches of examples until the time is over, each with a new seed; at least one."""
    end = time.monotonic() + SECONDS
    batch()
    while time.monotonic() < end:
        batch()


@st.composite
def changed(draw: st.DrawFn, originals: list[bytes], pieces: list[bytes]) -> bytes:
    """One of some texts with pieces put in, cut out, doubled or moved, at up to six places."""
    text = draw(st.sampled_from(originals))
    for _ in range(draw(st.integers(0, 6))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 12)))
        piece = draw(st.sampled_from(pieces) | st.binary(max_size=4) | st.just(text[start:end] * 2))
        text = text[:start] + piece + text[end if draw(st.booleans()) else start :]
    return text


JUNK: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["", "..", "\0", "\ud800", "::error::x\n", "9999-12-31T23:59:59Z", "0000-00-00", 10**400]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)


@st.composite
def bent(draw: st.DrawFn, data: Any) -> Any:
    """Data in which up to three places hold something else, or nothing."""
    for _ in range(draw(st.integers(0, 3))):
        data = _bend(draw, data)
    return data


def _bend(draw: st.DrawFn, data: Any) -> Any:
    if isinstance(data, dict) and data and draw(st.integers(0, 3)):
        key = draw(st.sampled_from(sorted(data)))
        rest = {name: value for name, value in data.items() if name != key}
        return rest if draw(st.integers(0, 4)) == 0 else {**rest, key: _bend(draw, data[key])}
    if isinstance(data, list) and data and draw(st.integers(0, 3)):
        index = draw(st.integers(0, len(data) - 1))
        bent_item = [] if draw(st.integers(0, 4)) == 0 else [_bend(draw, data[index])]
        return [*data[:index], *bent_item, *data[index + 1 :]]
    return draw(JUNK)

"""How long a token lives, when it is renewed and how often rotated: the arithmetic of what the spec says about time."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from fractions import Fraction

from tooken_ci.spec.durations import show, show_share

RUNS_EVERY = timedelta(hours=24)
RENEW_BEFORE = Fraction(33, 100)
OVERLAP = timedelta(hours=24)
"""GitHub reads a repository's secrets when a run is queued, so a job may still hold yesterday's."""

_MINUTE = timedelta(minutes=1)

MARGIN = timedelta(hours=2)
"""What a scheduled run may come late; two runs and this must fit before the end."""


MOST_LIVING = 4
"""So many generations of an entry may be alive at once."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Times:
    """What the spec says about the life of a token; first built in, then the file's defaults, then the entry's own.

    Attributes:
        expires_in: None = the token never expires, or at an absolute time.
        renew_before: a share of the life, or a duration.
        runs_every: how often apply runs.
        overlap: how long an older generation lives on.
        every: how old a generation gets; None = as old as its life allows.
        in_place: the same token gets a new secret then.
    """

    expires_in: timedelta | None = None
    renew_before: Fraction | timedelta = RENEW_BEFORE
    runs_every: timedelta = RUNS_EVERY
    overlap: timedelta = OVERLAP
    every: timedelta | None = None
    in_place: bool = False


def asked(life: timedelta, renew_before: Fraction | timedelta) -> timedelta:
    """How long before its end a token is to be renewed, as the spec asks for it."""
    if isinstance(renew_before, timedelta):
        return renew_before
    return life * renew_before.numerator // renew_before.denominator


def least(runs_every: timedelta) -> timedelta:
    """How long before its end a token must be renewed, so that one run may fail and the next still be in time."""
    return 2 * runs_every + MARGIN


def renewal(life: timedelta, times: Times) -> timedelta:
    """How long before its end a token of this life is due."""
    return max(asked(life, times.renew_before), least(times.runs_every))


def too_short(life: timedelta, times: Times) -> tuple[str, str] | None:
    """Why a token of this life cannot be renewed in time, and what would do; None where it can."""
    before = renewal(life, times)
    needed = before + times.runs_every
    if life >= needed:
        return None
    how = f"renew_before {show(before)}"
    if before > asked(life, times.renew_before):
        how += f" (twice runs_every plus {show(MARGIN)}, more than the {_written(times.renew_before)} asked for)"
    elif isinstance(times.renew_before, Fraction):
        how += f" ({show_share(times.renew_before)} of {show(life)})"
    message = (
        f"A life of {show(life)} is too short: it must be at least {show(needed)}, "
        f"which is {how} + runs_every {show(times.runs_every)}."
    )
    return message, _remedy(life, times)


def crowded(life: timedelta, times: Times) -> tuple[str, str] | None:
    """Why renewal leaves too many tokens alive, and what would do; None where it does not.

    The fourth before the next one must have ended when that is made, or a run must have come since its overlap passed;
    and a run may be missed, and the next be late.
    """
    asked_apart = life - renewal(life, times)
    apart = max(asked_apart * 9 // 10, times.runs_every)  # the jitter takes a tenth at most
    room = max((MOST_LIVING - 1) * apart - least(times.runs_every), timedelta(0))
    if MOST_LIVING * apart >= life or times.overlap <= room:
        return None
    message = (
        f"A token is renewed every {show(asked_apart)} (expires_in {show(life)} less renew_before), so with overlap "
        f"{show(times.overlap)} more than {MOST_LIVING} would be alive at once; no more are made then."
    )
    longest = show(room // _MINUTE * _MINUTE) if room >= _MINUTE else "0"
    return message, f"Shorten the overlap to {longest}, or let the token live longer."


def too_fast(times: Times) -> tuple[str, str] | None:
    """Why tokens cannot be rotated this often, and what would do; None where they can, or are not rotated."""
    if times.every is None or times.every > times.overlap or times.in_place:
        return None
    every, overlap = show(times.every), show(times.overlap)
    message = (
        f"'every' {every} must be longer than overlap {overlap}: "
        "a generation would be replaced before the one that it replaced has gone."
    )
    return message, f"Rotate less often than every {overlap}, or shorten the overlap."


def seldom_run(times: Times) -> tuple[str, str] | None:
    """Why tokens are rotated less often than asked, and what would do; None where apply runs often enough."""
    if times.every is None or times.every >= times.runs_every:
        return None
    message = (
        f"'every' {show(times.every)} is shorter than runs_every {show(times.runs_every)}: "
        "tokens are rotated only when apply runs."
    )
    return message, "Run apply more often, and say so in 'runs_every'; or rotate less often."


def _remedy(life: timedelta, times: Times) -> str:
    slowest = slowest_runs(life, times.renew_before)
    if slowest is not None:
        return f"Set runs_every to {show(slowest)} or less and run apply that often, or let the token live longer."
    if asked(life, times.renew_before) + timedelta(minutes=1) > life:
        return "No runs_every would do: let the token live longer, or shorten renew_before."
    return f"No runs_every would do: let the token live for three times runs_every plus {show(MARGIN)}."


def slowest_runs(life: timedelta, renew_before: Fraction | timedelta) -> timedelta | None:
    """The largest ``runs_every``, in whole hours or else minutes, with which a token is renewed in time, if any."""
    room = min(life - asked(life, renew_before), (life - MARGIN) / 3)
    for unit in (timedelta(hours=1), timedelta(minutes=1)):
        if room >= unit:
            return room // unit * unit
    return None


def _written(renew_before: Fraction | timedelta) -> str:
    return show(renew_before) if isinstance(renew_before, timedelta) else show_share(renew_before)

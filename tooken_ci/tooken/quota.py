"""The quota governor: one per workspace and process, it says when a request may be sent.

It counts what is in flight, keeps the reserve for others, and waits for the reset rather than for a 429. While the
present window is not known (at the start, after each reset, without headers) one request goes alone and tells.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import threading
from typing import TYPE_CHECKING

from tooken_ci.base.errors import DeadlineError
from tooken_ci.base.progress import Silence
from tooken_ci.base.text import count
from tooken_ci.tooken.window import Reserve, Window, whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tooken_ci.base.progress import Progress
    from tooken_ci.base.times import Clock
    from tooken_ci.tooken.servertime import ServerTime

log = logging.getLogger(__name__)

_LONG_WAIT = 5.0
_GLANCE = 0.1
"""Seconds between two looks at whether the run was stopped, while another request's answer is waited for."""

_AN_ANSWER = 0.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class Pace:
    """How fast a run may go.

    Attributes:
        workers: how many requests may be under way at once.
        reserve: what is left to others.
    """

    workers: int = 8
    reserve: Reserve = dataclasses.field(default_factory=Reserve)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Allowance:
    """What is known of the allowance at one moment.

    Attributes:
        limit: requests a window; None = the answers do not tell.
        remaining: what is left of them; None = the answers do not tell.
        resets_in: seconds until a full window starts; 0 = now, or not known.
        reserved: what of each window is left to others.
    """

    limit: int | None
    remaining: int | None
    resets_in: float
    reserved: int = 0


class Turn:
    """One request's leave to be sent.

    Attributes:
        used: the request was sent, as far as it could be.
        headers: of the answer, where there is one.
    """

    used: bool = False
    headers: Mapping[str, str] | None = None


class Quota:
    """Thread-safe.

    Attributes:
        sent: how many requests went out so far, repeats included.
    """

    def __init__(
        self, server_time: ServerTime, clock: Clock, *, pace: Pace | None = None, progress: Progress | None = None
    ) -> None:
        self._server_time = server_time
        self._clock = clock
        self._pace = pace or Pace()
        self._progress = progress or Silence()
        self._window = Window(server_time, clock)
        self._changed = threading.Condition()  # guards all of the following, and the window
        self._in_flight = 0
        self._held = 0
        self._not_before = 0.0
        self._announced = 0.0
        self._mine = threading.local()
        self.sent = 0

    def look(self) -> Allowance:
        """The allowance as it stands now; a window that has ended counts as a full one."""
        with self._changed:
            window = self._window
            remaining = window.remaining()
            return Allowance(
                limit=window.limit,
                remaining=window.limit if remaining is None else remaining,
                resets_in=max(0.0, window.ends_in()),
                reserved=window.reserved(self._pace.reserve),
            )

    @contextlib.contextmanager
    def turn(self) -> Iterator[Turn]:
        """Wait until one request may be sent; inside, it is in flight.

        Raises:
            StoppedError: the run is to end, or the wait would go past its deadline.
        """
        with self._changed:
            self._wait_for(0 if self._holds() else 1)
            if self._holds():
                self._mine.holds -= 1
                self._held -= 1
            self._in_flight += 1
            self.sent += 1
            number, sent_at = self.sent, self._server_time.epoch()
        turn = Turn()
        try:
            yield turn
        finally:
            with self._changed:
                self._in_flight -= 1
                if not turn.used:
                    self.sent -= 1
                elif turn.headers is None:
                    self._window.spend()
                else:
                    self._window.note(turn.headers, number=number, sent_at=sent_at)
                self._changed.notify_all()

    @contextlib.contextmanager
    def hold(self, requests: int) -> Iterator[None]:
        """Put so many requests aside for this thread before it begins what must not stop half-way for a reset.

        Where the whole allowance is smaller, as many as it has. Raises as ``turn``.
        """
        with self._changed:
            self._wait_for(requests)
            held = min(requests, self._most_at_once())
            self._held += held
            self._mine.holds = held
        try:
            yield
        finally:
            with self._changed:
                self._held -= self._holds()
                self._mine.holds = 0
                self._changed.notify_all()

    def told_wait(self, headers: Mapping[str, str]) -> float:
        """Seconds that a 429 asks to wait: as ``Retry-After`` says, else until the reset; 0 where neither is told."""
        told = whole(headers.get("Retry-After"))
        return self.look().resets_in if told is None else float(told)

    def hold_off(self, seconds: float) -> None:
        """Send nothing for so long, whoever asks: the API said so."""
        with self._changed:
            self._not_before = max(self._not_before, self._clock.monotonic() + seconds)

    def _holds(self) -> int:
        return getattr(self._mine, "holds", 0)

    def _wait_for(self, requests: int) -> None:
        """Wait, with the lock given up meanwhile, until so many more requests fit; 0 = they are held already."""
        while (wait := self._obstacle(requests)) is not None:
            if wait == _AN_ANSWER:
                if requests:  # what is under way already, and holds its requests, goes on
                    self._clock.check()
                self._changed.wait(_GLANCE)
                continue
            why = self._why()
            self._announce(wait, why)
            self._changed.release()
            try:
                self._clock.sleep(wait)
            except DeadlineError as error:
                error.explain(f"The wait is for the allowance: {why}.")
                raise
            finally:
                self._changed.acquire()

    def _obstacle(self, requests: int) -> float | None:
        """What stands in the way: None = nothing, ``_AN_ANSWER`` = others of this process, else seconds to wait."""
        forbidden = self._not_before - self._clock.monotonic()
        if forbidden > 0:
            return forbidden
        if self._in_flight >= self._pace.workers:
            return _AN_ANSWER
        remaining = self._window.remaining()
        if remaining is None:
            alone = self._in_flight == 0 and (requests <= 1 or self._held == 0)
            return None if alone else _AN_ANSWER
        reserved = self._window.reserved(self._pace.reserve)
        fit = remaining - self._in_flight - self._held - reserved
        if not requests or fit >= min(requests, self._most_at_once()):
            return None
        # an answer under way may tell of more than is counted on, and what is held may be given back
        return _AN_ANSWER if self._in_flight or self._held else self._window.ends_in()

    def _most_at_once(self) -> int:
        """How many requests a full window has for this run, as far as is known; where nothing is, one."""
        whole = self._window.limit or self._window.remaining() or 0
        return max(1, whole - self._window.reserved(self._pace.reserve))

    def _why(self) -> str:
        """What a wait is for, in words."""
        remaining = self._window.remaining()
        if self._not_before > self._clock.monotonic() or remaining is None:
            return "the API answered 429"
        reserved = self._window.reserved(self._pace.reserve)
        return f"{count(remaining, 'request')} left until the reset, of which {reserved} are kept for others"

    def _announce(self, wait: float, why: str) -> None:
        """Say so once, whoever of this process waits."""
        ends = self._clock.monotonic() + wait
        if wait <= _LONG_WAIT or ends <= self._announced + 1:
            return
        self._announced = ends
        log.warning("Waiting %.0f s: %s.", wait, why)
        self._progress.wait(wait, why)

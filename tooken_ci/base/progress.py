"""What a long piece of work tells while it goes on; what becomes of it is the listener's affair."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Hears how far the work has come. It is called from several threads."""

    def step(self, what: str, done: int, total: int) -> None:
        """So many of so many are done; ``what`` names them, such as "tokens read"."""
        ...

    def wait(self, seconds: float, why: str) -> None:
        """Nothing goes on for so long, and why."""
        ...


class Silence:
    """Tells nobody."""

    def step(self, what: str, done: int, total: int) -> None:
        """Nothing."""

    def wait(self, seconds: float, why: str) -> None:
        """Nothing."""

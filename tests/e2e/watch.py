"""A consumer that reads a delivered secret all the time, and uses it at once."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Self

from requests import Session

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.sandbox import RunningSandbox

MOST = 20_000


class Watcher:
    """Reads a file and authenticates with what it reads, again and again, from entry to exit.

    A value that is refused is dead only if the file still holds it: the one who replaced it may have revoked it
    between the read and the request.

    Attributes:
        seen: every value that the file held, in order, without repeats in a row.
        dead: the values that stood in the file and did not authenticate.
        reads: how often it looked.
    """

    def __init__(self, sandbox: RunningSandbox, file: Path) -> None:
        self._url = f"{sandbox.control_url}/v1/tokens?per_page=1"
        self._file = file
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._fault: Exception | None = None
        self.seen: list[str] = []
        self.dead: list[str] = []
        self.reads = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(timeout=30)
        assert not self._thread.is_alive()
        assert self._fault is None, self._fault

    def _run(self) -> None:
        try:
            with Session() as session:
                session.trust_env = False
                while not self._stop.is_set() and self.reads < MOST:
                    self._look(session)
        except Exception as error:  # noqa: BLE001  # told where the test ends
            self._fault = error

    def _read(self) -> str | None:
        try:
            return self._file.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None

    def _look(self, session: Session) -> None:
        value = self._read()
        self.reads += 1
        if value is None:
            return
        if self.seen[-1:] != [value]:
            self.seen.append(value)
        headers = {"Authorization": f"Bearer {value}"}
        alive = session.get(self._url, headers=headers, timeout=30).status_code in {200, 403}
        if not alive and self._read() == value:
            self.dead.append(value)

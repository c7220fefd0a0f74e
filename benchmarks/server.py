"""The benchmark's own server: a sandbox of the API in a process of its own, on loopback, on any free port."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Self

import requests

from benchmarks.effort import BenchmarkError

if TYPE_CHECKING:
    from pathlib import Path

TOO_MANY_REQUESTS = 429
TIMEOUT = 60
UNLIMITED = 1_000_000
"""An allowance that nothing here uses up."""


class Server:
    """A sandbox that runs while the context lasts.

    Attributes:
        url: the API's base URL.
        key: the workspace's API key.
    """

    def __init__(self, **options: int) -> None:
        arguments = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
        self._process = subprocess.Popen(  # noqa: S603  # nosec B603  # our own command
            [sys.executable, "-m", "tooken_ci", "sandbox", *arguments], stdout=subprocess.PIPE, text=True
        )
        self._session = requests.Session()
        self._session.trust_env = False
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            self.stop()
            raise BenchmarkError("The sandbox did not start; its standard error says why.")
        told = json.loads(line)
        self.url: str = told["url"]
        self.key: str = told["api_key"]
        self._control = self.url.removesuffix("/v1") + "/_sandbox"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Ends the server."""
        self._session.close()
        self._process.terminate()
        self._process.wait(timeout=TIMEOUT)
        if self._process.stdout:
            self._process.stdout.close()

    def environment(self, home: Path) -> dict[str, str]:
        """What a child is given: the API, its key, and nothing of the caller's but the way to programs."""
        path = os.pathsep.join((os.path.dirname(sys.executable), os.environ["PATH"]))  # noqa: PTH120  # text stays text
        return {
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "PATH": path,
            "TOOKEN_API_URL": self.url,
            "TOOKEN_API_KEY": self.key,
        }

    def take_log(self) -> list[dict[str, Any]]:
        """The API requests received since the last time, oldest first."""
        answer = self._session.get(f"{self._control}/requests", timeout=TIMEOUT)
        answer.raise_for_status()
        self._session.delete(f"{self._control}/requests", timeout=TIMEOUT).raise_for_status()
        log: list[dict[str, Any]] = answer.json()
        return log

    def active_names(self) -> list[str]:
        """The names of all active tokens, looked at without a trace, whatever the latency and the allowance."""
        names: list[str] = []
        while True:
            page = len(names) // 100 + 1
            query: dict[str, str | int] = {"status": "active", "per_page": 100, "page": page}
            answer = self._observe(self.key, query).json()
            names += [token["name"] for token in answer["data"]]
            if len(names) >= answer["meta"]["total"]:
                return sorted(names)

    def authenticates(self, secret: str) -> bool:
        """Tells whether a secret is a living credential, without a trace."""
        return self._observe(secret, {"per_page": 1}).status_code in {200, 403}

    def _observe(self, key: str, query: dict[str, str | int]) -> requests.Response:
        headers = {"Authorization": f"Bearer {key}"}
        return self._session.get(f"{self._control}/v1/tokens", params=query, headers=headers, timeout=TIMEOUT)


def refused(log: list[dict[str, Any]]) -> int:
    """How many of these requests were answered 429."""
    return sum(request["status"] == TOO_MANY_REQUESTS for request in log)

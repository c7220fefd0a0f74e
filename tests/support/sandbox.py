"""A sandbox in a process of its own, for tests that want a real server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from requests import Response, Session

from tests.support.zygote import zygote

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.support.zygote import Running

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT = 30


def _started(arguments: Sequence[str], environment: Mapping[str, str]) -> Running:
    """Starts it."""
    forking = zygote("tooken_ci.sandbox.*", environment=environment)
    if not forking.fits(environment):
        command = [sys.executable, "-m", "tooken_ci.sandbox", *arguments]
        return subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, cwd=ROOT, text=True)
    return forking.start(
        ["tooken_ci.sandbox", *arguments],
        call="tooken_ci.sandbox.__main__:main",
        folder=ROOT,
        path=ROOT,
        environment=environment,
        stderr=2,
    )


class RunningSandbox:
    """A sandbox that runs from construction until ``stop``.

    ``get``, ``post``, ``delete`` and what builds on them go past log, faults, quota and latency, and leave no
    ``last_used_at``: looking at the outcome does not change it. Requests to ``url`` are the real ones.

    Attributes:
        url: the API's base URL, with /v1.
        api_key: the workspace's API key.
        pid: the server's process.
        process: its handle.
    """

    def __init__(
        self,
        *,
        seed: int | str | Path | Sequence[Mapping[str, Any]] | None = None,
        faults: Path | Sequence[Mapping[str, Any]] | None = None,
        api_key: str | None = None,
        **options: object,
    ) -> None:
        """Starts a server with the options of ``tooken-ci sandbox``; seed and faults may be given as lists."""
        self._folder = tempfile.TemporaryDirectory(prefix="sandbox-")
        arguments = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
        if seed is not None:
            arguments.append(f"--seed={self._in_file('seed', seed)}")
        if faults is not None:
            arguments.append(f"--faults={self._in_file('faults', faults)}")
        self.process = _started(arguments, {**os.environ, "TOOKEN_SANDBOX_API_KEY": api_key or ""})
        self._session = Session()
        self._session.trust_env = False
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            self.stop()
            raise RuntimeError("the sandbox did not start; its standard error says why")
        address = json.loads(line)
        self.url: str = address["url"]
        self.api_key: str = address["api_key"]
        self.pid: int = address["pid"]
        self.control_url = self.url.removesuffix("/v1") + "/_sandbox"

    def _in_file(self, name: str, content: object) -> object:
        if isinstance(content, (int, str, Path)):
            return content
        path = Path(self._folder.name, f"{name}.json")
        path.write_text(json.dumps(content), encoding="utf-8")
        return path

    def stop(self) -> int:
        """Ends the server and returns its exit code."""
        self._session.close()
        self.process.terminate()
        try:
            return self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()
        finally:
            if self.process.stdout is not None:
                self.process.stdout.close()
            self._folder.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Ends it at once: its server would look only now and then whether it is to end. A measured one must write."""
        if not any(name.startswith("COV") for name in os.environ):
            self.process.kill()
        self.stop()

    def requests(self) -> list[dict[str, Any]]:
        """Returns the log of API requests: n, method, path, query, status, credential, fault."""
        entries: list[dict[str, Any]] = self._control("GET", "/requests").json()
        return entries

    def clear_requests(self) -> None:
        """Empties the log; the numbers go on."""
        self._control("DELETE", "/requests")

    def advance(self, seconds: float) -> None:
        """Moves the server's clock."""
        self._control("POST", "/clock", {"advance": seconds})

    def now(self) -> float:
        """Returns the server's time in Unix seconds."""
        return float(self._control("GET", "/clock").json()["unix"])

    def set_faults(self, faults: Sequence[Mapping[str, Any]]) -> None:
        """Replaces the faults; their counts start anew, the requests' numbers do not."""
        self._control("PUT", "/faults", faults)

    def send(
        self, method: str, path: str, *, key: str | None = None, timeout: float = TIMEOUT, **options: Any
    ) -> Response:
        """Sends a real request to the API, with the API key or another credential (``""`` for none)."""
        credential = self.api_key if key is None else key
        headers = {"Authorization": f"Bearer {credential}"} if credential else {}
        headers |= options.pop("headers", {})
        return self._session.request(method, self.url + path, headers=headers, timeout=timeout, **options)

    def get(self, path: str, *, key: str | None = None, **params: object) -> Response:
        """Sends an unobserved GET with the API key or another credential."""
        return self._observe("GET", path, key, params=params)

    def post(self, path: str, body: object = None, *, key: str | None = None) -> Response:
        """Sends an unobserved POST with the API key or another credential."""
        return self._observe("POST", path, key, json=body)

    def delete(self, path: str, *, key: str | None = None) -> Response:
        """Sends an unobserved DELETE with the API key or another credential."""
        return self._observe("DELETE", path, key)

    def create(self, name: str, *scopes: str, expires_at: str | None = None) -> dict[str, Any]:
        """Makes a token (``tokens:read`` by default) and returns it with its secret in ``token``."""
        body = {"name": name, "scopes": scopes or ("tokens:read",), "expires_at": expires_at}
        reply = self.post("/tokens", body)
        assert reply.status_code == 201, reply.text
        issued: dict[str, Any] = reply.json()
        return issued

    def token(self, token_id: str) -> dict[str, Any]:
        """Returns a token of any status."""
        reply = self.get(f"/tokens/{token_id}")
        assert reply.status_code == 200, reply.text
        token: dict[str, Any] = reply.json()
        return token

    def tokens(self, **filters: object) -> list[dict[str, Any]]:
        """Returns all tokens that the filters leave, newest first."""
        found: list[dict[str, Any]] = []
        page = 1
        while True:
            params = {"page": page, "per_page": 100, **filters}
            listing = self._observe("GET", "/tokens", None, params=params).json()
            found += listing["data"]
            if len(found) >= listing["meta"]["total"]:
                return found
            page += 1

    def active_tokens(self) -> list[dict[str, Any]]:
        """Returns all active tokens, newest first."""
        return self.tokens(status="active")

    def authenticates(self, secret: str) -> bool:
        """Tells whether a secret is a living credential, whatever its scopes."""
        return self.get("/tokens", key=secret, per_page=1).status_code in (200, 403)

    def _observe(self, method: str, path: str, key: str | None, **options: Any) -> Response:
        headers = {"Authorization": f"Bearer {key or self.api_key}"}
        url = f"{self.control_url}/v1{path}"
        return self._session.request(method, url, headers=headers, timeout=TIMEOUT, **options)

    def _control(self, method: str, path: str, body: object = None) -> Response:
        reply = self._session.request(method, self.control_url + path, json=body, timeout=TIMEOUT)
        assert reply.ok, reply.text
        return reply

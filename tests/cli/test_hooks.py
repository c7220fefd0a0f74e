"""What nobody catches is told shortly and masked, also when the run is over."""

from __future__ import annotations

import subprocess
import sys

import pytest

SECRET = "tok_0123456789abcdef"
_PROCESS = """
import logging, sys, threading
from tooken_ci.base.secret import Secret
from tooken_ci.cli import hooks

class Falling:
    def __del__(self):
        raise ValueError(value)

def boom():
    raise ValueError(value)

hooks.install()
value = sys.argv[1]
secret = Secret(value)
if sys.argv[2] == "debug":
    logging.getLogger("tooken_ci").setLevel(logging.DEBUG)
"""
ENDS = {
    "uncaught": "boom()",
    "in a thread": "thread = threading.Thread(target=boom); thread.start(); thread.join()",
    "unraisable": "Falling()",
    "interrupted": "raise KeyboardInterrupt(value)",
}


@pytest.mark.parametrize("level", ["plain", "debug"])
@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_what_nobody_catches(end: str, level: str) -> None:
    """A short message with what to do next, and at debug level a traceback without a secret."""
    ended = subprocess.run(
        [sys.executable, "-c", _PROCESS + end, SECRET, level], capture_output=True, text=True, check=False, timeout=30
    )
    assert "This is a fault of tooken-ci itself" in ended.stderr
    assert "--debug" in ended.stderr
    assert SECRET not in ended.stdout + ended.stderr
    assert ("Traceback" in ended.stderr) == ("***" in ended.stderr) == (level == "debug")


def test_what_it_says_is_harmless() -> None:
    """Whatever stands in the error, no line of its traceback is a command to a runner, or steers a terminal."""
    end = "raise ValueError('\\n::error::forged\\n\\x1b[2J\\u202e##[error]forged')"
    ended = subprocess.run(
        [sys.executable, "-c", _PROCESS + end, SECRET, "debug"], capture_output=True, text=True, check=False, timeout=30
    )
    assert "forged" in ended.stderr
    assert not any(line.startswith("::") or "##[" in line for line in ended.stderr.splitlines())
    assert not {"\x1b", "\u202e"} & set(ended.stderr)


def test_a_thread_that_exits() -> None:
    """A thread that ends itself is no fault."""
    end = "thread = threading.Thread(target=sys.exit); thread.start(); thread.join()"
    ended = subprocess.run(
        [sys.executable, "-c", _PROCESS + end, SECRET, "plain"], capture_output=True, text=True, check=False, timeout=30
    )
    assert (ended.returncode, ended.stderr) == (0, "")


def test_no_standard_error() -> None:
    """Where standard error is closed nothing is told, and nothing breaks."""
    end = "sys.stderr = None; threading.excepthook(threading.ExceptHookArgs([ValueError, None, None, None])); print(1)"
    ended = subprocess.run(
        [sys.executable, "-c", _PROCESS + end, SECRET, "plain"], capture_output=True, text=True, check=False, timeout=30
    )
    assert (ended.returncode, ended.stdout) == (0, "1\n")

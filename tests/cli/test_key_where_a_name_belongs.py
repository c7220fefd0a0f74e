"""A key that stands where a name, a value or a command belongs is masked in whatever is said of that."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

import pytest

from tooken_ci.cli import privacy
from tooken_ci.cli.program import run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEY = "tok_live_plainly_a_fake_key_of_this_test"
SPEC = """
version: 1
workspace: test
tokens:
  ci: {scopes: [tokens:read], expires_in: 90d, deliver: [{file: {path: out/ci}}]}
"""
SLIPS = {
    "the name of a lease": ["lease", KEY],
    "the name of an entry": ["rotate", KEY],
    "an entry of --only": ["plan", "--only", KEY],
    "the path of a spec": ["plan", "--spec", KEY],
    "a number": ["plan", "--workers", KEY],
    "a choice": ["plan", "--format", KEY],
    "an argument too many": ["plan", KEY],
    "an option": ["plan", f"--{KEY}"],
    "a command": [KEY],
}


@pytest.fixture
def key_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Gives a file with the key beside a spec, in the folder where this process stands."""
    monkeypatch.setattr(privacy, "keep_memory_private", lambda: None)  # it would last
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith(("TOOKEN_", "GITHUB_", "INPUT_")):
            monkeypatch.delenv(name)
    (tmp_path / "tooken.yml").write_text(SPEC, encoding="utf-8")
    path = tmp_path / "key"
    path.write_text(f"{KEY}\n", encoding="utf-8")
    path.chmod(0o600)
    root = logging.getLogger()
    kept = root.handlers[:], root.level
    yield path
    root.handlers[:] = kept[0]
    root.setLevel(kept[1])


@pytest.mark.parametrize("way", ["option", "option with =", "variable", "the key's own variable"])
@pytest.mark.parametrize("arguments", SLIPS.values(), ids=SLIPS)
def test_it_is_masked(
    key_file: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    way: str,
) -> None:
    """Wherever the key stands in the command line, and whichever way it is given, the error shows a mask instead."""
    given = list(arguments)
    if way == "variable":
        monkeypatch.setenv("TOOKEN_API_KEY_FILE", str(key_file))
    elif way == "the key's own variable":
        monkeypatch.setenv("TOOKEN_API_KEY", KEY)
    else:
        option = ["--api-key-file", str(key_file)] if way == "option" else [f"--api-key-file={key_file}"]
        given[1:] = [*given[1:], *option]
    assert run(given) == 2
    out, err = capsys.readouterr()
    assert "***" in err
    assert "live_plainly" not in out + err


@pytest.mark.parametrize("content", [None, b"", b"short", b"\xff\xfe not text", b"a long line\n" * 1000])
def test_a_file_that_gives_no_key(key_file: Path, capsys: pytest.CaptureFixture[str], content: bytes | None) -> None:
    """What is wrong with the file itself is told where the key is needed, and neither before nor twice."""
    if content is None:
        key_file.unlink()
    else:
        key_file.write_bytes(content)
    assert run(["plan", "--api-key-file", str(key_file)]) == 2
    assert capsys.readouterr().err.count("Error: ") == 1


def test_a_key_out_of_a_pipe(key_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A pipe, which gives the key only once, gives it to the run."""
    reading, writing = os.pipe()
    os.write(writing, key_file.read_bytes())
    os.close(writing)
    try:
        assert run(["plan", "--api-key-file", f"/dev/fd/{reading}", "--api-url", "http://127.0.0.1:9/v1"]) == 1
    finally:
        os.close(reading)
    assert "cannot be reached" in capsys.readouterr().err


def test_a_file_that_others_may_read(key_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A key that is refused because others may read its file is a key all the same, and masked."""
    key_file.chmod(0o644)
    assert run(["plan", "--only", KEY, "--api-key-file", str(key_file)]) == 2
    err = capsys.readouterr().err
    assert "live_plainly" not in err

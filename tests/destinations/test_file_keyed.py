"""One key among others in a file: what stands beside it is kept, also where several write at once."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from tests.destinations.support import HERE, OTHER, SECRET, TOKEN_ID, held, kind, mark, record
from tests.spec.support import write as write_spec
from tooken_ci.base.errors import DestinationError, SpecError
from tooken_ci.base.record import State
from tooken_ci.base.secret import Secret
from tooken_ci.destinations import file_access
from tooken_ci.spec.load import load

if TYPE_CHECKING:
    from pathlib import Path

    from tooken_ci.destinations.file_store import FileDestination

MANY = 12


@pytest.fixture(autouse=True)
def _at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def opened(**settings: Any) -> FileDestination:
    files = kind()
    return files.open(files.parse(settings, HERE))


def deliver(destination: FileDestination, secret: str = SECRET) -> None:
    destination.write_record(record(marks=(mark(),)))
    destination.write(Secret(secret))
    destination.write_record(record(of=held(TOKEN_ID, secret)))


def test_what_others_wrote_stays(tmp_path: Path) -> None:
    """Lines of other people, bytes that are no text included, are the same before and after."""
    (tmp_path / ".env").write_bytes(b"# \xff\xfe ours\nA=1\r\nTOKEN=old\n")
    deliver(opened(path=".env", format="dotenv", key="TOKEN"))
    assert (tmp_path / ".env").read_bytes() == b"# \xff\xfe ours\nA=1\r\nTOKEN=" + SECRET.encode() + b"\n"


def test_the_time_of_the_file_is_no_evidence(tmp_path: Path) -> None:
    """A key still holds what its record names when another key was written after it."""
    one, other = (opened(path="c.json", format="json", key=key) for key in ("one", "other"))
    deliver(one)
    deliver(other, OTHER)
    os.utime(tmp_path / "c.json", ns=(2**62, 2**62))
    for destination, of in ((one, held()), (other, held(secret=OTHER))):
        look = destination.look()
        assert (look.state, look.held, look.value_newer, look.readable) == (State.HOLDS, of, False, True)


def test_each_key_has_a_record(tmp_path: Path) -> None:
    """The record of each key stands beside the file, under a name that no key can spoil."""
    for key in ("one", "a/b:c ü"):
        deliver(opened(path="c.json", format="json", key=key))
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "c.json",
        "c.json.a%2Fb%3Ac%20%C3%BC.tooken",
        "c.json.one.tooken",
    ]


def test_no_object_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    """A file that is no JSON object is unknown, refused by the check and by a write, and stays as it is."""
    (tmp_path / "c.json").write_text("[1]", encoding="utf-8")
    destination = opened(path="c.json", format="json", key="token")
    look = destination.look()
    assert (look.state, look.reason) == (State.UNKNOWN, "it is not a JSON object")
    assert destination.fetch(held()) is None
    with pytest.raises(DestinationError, match="not a JSON object"):
        destination.check()
    with pytest.raises(DestinationError, match="not a JSON object") as caught:
        destination.write(Secret(SECRET))
    assert caught.value.surely_refused
    with pytest.raises(DestinationError, match="cannot be read back: it is not a JSON object") as caught:
        destination.holds(Secret(SECRET))
    assert not caught.value.surely_refused
    assert (tmp_path / "c.json").read_text(encoding="utf-8") == "[1]"


def test_a_secret_that_a_dotenv_file_cannot_take(tmp_path: Path) -> None:
    """A secret with a line end is surely refused, without being shown."""
    with pytest.raises(DestinationError, match="do not agree on") as caught:
        opened(path=".env", format="dotenv", key="TOKEN").write(Secret(f"{SECRET}\nx"))
    assert caught.value.surely_refused
    assert SECRET not in str(caught.value)
    assert not (tmp_path / ".env").exists()


def test_a_file_that_is_too_large_to_be_changed(tmp_path: Path) -> None:
    """A file of which only a part would be read is not replaced by that part."""
    with (tmp_path / ".env").open("wb") as file:
        file.truncate(2 << 20)
    destination = opened(path=".env", format="dotenv", key="TOKEN")
    assert destination.look().reason == "it cannot be read: file too large"
    with pytest.raises(DestinationError, match="file too large"):
        destination.write(Secret(SECRET))
    assert (tmp_path / ".env").stat().st_size == 2 << 20


@pytest.mark.parametrize("form", ["dotenv", "json"])
def test_keys_written_at_once(tmp_path: Path, form: str) -> None:
    """Of many keys that threads write to one file at the same time none is lost."""
    files = kind()
    destinations = [files.open(files.parse({"path": "all", "format": form, "key": f"K{n}"}, HERE)) for n in range(MANY)]
    start = threading.Barrier(MANY)

    def run(number: int) -> None:
        start.wait()
        deliver(destinations[number], f"{SECRET}{number}")

    threads = [threading.Thread(target=run, args=(number,)) for number in range(MANY)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one.holds(Secret(f"{SECRET}{number}")) for number, one in enumerate(destinations)] == [True] * MANY


PROCESS = """
import sys
from tooken_ci.base.position import Position
from tooken_ci.base.secret import Secret
from tooken_ci.destinations.file import FileKind
from tooken_ci.destinations.interface import Surroundings
files = FileKind(Surroundings())
print("ready", flush=True)
sys.stdin.readline()
for number in range(10):
    key = f"{sys.argv[1]}{number}"
    target = files.parse({"path": "all.json", "format": "json", "key": key}, Position("x", 1, 1))
    files.open(target).write(Secret(f"{key}-fake-secret"))
"""


def test_runs_that_write_at_once(tmp_path: Path) -> None:
    """Of the keys that several processes write to one file at the same time none is lost."""
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", PROCESS, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for name in "abc"
    ]
    for run in runs:
        assert run.stdout is not None
        assert run.stdout.readline() == "ready\n"
    for run in runs:
        run.communicate("go\n")
    assert [run.returncode for run in runs] == [0, 0, 0]
    keys = {f"{name}{number}" for name in "abc" for number in range(10)}
    assert set(json.loads((tmp_path / "all.json").read_text(encoding="utf-8"))) == keys


def test_a_lock_that_never_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where another process keeps the folder locked, a write is surely refused once its time is over."""
    monkeypatch.setattr(file_access, "_LONGEST_WAIT", 0.1)
    handle = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    try:
        with pytest.raises(DestinationError, match="locked by another process") as caught:
            opened(path=".env", format="dotenv", key="TOKEN").write(Secret(SECRET))
    finally:
        os.close(handle)
    assert caught.value.surely_refused
    opened(path=".env", format="dotenv", key="TOKEN").write(Secret(SECRET))


def test_a_file_system_without_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the file system knows no locks, a key is written all the same."""

    def refuse(*_: object) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    opened(path=".env", format="dotenv", key="TOKEN").write(Secret(SECRET))
    assert (tmp_path / ".env").read_text(encoding="utf-8") == f"TOKEN={SECRET}\n"


def two(one: str, other: str) -> str:
    return f"""version: 1
tokens:
  one:
    scopes: [tokens:read]
    deliver: [{{file: {one}}}]
  other:
    scopes: [tokens:read]
    deliver: [{{file: {other}}}]
"""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("{path: a, format: json, key: x}", "{path: a, format: json, key: y}"),
        ("{path: a, format: dotenv, key: X}", "{path: ./a, format: dotenv, key: x}"),
        ("{path: a, format: json, key: x}", "{path: b}"),
    ],
)
def test_what_may_stand_side_by_side(tmp_path: Path, one: str, other: str) -> None:
    """Different keys of one file, in one format, are places of their own."""
    assert len(load(write_spec(tmp_path, tooken=two(one, other)), kinds=[kind()]).entries) == 2


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("{path: a, format: json, key: x}", "{path: ./a, format: json, key: x}"),
        ("{path: a, format: json, key: x}", "{path: a, format: dotenv, key: y}"),
        ("{path: a, format: json, key: x}", "{path: a}"),
        ("{path: a}", "{path: a, format: dotenv, key: x}"),
        ("{path: a}", "{path: a.tooken, format: dotenv, key: x}"),
        ("{path: a.tooken, format: dotenv, key: x}", "{path: a}"),
        ("{path: a, format: json, key: b.c}", "{path: a.b, format: json, key: c}"),
        ("{path: a, format: json, key: b}", "{path: a.b}"),
        ("{path: a, format: json, key: b}", "{path: a.b.tooken}"),
        ("{path: 'a#b'}", "{path: a, format: json, key: b}"),
    ],
)
def test_what_would_overwrite_each_other(tmp_path: Path, one: str, other: str) -> None:
    """One key twice, a file in two formats, or a file that is another's record are errors with both places."""
    with pytest.raises(SpecError) as caught:
        load(write_spec(tmp_path, tooken=two(one, other)), kinds=[kind()])
    (fault,) = caught.value.faults
    assert fault.position.line == 8
    assert ":5:16" in fault.message

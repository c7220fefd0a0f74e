from __future__ import annotations

import os
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.tooken.support import KEY
from tooken_ci.base.errors import UsageError
from tooken_ci.base.redact import redactor
from tooken_ci.tooken.key import VARIABLE, read_key

OTHER = "tok_live_other_other_other"


def key_file(folder: Path, content: str | bytes) -> str:
    path = folder / "key"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    path.chmod(0o600)
    return str(path)


def test_from_the_variable() -> None:
    """The key comes from the variable, and the redactor knows it from then on."""
    assert read_key({VARIABLE: KEY}, None).reveal() == KEY
    assert redactor.clean(KEY) == "***"


def test_from_a_file(tmp_path: Path) -> None:
    """A file that is named goes before the variable."""
    assert read_key({VARIABLE: OTHER}, key_file(tmp_path, KEY)).reveal() == KEY


@pytest.mark.parametrize("around", ["{}\n", "{}\r\n", "  {}  ", "\n{}\n\n"])
def test_space_around_it_is_dropped(tmp_path: Path, around: str) -> None:
    """A line end or spaces around the key, as editors and secret stores leave them, do no harm."""
    assert read_key({VARIABLE: around.format(KEY)}, None).reveal() == KEY
    assert read_key({}, key_file(tmp_path, around.format(KEY))).reveal() == KEY


@pytest.mark.parametrize(
    ("environ", "words"), [({}, f"{VARIABLE} is not set"), ({VARIABLE: ""}, "empty"), ({VARIABLE: " \n"}, "empty")]
)
def test_no_key(environ: dict[str, str], words: str) -> None:
    """Without a key the error says whether the variable is missing or empty, and both ways to give one."""
    with pytest.raises(UsageError, match=words) as caught:
        read_key(environ, None)
    assert VARIABLE in caught.value.hint
    assert "--api-key-file" in caught.value.hint


def test_an_empty_file_is_no_reason_to_take_the_variable(tmp_path: Path) -> None:
    """A file that is named and empty is an error, even where the variable holds a key."""
    path = key_file(tmp_path, "\n")
    with pytest.raises(UsageError, match="is empty") as caught:
        read_key({VARIABLE: KEY}, path)
    assert path in caught.value.message


@pytest.mark.parametrize(
    "value",
    [
        "tok_li",
        "tok_live_abc\ntok_live_def",
        "tok_live_abc\rdef_ghi",
        "tok_live abc def",
        "tok_live_ключ_ключ",
        "tok_live_abc\x00def",
        "tok_live_abc\x1bdef",
        "tok_live_abc\x7fdef",
        "tok_live\xa0abc",
    ],
)
def test_what_cannot_be_a_key(tmp_path: Path, value: str) -> None:
    """A value that no key can be is refused with its length at the most, never with itself."""
    for environ, file in (({VARIABLE: value}, None), ({}, key_file(tmp_path, value))):
        with pytest.raises(UsageError, match="cannot be an API key") as caught:
            read_key(environ, file)
        told = str(caught.value)
        assert value not in told
        assert "tok_li" not in told


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    """Bytes that are no text are refused without being shown."""
    with pytest.raises(UsageError, match="it is not text") as caught:
        read_key({}, key_file(tmp_path, b"\xff\xfe" + KEY.encode()))
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "words"), [("missing", "no such file"), (".", "is a directory"), ("a\0b", "not text")]
)
def test_a_file_that_cannot_be_read(tmp_path: Path, name: str, words: str) -> None:
    """A file that cannot be read is named, with the reason and the option."""
    with pytest.raises(UsageError, match=words) as caught:
        read_key({VARIABLE: KEY}, str(tmp_path / name))
    assert "--api-key-file" in caught.value.hint


def test_a_hostile_file_name() -> None:
    """The name of a file is shown on one line, whatever it holds."""
    with pytest.raises(UsageError) as caught:
        read_key({}, "no\n::error::such file")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o644, 0o666, 0o444])
def test_a_file_that_others_may_read(tmp_path: Path, mode: int) -> None:
    """A key's file in which others have a part is refused with its mode and the remedy, and not read."""
    path = key_file(tmp_path, KEY)
    Path(path).chmod(mode)
    with pytest.raises(UsageError, match=f"open to others on this machine .its mode is {mode:04o}") as caught:
        read_key({VARIABLE: OTHER}, path)
    assert "chmod 600" in caught.value.hint
    assert redactor.clean(KEY) == KEY


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o700])
def test_a_file_that_is_private(tmp_path: Path, mode: int) -> None:
    """A file in which only its owner has a part is taken."""
    path = key_file(tmp_path, KEY)
    Path(path).chmod(mode)
    assert read_key({}, path).reveal() == KEY


def test_a_secret_that_kubernetes_mounts(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A file that is a link into the versions of a mounted secret is taken, with a warning."""
    version = tmp_path / "..2026_11_25"
    version.mkdir()
    Path(key_file(version, KEY)).chmod(0o644)
    (tmp_path / "..data").symlink_to(version.name)
    (tmp_path / "key").symlink_to("..data/key")
    assert read_key({}, str(tmp_path / "key")).reveal() == KEY
    assert "its mode is 0644" in caplog.text
    assert KEY not in caplog.text


def test_a_link_that_only_looks_like_it(tmp_path: Path) -> None:
    """A link to a file that others may read is refused, as the file itself is."""
    folder = tmp_path / "..data"
    folder.mkdir()
    Path(key_file(folder, KEY)).chmod(0o644)
    (tmp_path / "key").symlink_to("..data/key")
    with pytest.raises(UsageError, match="open to others"):
        read_key({}, str(tmp_path / "key"))


def test_a_read_only_mount(tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file on a read-only file system, whose mode nobody here could change, is taken with a warning."""
    path = key_file(tmp_path, KEY)
    Path(path).chmod(0o444)
    told = SimpleNamespace(f_flag=os.ST_RDONLY | os.ST_NOSUID)  # a real one takes root to mount
    monkeypatch.setattr(os, "fstatvfs", lambda _: told)
    assert read_key({}, path).reveal() == KEY
    assert "it was mounted like that" in caplog.text


def test_a_pipe(tmp_path: Path) -> None:
    """A pipe, as a shell makes it of a command, is no file that others could read, whatever its mode."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    path.chmod(0o666)
    writer = threading.Thread(target=path.write_text, args=(KEY,))
    writer.start()
    assert read_key({}, str(path)).reveal() == KEY
    writer.join()


def test_a_file_without_an_end() -> None:
    """No more is read than a key can have, so that a device fills no memory."""
    with pytest.raises(UsageError, match="too much of it"):
        read_key({}, "/dev/zero")

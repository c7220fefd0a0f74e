"""The search at the end of a run finds what the redactor let through, wherever it stands, and tells no value."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from tests.e2e.leaks import ways
from tooken_ci.base import files, heard, leaks
from tooken_ci.base.forms import forms
from tooken_ci.base.heard import Heard
from tooken_ci.base.leaks import Search, findings
from tooken_ci.base.redact import redactor
from tooken_ci.base.secret import Secret

VALUE = "tok_a/secret+of~some='length'\nand of several <lines>"


@pytest.mark.parametrize("way", ways(VALUE))
def test_every_form_at_every_place(way: str) -> None:
    """Each form is found wherever it stands."""
    search = Search(forms(VALUE) | forms("another secret"))
    for text in ways(VALUE)[way]:
        for before in ("", "a", "ab", "abc", "abcd"):
            assert search.finds(f"{before}{text} after")
            assert search.finds(f"{before}{text}")


@pytest.mark.parametrize("way", ["unicode", "bytes", "json", "url", "command", "markup"])
def test_what_was_escaped_once_more(way: str) -> None:
    """A form is found too where the text that it stood in was escaped as a whole, in JSON, a command or Markdown."""
    search = Search(forms("tok_a/secret+of~some<length>"))
    for text in ways("tok_a/secret+of~some<length>")[way]:
        for written in (json.dumps(text), repr(text), text.replace("%", "%25"), text.replace("&", "&amp;")):
            assert search.finds(f"before {written} after")
    assert Search(forms("tok_##[fake]")).finds(r'"tok_\u0023#[fake]"')


def test_what_was_merely_read() -> None:
    """A value that stood in a store is no finding: whoever writes there could choose words of ours."""
    redactor.add_read("GET /tokens: 200")
    stream = Heard("standard error", io.StringIO())
    stream.write("DEBUG GET /tokens: 200")
    assert findings([stream]) == []


def test_the_innocent() -> None:
    """A text without a secret is no finding, not even where much of one stands in it."""
    assert not Search(forms(VALUE)).finds(VALUE.splitlines()[0][:-1] + " " + VALUE.splitlines()[1][1:])
    assert not Search([]).finds(VALUE)
    assert Search(forms("12345678")).finds("x12345678x")
    assert not Search(forms("12345678")).finds("1234567 2345678")


def test_streams_and_files(tmp_path: Path) -> None:
    """A finding names the stream or the file, and never the value."""
    Secret(VALUE)
    clean, leaking = Heard("standard output", io.StringIO()), Heard("standard error", io.StringIO())
    clean.write("nothing")
    leaking.write(f"the key is {VALUE[:10]}")
    leaking.write(VALUE[10:])
    (tmp_path / "notes").write_text(f"x{VALUE}", encoding="utf-8")
    files.append(tmp_path / "innocent", "nothing")
    leaks.written.note(tmp_path / "notes")
    leaks.written.note(tmp_path / "gone")
    assert findings([clean, leaking]) == ["standard error", str(tmp_path / "notes")]


def test_a_file_is_searched_from_where_the_run_began(tmp_path: Path) -> None:
    """What somebody else put into the file before is theirs; what a destination was to receive is exempt, once."""
    Secret(VALUE)
    path = tmp_path / "env"
    path.write_text(f"KEY={VALUE}\n", encoding="utf-8")
    files.hand_over(path, f"TOKEN<<x\n{VALUE}\nx\n")
    files.append(path, f"masked={VALUE}\n")
    assert findings([]) == []
    assert path.read_text(encoding="utf-8") == f"KEY={VALUE}\nTOKEN<<x\n{VALUE}\nx\nmasked=***\n"
    with path.open("a", encoding="utf-8") as file:
        file.write(f"TOKEN<<x\n{VALUE}\nx\n")
    assert findings([]) == [str(path)]


def test_a_large_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file is searched in parts, and a secret across two of them is found."""
    Secret(VALUE)
    monkeypatch.setattr(leaks, "_PART", 1000)
    path = tmp_path / "large"
    leaks.written.note(path)
    for start in range(940, 1010, 7):
        path.write_text("-" * start + VALUE + "-" * 3000, encoding="utf-8")
        assert findings([]) == [str(path)]
    path.write_text("-" * 9000, encoding="utf-8")
    assert findings([]) == []


@pytest.mark.parametrize(
    "value", ["grüße an den schlüssel", "密钥密钥密钥密钥", "\udcff\udcfe-not-text-\udcfd", "🗝" * 8]
)
def test_a_character_across_two_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    """A secret is found wherever a part of a file ends, be it within one of its characters."""
    Secret(value)
    monkeypatch.setattr(leaks, "_PART", 100)
    path = tmp_path / "large"
    leaks.written.note(path)
    content = value.encode(errors="surrogateescape")
    for start in range(100 - len(content), 101):
        path.write_bytes(b"-" * start + content + b"-" * 300)
        assert findings([]) == [str(path)], start
    path.write_bytes(content)
    assert findings([]) == [str(path)]


def test_what_cannot_be_searched(tmp_path: Path) -> None:
    """A file that cannot be read is told as not searched, beside what was found; one that is gone shows nothing."""
    Secret(VALUE)
    unreadable = Path("/proc/self/mem")  # a file, but nothing can be read at its beginning
    leaks.written.note(tmp_path / "gone")
    leaks.written.note(unreadable)
    (tmp_path / "notes").write_text(VALUE, encoding="utf-8")
    leaks.written.note(tmp_path / "notes")
    assert findings([]) == [str(tmp_path / "notes")]
    assert leaks.written.unsearched == [str(unreadable)]


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A long log is searched before it is forgotten, and a secret across the seam is found."""
    Secret(VALUE)
    monkeypatch.setattr(heard, "KEPT", 1000)
    for start in (0, 900, 980, 1000, 5000):
        below = io.StringIO()
        stream = Heard("standard output", below)
        text = "-" * start + VALUE + "-" * 4000
        for at in range(0, len(text), 10):
            stream.write(text[at : at + 10])
            assert sum(map(len, stream._texts)) <= 1000 + 10 + Search(forms(VALUE)).longest
        assert below.getvalue() == text
        assert findings([stream]) == ["standard output"]
    innocent = Heard("standard output", io.StringIO())
    innocent.write("-" * 5000)
    assert findings([innocent]) == []


def test_nothing_is_held() -> None:
    """A run that held no secret has none to leak, and searches nothing."""
    assert findings([Heard("standard output", io.StringIO())]) == []

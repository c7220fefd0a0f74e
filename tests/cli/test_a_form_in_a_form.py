"""A text from outside that holds a secret in some form already is masked before it is escaped once more."""

from __future__ import annotations

import json
import re
import urllib.parse
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.faced import faced
from tests.e2e.project import entry, spec
from tooken_ci.cli.program import run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.cli.faced import Api

KEY = "tok_plainly_a_fake/key+of=this_test"
SPELT = {
    "as it is": KEY,
    "by \\u": "".join(f"\\u{ord(char):04x}" for char in KEY),
    "by \\x": "".join(f"\\x{ord(char):02x}" for char in KEY),
    "quoted for URLs": urllib.parse.quote(KEY, safe=""),
    "in JSON": KEY.replace("/", "\\/"),
}
FORMS = ("text", "json", "markdown")

spellings = pytest.mark.parametrize("spelt", SPELT.values(), ids=SPELT)


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    """Gives an API that this test answers for, and makes this process a run against it on GitHub's runner."""
    with faced(tmp_path, monkeypatch, KEY) as api:
        yield api


def find_no_key(*texts: str) -> None:
    """Asserts that the key stands in no text, however often what it is spelt with was escaped."""
    spelt = [text.lower() for text in SPELT.values()]
    for text in texts:
        bare = re.sub(r"\\+", r"\\", re.sub("%(25)+", "%", text.replace("&#92;", "\\"))).lower()
        assert not [one for one in spelt if one in bare], text


@spellings
@pytest.mark.parametrize("form", FORMS)
def test_what_the_api_says(api: Api, capsys: pytest.CaptureFixture[str], spelt: str, form: str) -> None:
    """An error's message holds the key in some form: neither output, report, summary nor annotation shows it."""
    api.refuses = f"no {spelt} here"
    assert run(["plan", "--format", form, "--report-file", "report.json"]) == 1
    shown = capsys.readouterr()
    texts = [shown.out, shown.err, *api.written("report.json", "summary", "outputs")]
    find_no_key(*texts)
    assert "***" in json.loads(texts[2])["error"]["message"]
    assert re.search(r"^::error title=tooken-ci::.*\*\*\*", shown.err, re.MULTILINE)


@spellings
def test_what_becomes_of_an_action(api: Api, capsys: pytest.CaptureFixture[str], spelt: str) -> None:
    """The API refuses one token with such words: its result in the JSON shows them masked."""
    api.refuses_writes = f"no {spelt} here"
    assert run(["apply", "--format", "json"]) in {1, 3}
    shown = capsys.readouterr()
    find_no_key(shown.out, shown.err, *api.written("summary"))
    assert "***" in json.loads(shown.out)["results"][0]["error"]


def test_a_secret_escaped_twice(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    """Of a text in which the key was escaped twice before it came nothing is shown."""
    twice = SPELT["by \\u"].replace("\\", "\\\\")
    api.refuses = f"no {twice} here"
    assert run(["plan", "--format", "json"]) == 1
    shown = capsys.readouterr()
    find_no_key(shown.out, shown.err)


@pytest.mark.parametrize("debug", [False, True], ids=["plain", "debug"])
@spellings
def test_what_a_library_logs(api: Api, capsys: pytest.CaptureFixture[str], spelt: str, *, debug: bool) -> None:
    """A header that urllib3 cannot read is a warning, its traceback only for who debugs; neither shows the key."""
    api.header = f"bad header ##[error]forged ::error::x {spelt}"
    assert run([*(["--debug"] if debug else []), "plan"]) == 0
    told = capsys.readouterr().err
    find_no_key(told)
    assert "WARNING Failed to parse headers" in told or "***" in told
    assert ("Traceback" in told) is debug
    assert "##[" not in told


@spellings
def test_a_saved_plan(api: Api, capsys: pytest.CaptureFixture[str], spelt: str) -> None:
    """A plan with a token that is named by the key in some form is not saved."""
    api.names = (f"n {spelt}",)
    api.write(spec({"a": entry("out/a")}, prune=["*"]))
    assert run(["plan", "--out", "saved", "--format", "json"]) == 1
    shown = capsys.readouterr()
    find_no_key(shown.out, shown.err)
    assert "was not saved" in shown.err
    assert not (api.folder / "saved").exists()


def test_what_github_takes_for_a_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    """A key with '##[' in it is masked in JSON, where that is escaped, and keeps a plan from being saved."""
    key = "tok_##[fake]_of_this_test"
    with faced(tmp_path, monkeypatch, key) as api:
        api.refuses = f"no {key} here"
        assert run(["plan", "--format", "json"]) == 1
        assert "no *** here" in json.loads(capsys.readouterr().out)["error"]["message"]
        api.refuses, api.names = "", (key,)
        api.write(spec({"a": entry("out/a")}, prune=["*"]))
        assert run(["plan", "--out", "saved"]) == 1
        assert "[fake]_of_this" not in "".join(capsys.readouterr())

"""A value that stands in a store, spelt like our own words: what the run writes stays whole, and it ends well."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from typing import TYPE_CHECKING

import pytest

from tests.cli.faced import faced
from tests.destinations.exec_support import script
from tests.e2e.project import entry, plan_schema, spec
from tests.support.runner import values
from tooken_ci.apply import planfile
from tooken_ci.base.record import DeliveryRecord, Held
from tooken_ci.base.secret import fingerprint
from tooken_ci.cli.program import run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from _pytest.capture import CaptureResult

    from tests.cli.faced import Api

KEY = "tok_plainly_a_fake_key_of_this_test"
MADE = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
READ = "#!/bin/sh\ncase $TOOKEN_CI_STEP in read) cat value ;; record-read) cat record 2> /dev/null ;; esac\nexit 0\n"
WORDS = {
    "JSON": '"actions": [',
    "a key of JSON": "format_version",
    "a value of JSON": '"held_by": null',
    "the end of JSON": '": 0\n  }\n}\n',
    "a time": "2026-11-2",
    "an action": "redeliver",
    "an output": "has-changes",
    "the border of an output": "<<tooken-",
    "an annotation": "::warning file=",
    "the end of a command": "tooken-ci::",
    "a table": "| --- | --- |",
    "a heading": "## tooken-ci: ",
    "a request": "GET /tokens: 200",
    "a saved plan": "tooken-ci-plan/1",
    "a piece of it": '"steps": [\n',
    "several lines": 'something\n"actions": [\n::warning file=\n| --- | --- | --- |\n"seen": [',
}


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    """Gives an API, and a spec with an entry whose store is a program, and whose expiry is worth a warning."""
    with faced(tmp_path, monkeypatch, KEY) as api:
        program = str(script(tmp_path / "store.sh", READ))
        store = {"exec": {"name": "shop", "write": [program], "record": [program], "read": [program]}}
        watched = {"scopes": ["tokens:read"], "expires_in": "90d", "deliver": []}
        api.names = ("watched",)
        api.write(spec({"a": entry(deliver=[store]), "watched": watched}))
        yield api


def _put(api: Api, value: str) -> None:
    (api.folder / "value").write_text(value, encoding="utf-8")


@pytest.mark.parametrize("value", WORDS.values(), ids=WORDS)
def test_what_is_written_stays_whole(api: Api, capsys: pytest.CaptureFixture[str], value: str) -> None:
    """The JSON keeps its schema, the report, outputs, annotations, summary and saved plan are as without the value."""
    _put(api, "unlike anything")
    line = ["--debug", "plan", "--format", "json", "--report-file", "report.json", "--out", "saved"]
    assert run(line) == 0
    expected = _all(api, capsys.readouterr())
    _put(api, value)
    assert run(line) == 0, capsys.readouterr().err
    shown = capsys.readouterr()
    plan_schema().validate(json.loads(shown.out))
    assert _all(api, shown) == expected


def _all(api: Api, shown: CaptureResult[str]) -> list[object]:
    """What was written, but for the log; the outputs as the runner reads them."""
    report, outputs, summary = api.written("report.json", "outputs", "summary")
    plan = planfile.read("saved")
    for name in ("report.json", "outputs", "summary", "saved"):
        (api.folder / name).unlink()
    commands = [one for one in shown.err.splitlines() if one.startswith("::")]
    assert any(one.startswith("::warning file=tooken.yml,") for one in commands), shown.err
    assert shown.out == report
    return [report, values(outputs), summary, dataclasses.replace(plan, planned_at=MADE), commands]


def test_it_is_masked_in_what_comes_from_outside(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    """A token that is named by the value shows in no format, and the plan is not saved."""
    value = "plainly_a_fake_value"
    _put(api, value)
    api.names = ("watched", f"n {value}")
    api.write({**json.loads(api.written("tooken.yml")[0]), "prune": ["n *"]})
    for form in ("text", "json", "markdown"):
        assert run(["plan", "--format", form, "--report-file", "report.json"]) == 0
        shown = capsys.readouterr()
        assert value not in "".join([*shown, *api.written("report.json", "summary", "outputs")])
        assert "n ***" in api.written("report.json")[0]
    assert run(["plan", "--out", "saved"]) == 1
    assert not (api.folder / "saved").exists()


@pytest.mark.parametrize("of_store", [False, True], ids=["the key", "what a record names"])
@pytest.mark.parametrize("secret", ['"actions": [', "has-changes"])
def test_a_secret_of_ours(
    api: Api, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, secret: str, *, of_store: bool
) -> None:
    """The key, or a value that a record names, is masked everywhere; no document is broken and called good."""
    if of_store:
        _put(api, secret)
        api.names = ("a", "watched")
        held = Held(id="tok_" + "0" * 24, name="a", at=MADE, fingerprint=fingerprint("tok_" + "0" * 24, secret))
        record = DeliveryRecord(workspace="test", held=held)
        (api.folder / "record").write_text(record.to_text(), encoding="utf-8")
    else:
        monkeypatch.setenv("TOOKEN_API_KEY", secret)
    assert run(["plan", "--format", "json", "--report-file", "report.json"]) == 1
    shown = capsys.readouterr()
    assert "spelt like a piece of it" in shown.err
    assert secret not in "".join(shown)
    assert not (api.folder / "report.json").exists() or json.loads(api.written("report.json")[0])
    assert not (api.folder / "outputs").exists() or values(api.written("outputs")[0])["failure-reason"]
    assert not shown.out or plan_schema().is_valid(json.loads(shown.out))

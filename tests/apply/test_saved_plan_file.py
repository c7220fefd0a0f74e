"""The file of a saved plan is applied as it was written, to the byte, or not at all."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import resource
from importlib import resources
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.plan.builders import CI, NOW, UNBOUNDED, WRITE, days, empty, ending, entry, holds, seconds, spec, token
from tests.plan.saving import saved_of
from tests.plan.simulation import World
from tests.plan.strategies import worlds
from tooken_ci.apply import planfile
from tooken_ci.base.errors import RunnerError, SavedPlanError
from tooken_ci.base.secret import Secret

if TYPE_CHECKING:
    from pathlib import Path

    from tooken_ci.plan.saved import SavedPlan

OLD = token(age=days(9))
WHOLE = spec(
    entry(scopes=frozenset({WRITE})), ending(NOW + days(3), "ends"), policy=UNBOUNDED, absent=["old-bot"]
)  # fmt: skip
WORLD = World(
    spec=dataclasses.replace(WHOLE, digest="0" * 64),
    tokens=(OLD, token("old-bot")),
    looks={f"file out/{CI}": holds(OLD), "file out/ends": empty()},
    now=NOW + seconds(0.000_001),
)
SAVED = saved_of(WORLD)
TEXT = planfile.to_text(SAVED)
FORGED = "it does not hold what a saved plan holds"


def refusal(path: Path, content: bytes) -> str:
    """Why a file of this content is refused."""
    path.write_bytes(content)
    with pytest.raises(SavedPlanError) as refused:
        planfile.read(str(path))
    assert refused.value.exit_code == 1
    assert refused.value.hint
    return refused.value.message


def sealed(data: dict[str, Any]) -> bytes:
    """A file with whatever content, whose digest is right, as somebody writes it who knows how."""
    rest = {key: value for key, value in data.items() if key != "digest"}
    body = json.dumps(rest)[:-1] + ", "
    return (body + planfile._seal(body)).encode()


def test_what_was_written_is_read(tmp_path: Path) -> None:
    """A plan that was saved is read back as it was."""
    path = str(tmp_path / "plan")
    planfile.write(path, SAVED)
    assert planfile.read(path) == SAVED
    assert len(SAVED.steps) == 3


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(worlds())
def test_any_plan_is_read_as_it_was(of: World) -> None:
    """Whatever a plan holds, its file gives it back, fits the schema, and is plain ASCII that speaks to no runner."""
    saved = dataclasses.replace(saved_of(of), spec="1" * 64, workspace='\n::error::"##[x]\x1b\u202e')
    text = planfile.to_text(saved)
    assert planfile.parse(text) == saved
    _schema().validate(json.loads(text))
    assert text.isascii()
    assert all(char.isprintable() or char == "\n" for char in text)
    assert "##[" not in text
    assert not any(line.startswith("::") for line in text.splitlines())


def _schema() -> jsonschema.Draft202012Validator:
    text = resources.files("tooken_ci.apply").joinpath("saved_plan.schema.json").read_text(encoding="utf-8")
    jsonschema.Draft202012Validator.check_schema(json.loads(text))
    return jsonschema.Draft202012Validator(json.loads(text))


def test_every_truncation_is_refused() -> None:
    """However many bytes a file lacks at its end, down to all of them, it is refused."""
    for length in range(len(TEXT)):
        with pytest.raises(planfile._UnfitError):
            planfile.parse(TEXT[:length])


def test_every_change_of_one_byte_is_refused() -> None:
    """Whatever byte is another, is missing, or stands there twice, the file is refused."""
    for at, char in enumerate(TEXT):
        other = "\n" if char == " " else " " if char == "\n" else chr(ord(char) ^ 1)
        for changed in (other, "", char + char, f" {char}"):
            with pytest.raises(planfile._UnfitError):
                planfile.parse(TEXT[:at] + changed + TEXT[at + 1 :])
    with pytest.raises(planfile._UnfitError):
        planfile.parse(f"{TEXT} ")


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, len(TEXT) - 1), byte=st.integers(0, 255))
def test_any_byte_in_any_place(tmp_path: Path, at: int, byte: int) -> None:
    """A byte that is changed to any other is refused with one message that names the file."""
    content = bytearray(TEXT.encode())
    if content[at] != byte:
        content[at] = byte
        assert refusal(tmp_path / "plan", bytes(content)).startswith(f"The saved plan '{tmp_path / 'plan'}' is not ")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "it is damaged, or no saved plan"),
        (b"\xff\xfe", "it is damaged, or no saved plan"),
        (b"[" * 100_000, "it is damaged, or no saved plan"),
        (TEXT[: len(TEXT) // 2].encode(), "it is damaged, or no saved plan"),
        (TEXT.replace("\n", "\r\n").encode(), "it was changed after it was saved: its digest does not match"),
        (b"[]", "it is no saved plan"),
        (b'{"format_version": "1.1"}', "it is no saved plan"),
        (b'{"format": 1}', "it is no saved plan"),
        (b'{"format": "tooken-ci-plan/1"}', "it has no digest"),
        (
            TEXT.replace("tooken-ci-plan/1", "tooken-ci-plan/0").encode(),
            "its format is 'tooken-ci-plan/0', and this tooken-ci reads tooken-ci-plan/1",
        ),
        (
            re.sub(r'"digest": .*', '"digest": null', TEXT).encode(),
            "it was changed after it was saved: its digest does not match",
        ),
        (
            re.sub(r"sha256:[0-9a-f]{64}", "sha256:" + "0" * 64, TEXT).encode(),
            "it was changed after it was saved: its digest does not match",
        ),
    ],
    ids=["empty", "not text", "nested", "half", "line ends", "a list", "a report", "a number", "no digest",
         "an older format", "a digest of nothing", "another digest"],
)  # fmt: skip
def test_what_is_refused_and_why(tmp_path: Path, content: bytes, why: str) -> None:
    """Each way in which a file is not a saved plan is told in its own words."""
    path = tmp_path / "plan"
    assert refusal(path, content) == f"The saved plan '{path}' is not applied: {why}."


@pytest.mark.parametrize(
    "change",
    [
        {"colour": "blue"},
        {"planned_at": "yesterday"},
        {"planned_at": "2026-13-45T99:99:99+00:00"},
        {"planned_at": "2026-11-23T19:20:15"},
        {"options": {"allow_empty": 1}},
        {"options": []},
        {"blocked_by": "max_changes"},
        {"steps": {}},
        {"steps": [{}]},
        {"seen": [{"entry": "ci"}]},
        {"spec": None},
    ],
    ids=str,
)
def test_a_forged_file_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    """A right digest does not make a file a plan: what does not fit the format is refused."""
    path = tmp_path / "plan"
    path.write_bytes(sealed(json.loads(TEXT)))
    assert planfile.read(str(path)) == SAVED
    assert FORGED in refusal(path, sealed(json.loads(TEXT) | change))


@pytest.mark.parametrize("key", [key for key in json.loads(TEXT) if key not in {"format", "digest"}])
def test_nothing_may_be_missing(tmp_path: Path, key: str) -> None:
    """A file that lacks a part of it is refused, even if its digest is right."""
    data = json.loads(TEXT)
    del data[key]
    assert FORGED in refusal(tmp_path / "plan", sealed(data))


def test_there_is_none(tmp_path: Path) -> None:
    """A path that leads nowhere, or to something that is no file, is refused with what to do."""
    for path, why in ((tmp_path / "none", "There is no saved plan at"), (tmp_path, "is no file")):
        with pytest.raises(SavedPlanError, match=why) as refused:
            planfile.read(str(path))
        assert refused.value.hint


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    """A file without permission is refused with the reason."""
    (tmp_path / "plan").write_text(TEXT)
    (tmp_path / "plan").chmod(0)
    with pytest.raises(SavedPlanError, match="cannot be read: Permission denied"):
        planfile.read(str(tmp_path / "plan"))


def test_it_replaces_what_was_there(tmp_path: Path) -> None:
    """A plan replaces the file of that name in one step, readable by all, also behind a link; nothing else is left."""
    path = tmp_path / "plan"
    path.write_text("an older one")
    path.chmod(0o600)
    (tmp_path / "link").symlink_to(path)
    planfile.write(str(tmp_path / "link"), SAVED)
    assert path.read_text(encoding="utf-8") == TEXT
    assert path.stat().st_mode & 0o777 == 0o644
    assert {item.name for item in tmp_path.iterdir()} == {"plan", "link"}


@pytest.mark.parametrize("name", ["missing/plan", ".", "plan\0", "n" * 300, "/dev/null"], ids=repr)
def test_a_place_where_none_can_be_written(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plan that cannot be saved is an error that says so, and leaves nothing behind."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RunnerError, match="The plan cannot be saved to "):
        planfile.write(name, SAVED)
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_is_full(tmp_path: Path) -> None:
    """Where the file cannot be written whole, what stood there stays, and no half of a new one is left."""
    path = tmp_path / "plan"
    path.write_text("an older one")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        with pytest.raises(RunnerError, match=r"The plan cannot be saved to .*: File too large"):
            planfile.write(str(path), SAVED)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [(item.name, item.read_text(encoding="utf-8")) for item in tmp_path.iterdir()] == [("plan", "an older one")]


def test_a_plan_with_a_secret_in_it_is_not_written(tmp_path: Path) -> None:
    """A token that is named like a secret keeps the plan from being saved, and what stood there stays."""
    secret = Secret("plainly-a-fake-secret-of-this-test")
    named: SavedPlan = dataclasses.replace(SAVED, workspace=f"a {secret.reveal()}")
    path = tmp_path / "plan"
    path.write_text("an older one")
    with pytest.raises(RunnerError, match="holds the key or another secret") as refused:
        planfile.write(str(path), named)
    assert secret.reveal() not in str(refused.value)
    assert path.read_text(encoding="utf-8") == "an older one"


def test_ten_thousand_entries_are_a_sane_size() -> None:
    """An action and what was seen of its entry take less than a kilobyte, so 10,000 entries stay below 10 MB."""
    many = dataclasses.replace(SAVED, steps=SAVED.steps[:1] * 1000, seen=SAVED.seen[:1] * 1000)
    assert len(planfile.to_text(many)) < 1000 * 1000
    assert planfile.parse(planfile.to_text(many)) == many

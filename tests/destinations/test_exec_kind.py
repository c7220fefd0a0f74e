from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.destinations.support import HERE
from tooken_ci.base.errors import SpecError
from tooken_ci.destinations.exec import ExecKind
from tooken_ci.destinations.exec_store import ExecDestination, Programs
from tooken_ci.destinations.interface import Surroundings
from tooken_ci.destinations.registry import Registry
from tooken_ci.spec.kinds import SettingsError
from tooken_ci.spec.load import load
from tooken_ci.spec.model import Target

EXAMPLES = Path(__file__).parent / "examples"
GOOD = sorted((EXAMPLES / "good").glob("*.yml"))
BAD = sorted((EXAMPLES / "bad").glob("*.yml"))
LEAST = {"name": "shop", "write": ["./store.sh", "write"], "record": ["./store.sh", "record"]}


def test_a_target() -> None:
    """A target is shown by its name, and what it writes is claimed by its name."""
    target = ExecKind().parse(LEAST, HERE)
    assert (target.kind, target.place) == ("exec", "exec shop")
    assert target.claims == {"exec:shop"}
    assert (target.takeover, target.warnings, target.position) == (False, (), HERE)
    assert target.settings == Programs(
        name="shop", write=("./store.sh", "write"), record=("./store.sh", "record"), timeout=30
    )


def test_all_settings() -> None:
    """Every setting arrives where it belongs."""
    settings = {**LEAST, "read": ["r", ""], "check": ["c"], "timeout": "45s", "takeover": True}
    target = ExecKind().parse(settings, HERE)
    assert isinstance(target.settings, Programs)
    assert (target.settings.read, target.settings.check, target.settings.timeout) == (("r", ""), ("c",), 45)
    assert target.takeover


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("timeout", "0s"),
        ("timeout", "46s"),
        ("timeout", "999999999999s"),
        ("timeout", "30s\n"),
        ("name", " shop"),
        ("name", "a\nb"),
        ("name", "\u202eshop"),
        ("write", [""]),
        ("write", [" "]),
        ("record", ["a\0b"]),
        ("read", ["a", "b\0"]),
        ("check", ["\ud800"]),
    ],
)
def test_settings_that_make_no_sense(key: str, value: object) -> None:
    """A name, a command or a time-out that cannot be one is refused at its key."""
    with pytest.raises(SettingsError) as caught:
        ExecKind().parse({**LEAST, key: value}, HERE)
    assert caught.value.key == key


@pytest.mark.parametrize(("text", "seconds"), [("1s", 1), ("45s", 45), ("007s", 7)])
def test_a_timeout_within_its_range(text: str, seconds: int) -> None:
    """A time-out may be anything from a second to what a delivery may take."""
    settings = ExecKind().parse({**LEAST, "timeout": text}, HERE).settings
    assert isinstance(settings, Programs)
    assert settings.timeout == seconds


@pytest.mark.parametrize(
    "change",
    [
        {"write": "./store.sh write"},
        {"write": []},
        {"record": ["a", 1]},
        {"timeout": 30},
        {"timeout": "1m"},
        {"name": ""},
        {"name": "n" * 101},
        {"shell": True},
        {"takeover": "yes"},
        {"read": None},
    ],
)
def test_settings_that_do_not_fit(change: dict[str, Any]) -> None:
    """The schema of the kind refuses a shell's line, what is of another type, and what is unknown."""
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**LEAST, **change}, ExecKind().schema)


@pytest.mark.parametrize("key", ["name", "write", "record"])
def test_what_is_required(key: str) -> None:
    """Name, write and record are required; the rest is not."""
    jsonschema.validate(LEAST, ExecKind().schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({name: value for name, value in LEAST.items() if name != key}, ExecKind().schema)


def test_the_registry_opens_by_kind() -> None:
    """The registry knows the kind, and opens its targets."""
    registry = Registry(Surroundings())
    assert [kind.name for kind in registry.kinds] == ["file", "exec", "job", "github_secret"]
    assert isinstance(registry.open(ExecKind().parse(LEAST, HERE)), ExecDestination)


def test_a_target_of_another_kind() -> None:
    """Settings of another kind are a fault of the program, never run by guess."""
    target = Target(kind="exec", place="x", claims=frozenset(), settings={}, takeover=False, position=HERE)
    with pytest.raises(TypeError):
        ExecKind().open(target)


def test_parsing_runs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program is not run, nor looked for, while a spec is read."""
    monkeypatch.chdir(tmp_path)
    ExecKind().open(ExecKind().parse(LEAST, HERE))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_good_example(path: Path) -> None:
    """A good example is valid, and nothing about it is worth a warning."""
    assert load([str(path)], kinds=Registry(Surroundings()).kinds).warnings == ()


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_bad_example(path: Path) -> None:
    """A bad example gives all its faults at once, each with its place and the next step."""
    with pytest.raises(SpecError) as caught:
        load([str(path)], kinds=Registry(Surroundings()).kinds)
    told = [str(fault).replace(f"{path}:", "FILE:").removeprefix("FILE:") for fault in caught.value.faults]
    assert told == path.with_suffix(".txt").read_text("utf-8").splitlines()


def test_every_example_is_found() -> None:
    """The folders are not empty, and no expectation is left without its example."""
    assert GOOD
    assert [path.stem for path in BAD] == sorted(path.stem for path in (EXAMPLES / "bad").glob("*.txt"))

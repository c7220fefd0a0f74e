"""What the document says of ``exec`` is what the code does, and its example works."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import jsonschema
import pytest
import yaml

from tests.destinations.exec_support import Store, deliver, script
from tests.destinations.support import OTHER, SECRET, held
from tooken_ci.base.record import State
from tooken_ci.base.secret import Secret
from tooken_ci.destinations.exec import ExecKind
from tooken_ci.destinations.exec_store import LONGEST_DELIVERY, Step

if TYPE_CHECKING:
    from collections.abc import Iterator

TEXT = (Path(__file__).parents[2] / "docs" / "spec.md").read_text(encoding="utf-8")
SECTION = TEXT.split("\n### `exec`\n")[1].split("\n## ")[0].split("\n### ")[0]

KUBECTL = """#!/bin/sh
cd {folder} || exit 1
echo "$@" >> arguments
case "$1 $2" in
  "create "*) echo "$2"; cat ;;
  "apply "*) read -r kind && cat > "$kind" ;;
  "get "*) if [ -e "$2" ]; then cat "$2"; fi ;;
esac
"""


def block(language: str) -> str:
    found = re.findall(rf"```{language}\n(.*?)```", SECTION, re.DOTALL)
    assert len(found) == 1
    return str(found[0])


def test_the_settings_are_valid() -> None:
    """The settings that the document shows are all there are, and can be pasted."""
    ((item),) = yaml.safe_load(block("yaml"))["deliver"]
    jsonschema.validate(item["exec"], ExecKind().schema)
    assert set(item["exec"]) == set(ExecKind().schema["properties"])


def test_the_numbers_are_those_of_the_code() -> None:
    """Every step, the range of exit codes that can be named and the longest delivery are documented."""
    steps = re.findall(r"^\| `([a-z-]+)` \| `[a-z]+` \|", SECTION, re.MULTILINE)
    assert set(steps) == {str(step) for step in Step}
    codes = ExecKind().schema["properties"]["refused"]
    assert f"{codes['minimum']} to {codes['maximum']}: the store surely took nothing" in SECTION
    assert f"1s to {LONGEST_DELIVERY:.0f}s" in SECTION
    assert f"share {LONGEST_DELIVERY:.0f} s" in SECTION


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """Gives a store behind the program of the document, and a ``kubectl`` that keeps what it is given in files."""
    store = Store(tmp_path / "cluster")
    store.program = script(tmp_path / "store.sh", block("sh"))
    script(tmp_path / "kubectl", KUBECTL.format(folder=store.folder))
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    yield store
    assert SECRET not in (store.folder / "arguments").read_text(encoding="utf-8")


def test_the_program_works(cluster: Store) -> None:
    """The wrapper of the document stores, shows and checks, and puts no secret on a command line."""
    destination = cluster.open(check=(str(cluster.program),))
    destination.check()
    assert destination.look().empty
    deliver(destination)
    look = destination.look()
    assert (look.state, look.held, look.readable) == (State.HOLDS, held(), True)
    assert destination.holds(Secret(SECRET)) is True
    assert destination.holds(Secret(OTHER)) is False
    assert (cluster.folder / "secret").read_bytes() == SECRET.encode()

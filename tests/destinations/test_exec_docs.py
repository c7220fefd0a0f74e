"""What the document says of ``exec`` is what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import jsonschema
import yaml

from tooken_ci.destinations.exec import ExecKind
from tooken_ci.destinations.exec_store import Step
from tooken_ci.destinations.timing import LONGEST_WRITE

TEXT = (Path(__file__).parents[2] / "docs" / "spec.md").read_text(encoding="utf-8")
SECTION = TEXT.split("\n### `exec`\n")[1].split("\n## ")[0].split("\n### ")[0]


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
    assert f"1s to {LONGEST_WRITE:.0f}s" in SECTION
    assert f"share {LONGEST_WRITE:.0f} s" in SECTION

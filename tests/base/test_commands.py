"""Commands to the CI runner: nothing that stands in them can end them early or begin another."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.runner import values
from tooken_ci.base.commands import file_command, mask_command, workflow_command
from tooken_ci.base.secret import Secret


@pytest.mark.parametrize(
    ("properties", "message", "line"),
    [
        ({}, "done", "::error::done"),
        ({"file": "a.yml", "line": 3}, "done", "::error file=a.yml,line=3::done"),
        ({}, "100%\r\n::x::y, z", "::error::100%25%0D%0A::x::y, z"),
        ({"title": "a:b,c%\r\n"}, "", "::error title=a%3Ab%2Cc%25%0D%0A::"),
        ({"title": "%3A"}, "%0A", "::error title=%253A::%250A"),
    ],
    ids=["bare", "properties", "message escaped", "property escaped", "no escape is undone"],
)
def test_line(properties: dict[str, str | int], message: str, line: str) -> None:
    """A command is one line, escaped as the runner unescapes it: more in a property than in the message."""
    assert workflow_command("error", properties, message) == line


def test_its_texts_are_masked() -> None:
    """A secret is masked in the message and in each property before they are escaped; only one command shows it."""
    Secret("tok_a/b%2Fcd+ef")
    spelt = quote("tok_a/b%2Fcd+ef", safe="")
    assert workflow_command("error", {"file": f"a {spelt}", "line": 3}, spelt) == "::error file=a ***,line=3::***"
    assert mask_command("tok_a/b%2Fcd+ef") == "::add-mask::tok_a/b%252Fcd+ef"


@given(st.text(), st.text())
def test_nothing_breaks_out(title: str, message: str) -> None:
    """Whatever a property and a message hold, the command stays one line and both are read back as they were."""
    line = workflow_command("error", {"title": title}, message)
    assert "\n" not in line
    assert "\r" not in line
    head, _, data = line.removeprefix("::error title=").partition("::")
    unescaped = {"%3A": ":", "%2C": ",", "%0D": "\r", "%0A": "\n"}
    for escape, char in unescaped.items():
        head = head.replace(escape, char)
    assert head.replace("%25", "%") == title
    assert data.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%") == message


@given(st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]) | st.sampled_from("\n=<")))
def test_no_value_ends_itself(value: str) -> None:
    """Whatever a value for one of the runner's files holds, the runner reads that one value, and no other."""
    assert values(file_command("name", value) + file_command("next", "1")) == {"name": value, "next": "1"}


def test_no_border_is_used_twice() -> None:
    """The border of a value is another one each time."""
    assert file_command("a", "b") != file_command("a", "b")

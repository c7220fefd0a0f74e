"""Parts of the log that can be folded away."""

from __future__ import annotations

import re

import pytest

from tests.support.runner import commands, folded, sections
from tooken_ci.ci.groups import group
from tooken_ci.ci.host import Host, HostKind


def told(kind: HostKind, title: str = "The plan") -> list[str]:
    lines: list[str] = []
    with group(Host(kind=kind), "Plan", title, lines.append):
        lines.append("inside")
    return lines


def test_at_github() -> None:
    """A group has its title in its command."""
    assert told(HostKind.GITHUB) == ["::group::The plan", "inside", "::endgroup::"]


def test_at_gitlab() -> None:
    """A section has one name at both ends, the times in seconds, and its title after the mark."""
    first, inside, last = told(HostKind.GITLAB)
    opening = re.fullmatch(r"\x1b\[0Ksection_start:(\d{10}):(tooken_ci_plan_\d+)\r\x1b\[0KThe plan", first)
    closing = re.fullmatch(r"\x1b\[0Ksection_end:(\d{10}):(tooken_ci_plan_\d+)\r\x1b\[0K", last)
    assert inside == "inside"
    assert opening
    assert closing
    assert opening[2] == closing[2]
    assert told(HostKind.GITLAB)[0].split(":")[2] != first.split(":")[2]


@pytest.mark.parametrize("kind", [HostKind.OTHER_CI, HostKind.PERSON])
def test_elsewhere(kind: HostKind) -> None:
    """Where a log has no such parts, nothing is added to it."""
    assert told(kind) == ["inside"]


@pytest.mark.parametrize("kind", [HostKind.GITHUB, HostKind.GITLAB])
def test_a_part_ends_where_the_work_fails(kind: HostKind) -> None:
    """What is told of a failure stands outside of the part, where it is seen."""
    lines: list[str] = []
    with pytest.raises(RuntimeError), group(Host(kind=kind), "plan", "The plan", lines.append):
        raise RuntimeError
    assert len(lines) == 2


@pytest.mark.parametrize("title", ["a\n::error::b", "\x1b[0Ksection_end:1:x\r\x1b[0K", "100%0A::error::", "##[error]"])
def test_a_title_is_a_title(title: str) -> None:
    """Words from outside in a title open, close and tell nothing."""
    assert commands("\n".join(told(HostKind.GITHUB, title))) == ["group", "endgroup"]
    assert len(sections("\n".join(told(HostKind.GITLAB, title)))) == 2


def test_parts_of_one_log() -> None:
    """GitLab folds each by itself, also two of one name; and it would see one that does not end, or lies in another."""
    log = [*told(HostKind.GITLAB, "One thing"), *told(HostKind.GITLAB, "Another")]
    assert len(folded("\n".join(log))) == 2
    for broken in (log[:2], log[1:], [log[0], *log[3:], log[2]], [f"> {log[0]}", *log[1:]]):
        with pytest.raises(AssertionError):
            folded("\n".join(broken))

"""The search for secrets itself: a test that cannot fail would prove nothing."""

from __future__ import annotations

import urllib.parse
from base64 import b64encode, urlsafe_b64encode
from typing import TYPE_CHECKING

import pytest

from tests.e2e.leaks import findings
from tests.e2e.project import basic

if TYPE_CHECKING:
    from tests.e2e.project import Project

SECRET = "tok_a/secret+of~some=length-and_marks"


@pytest.mark.parametrize(
    "shown",
    [
        f"Bearer {SECRET}",
        b64encode(SECRET.encode()).decode(),
        urlsafe_b64encode(SECRET.encode()).decode().rstrip("="),
        urllib.parse.quote(SECRET, safe=""),
        basic(SECRET),
        b64encode(b"xy" + SECRET.encode() + b"z").decode(),
    ],
)
def test_every_form_is_found(shown: str) -> None:
    """A secret is found raw, URL-quoted and in base64, also inside a longer text."""
    assert list(findings([SECRET], {"a log": f"before {shown} after".encode()})) == ["a secret shows in a log"]


def test_the_innocent_is_not_found() -> None:
    """A text without the secret is no finding."""
    assert list(findings([SECRET], {"a log": b"tok_a/secret+of~some=length-and_mark and no more"})) == []


def test_a_stray_copy_fails_the_run(still_project: Project) -> None:
    """A key that stands in a file of the project, or in a message, fails the run of the command."""
    (still_project.folder / "notes.txt").write_text(f"the key is {still_project.key}", encoding="utf-8")
    with pytest.raises(AssertionError, match=r"notes\.txt"):
        still_project.run("schema")

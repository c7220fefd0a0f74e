"""The policy: a breach is an error with its line, told by validate and plan, and nothing is done for that entry."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.e2e.project import Project

SPEC = """\
version: 1
workspace: test
policy:
  {rule}
tokens:
  CI:
    scopes: [tokens:read, webhooks:write]
    {life}
    deliver:
      - file: {{path: CI}}
"""


@pytest.mark.parametrize(
    ("rule", "life", "place", "words"),
    [
        ("require_expiry: true", "owner: me", "tooken.yml:6:3", "never expires"),
        ("max_lifetime: 30d", "expires_in: 90d", "tooken.yml:8:", "at most 30d"),
        ("max_lifetime: 30d", "owner: me", "tooken.yml:6:3", "never expires"),
        ("forbidden_scopes: [webhooks:write]", "expires_in: 90d", "tooken.yml:7:", "webhooks:write"),
        ("name_pattern: '^[a-z]+$'", "expires_in: 90d", "tooken.yml:6:3", "name_pattern"),
    ],
)
def test_a_breach(still_project: Project, rule: str, life: str, place: str, words: str) -> None:
    """A breach ends validate and apply with 5, names file, line and column, and changes nothing."""
    still_project.write(SPEC.format(rule=rule, life=life))
    with still_project.unchanged():
        ended = still_project.run("validate", "--format", "json", code=5)
        ended.says(place, words)
        ended = still_project.run("apply", "--format", "json", code=5)
    assert ended.data["blocked_by"] == ["policy"]
    messages = [problem["message"] for problem in ended.data["problems"] if problem["entry"] == "CI"]
    assert len(messages) == 1
    assert place in messages[0]
    assert words in messages[0]


def test_an_absolute_expiry_that_is_too_late(still_project: Project) -> None:
    """An absolute expiry beyond max_lifetime is found as soon as the server has told its time."""
    still_project.write(SPEC.format(rule="max_lifetime: 30d", life="expires_at: 2099-01-01T00:00:00Z"))
    with still_project.unchanged():
        still_project.run("plan", code=5).says("tooken.yml:8:", "2099-01-01", "at most 30d")

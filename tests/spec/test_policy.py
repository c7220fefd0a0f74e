"""The policy: each rule, what it says, and where."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.spec.support import loaded
from tooken_ci.spec.policy import breaches

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 6, 1, tzinfo=UTC)
AT = "expires_at: 2027-06-01T00:00:00Z"


@pytest.mark.parametrize(
    ("policy", "extra", "expected"),
    [
        ("require_expiry: true", "expires_in: 9d", []),
        ("require_expiry: true", AT, []),
        ("max_lifetime: 90d", "expires_in: 90d", []),
        ("max_lifetime: 365d", AT, []),
        ("forbidden_scopes: [tokens:revoke]", "", []),
        ("name_pattern: '^[a-z]+$'", "", []),
        ("require_expiry: false", "", []),
        (
            "require_expiry: true",
            "",
            [
                (
                    "require_expiry 5:3: 'ci' never expires; the policy requires an end (require_expiry). "
                    "Give it 'expires_in'."
                )
            ],
        ),
        (
            "max_lifetime: 90d",
            "",
            [
                (
                    "max_lifetime 5:3: 'ci' never expires; the policy allows at most 90d (max_lifetime). "
                    "Give it 'expires_in'."
                )
            ],
        ),
        (
            "max_lifetime: 90d",
            "expires_in: 91d",
            ["max_lifetime 7:5: 'ci' lives 91d; the policy allows at most 90d (max_lifetime). Shorten 'expires_in'."],
        ),
        (
            "max_lifetime: 90d",
            AT,
            [
                (
                    "max_lifetime 7:5: 'ci' lives until 2027-06-01T00:00:00Z; the policy allows at most 90d "
                    "(max_lifetime). Choose an earlier 'expires_at'."
                )
            ],
        ),
        (
            "forbidden_scopes: [tokens:write, audit:read]",
            "",
            [
                (
                    "forbidden_scopes 6:5: 'ci' asks for audit:read, tokens:write, which the policy forbids "
                    "(forbidden_scopes). Remove it from the scopes."
                )
            ],
        ),
        (
            "name_pattern: 'c'",
            "",
            [
                (
                    "name_pattern 5:3: The name 'ci' does not match 'c' (name_pattern). "
                    "Choose a name that the policy allows."
                )
            ],
        ),
        (
            "{require_expiry: true, max_lifetime: 1d, name_pattern: x}",
            "",
            [
                (
                    "require_expiry 5:3: 'ci' never expires; the policy requires an end (require_expiry). "
                    "Give it 'expires_in'."
                ),
                (
                    "name_pattern 5:3: The name 'ci' does not match 'x' (name_pattern). "
                    "Choose a name that the policy allows."
                ),
            ],
        ),
    ],
)
def test_rules(policy: str, extra: str, expected: list[str], tmp_path: Path) -> None:
    """A rule that an entry breaks is told at the line that breaks it; a rule that it keeps is not."""
    rules = policy if policy.startswith("{") else f"{{{policy}}}"
    text = f"version: 1\npolicy: {rules}\n\ntokens:\n  ci:\n    scopes: [tokens:write, audit:read]\n    {extra}\n"
    found = breaches(loaded(tmp_path, a=text), NOW)
    assert [f"{item.rule} {str(item.fault).partition('.yml:')[2]}" for item in found] == expected
    assert {item.entry for item in found} <= {"ci"}


def test_in_the_order_of_lines(tmp_path: Path) -> None:
    """Breaches are told as one reads: file by file in the order that they are given, and there line by line."""
    entries = ("  z: {scopes: [tokens:write]}\n  a: {scopes: [tokens:write]}\n", "  b: {scopes: [tokens:write]}\n")
    policy = "version: 1\npolicy: {require_expiry: true, forbidden_scopes: [tokens:write]}\ntokens:\n"
    spec = loaded(tmp_path, b=f"{policy}{entries[0]}", a=f"version: 1\ntokens:\n{entries[1]}")
    assert [found.entry for found in breaches(spec)] == ["z", "z", "a", "a", "b", "b"]


def test_an_absolute_end_is_judged_only_with_a_clock(tmp_path: Path) -> None:
    """Without the server's time nobody can say how long such a token still lives."""
    spec = loaded(
        tmp_path, a=f"version: 1\npolicy: {{max_lifetime: 90d}}\ntokens: {{ci: {{scopes: [tokens:read], {AT}}}}}\n"
    )
    assert breaches(spec) == ()
    assert breaches(spec, NOW + timedelta(days=275)) == ()
    assert len(breaches(spec, NOW)) == 1
